// Python's functions for counted numbers and their statistics.
#include <type_traits>

#include "moments.hpp"
#include "python.hpp"
#include "summary.hpp"
#include "tally.hpp"

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

template <typename T>
PyObject* bytes_of(const std::vector<T>& values) {
    return checked(PyBytes_FromStringAndSize(reinterpret_cast<const char*>(values.data()),
                                             static_cast<Py_ssize_t>(values.size() * sizeof(T))));
}

template <typename Key, typename T>
PyObject* tally_as(const Array& array, const Values<T>& values, const moments::Moments<T>& found,
                   const char* format) {
    tally::Tally<Key> counted;
    {
        const Validity validity = array.validity();
        const WithoutLock released(array.count);
        counted = tally::counted<Key>(values, validity, array.count);
    }
    Reference distinct(bytes_of(counted.values)), counts(bytes_of(counted.counts));
    return checked(Py_BuildValue("OnsOO", found.has_fraction ? Py_True : Py_False,
                                 static_cast<Py_ssize_t>(found.negative_zeros), format,
                                 distinct.get(), counts.get()));
}

PyObject* tally(PyObject* arguments) {
    PyObject* given;
    parse(arguments, "O!", &PyTuple_Type, &given);
    const Array array = Array::from(given);
    PyObject* result = nullptr;
    const auto call = [&](const auto& values) {
        using T = std::remove_cv_t<std::remove_reference_t<decltype(values[0])>>;
        constexpr double INTEGERS_END = 2147483648.0;  // doubles of a wider span stay doubles
        const Validity validity = array.validity();
        moments::Moments<T> found;
        {
            const WithoutLock released(array.count);
            found = moments::survey(values, validity, array.count);
        }
        if constexpr (std::is_same_v<T, uint64_t>) {
            if (found.count > 0)
                result = tally_as<uint64_t>(array, values, found, "L");
            else
                result = tally_as<int64_t>(array, values, found, "l");
        } else if constexpr (std::is_integral_v<T>) {
            result = tally_as<int64_t>(array, values, found, "l");
        } else {
            const bool is_whole = !found.has_fraction && found.negative_zeros == 0;
            if (found.count == 0 ||
                (is_whole && found.low >= -INTEGERS_END && found.high < INTEGERS_END))
                result = tally_as<int64_t>(array, values, found, "l");
            else
                result = tally_as<double>(array, values, found, "g");
        }
    };
    if (!with_numbers(array, call)) refuse("no numbers have the format " + array.format);
    return result;
}

}  // namespace

PyMethodDef SUMMARY_METHODS[] = {
    {"summary", guarded<summary>, METH_VARARGS,
     "summary(values, counts)\n--\n\n"
     "Return (mean, median, deviation, low, high, place of the mode, cases) of counted numbers."},
    {"tally", guarded<tally>, METH_VARARGS,
     "tally(array)\n--\n\n"
     "Return (has fraction, negative zeros, format, values, counts) of a short array."},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace tabkit::python
