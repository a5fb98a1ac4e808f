// Python's function for the statistics of counted numbers.
#include "python.hpp"
#include "summary.hpp"

namespace tabkit::python {
namespace {

PyObject* summary(PyObject* arguments) {
    PyObject *given, *given_counts;
    parse(arguments, "O!O", &PyTuple_Type, &given, &given_counts);
    const Array array = Array::from(given);
    summary::Counts counts;
    std::optional<Array> counted;
    if (given_counts != Py_None) {
        if (!PyTuple_Check(given_counts)) refuse("counts are an array or None");
        counted.emplace(Array::from(given_counts));
        if (counted->format != "l" || counted->count != array.count)
            refuse("each value has a count of 64 bits");
        counts.values = counted->values<int64_t>();
    }
    std::optional<summary::Summary> found;
    double low = 0, high = 0;
    const auto ends = [&](const auto& values) {
        if (array.count == 0) return;
        low = static_cast<double>(values[0]);
        high = static_cast<double>(values[array.count - 1]);
    };
    if (array.format == "g") {
        const auto values = array.values<double>();
        found = summary::of_doubles(values, counts, array.count);
        ends(values);
    } else if (array.format == "l") {
        const auto values = array.values<int64_t>();
        found = summary::of_integers(values, counts, array.count);
        ends(values);
    } else {
        refuse("no statistics are made of the format " + array.format);
    }
    if (!found) Py_RETURN_NONE;
    return checked(Py_BuildValue("dddddnL", found->mean, found->median, found->stdev, low, high,
                                 static_cast<Py_ssize_t>(found->mode),
                                 static_cast<long long>(found->cases)));
}

}  // namespace

PyMethodDef SUMMARY_METHODS[] = {
    {"summary", guarded<summary>, METH_VARARGS,
     "summary(values, counts)\n--\n\n"
     "Return (mean, median, deviation, low, high, place of the mode, cases) of counted numbers."},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace tabkit::python
