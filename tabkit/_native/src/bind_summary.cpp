// Python's functions for counted numbers and their statistics.
#include <algorithm>
#include <limits>
#include <type_traits>

#include "moments.hpp"
#include "outline.hpp"
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

constexpr double EXACT = 9007199254740992.0;     // 2**53: integers below it are doubles exactly
constexpr double INTEGERS_END = 2147483648.0;  // floats of a wider span stay doubles

outline::Doubles doubles_of(PyObject* given, std::optional<Buffer>& memory) {
    memory.emplace(given);
    return {Values<double>{memory->data()}, memory->size() / sizeof(double)};
}

// A number of a column of floats is a float in Python, too.
template <typename Key>
PyObject* number(Key value, bool is_float) {
    if (is_float) return checked(PyFloat_FromDouble(static_cast<double>(value)));
    return checked(PyLong_FromLongLong(static_cast<long long>(value)));
}

PyObject* count(int64_t cases) { return checked(PyLong_FromLongLong(cases)); }

// Mean, median, mode, valid, invalid, least, greatest, deviation.
template <typename Key>
Reference statistics(const outline::Outline<Key>& made, size_t cases, bool is_float) {
    const auto& [values, counts] = made.valid;
    if (values.empty()) {
        constexpr double NONE = std::numeric_limits<double>::quiet_NaN();
        return Reference(checked(Py_BuildValue("ddOinddd", NONE, NONE, Py_None, 0,
                                               static_cast<Py_ssize_t>(cases), NONE, NONE, NONE)));
    }
    const summary::Summary& found = *made.summary;
    Reference mode(number(values[found.mode], is_float));
    return Reference(checked(Py_BuildValue(
        "ddOLLddd", found.mean, found.median, mode.get(), static_cast<long long>(found.cases),
        static_cast<long long>(cases) - found.cases, static_cast<double>(values.front()),
        static_cast<double>(values.back()), found.stdev)));
}

template <typename Key>
PyObject* told(const outline::Outline<Key>& made, const Array& array, bool is_float, size_t missing,
               size_t listed, bool keep) {
    const auto& [values, counts] = made.valid;
    const Reference stats = statistics(made, array.count, is_float);
    const Reference frequencies =
        tuple_of(made.frequencies.size(), [&](size_t i) { return count(made.frequencies[i]); });
    const Reference others = tuple_of(std::min(made.others.size(), listed), [&](size_t i) {
        Reference value(number(values[made.others[i]], is_float));
        Reference cases(count(counts[made.others[i]]));
        return checked(PyTuple_Pack(2, value.get(), cases.get()));
    });
    const char* format = std::is_same_v<Key, double> ? "g" : "l";
    Reference kept(Py_NewRef(Py_None));
    if (keep) {
        const Reference distinct(bytes_of(values)), cases(bytes_of(counts));
        kept = Reference(checked(Py_BuildValue("sOO", format, distinct.get(), cases.get())));
    }
    return checked(Py_BuildValue("OOOLnLO", stats.get(), frequencies.get(), others.get(),
                                 static_cast<long long>(made.other_cases),
                                 static_cast<Py_ssize_t>(missing),
                                 static_cast<long long>(made.user_missing), kept.get()));
}

// What is asked of an outline, besides the numbers.
struct Wanted {
    outline::Meaning meaning;
    size_t listed;
    bool keep;
};

// Nothing where the plain twin must do it.
template <typename Key, typename T>
PyObject* told_by(const Array& array, const Values<T>& values, const moments::Moments<T>& found,
                  const Wanted& wanted) {
    const Validity validity = array.validity();
    outline::Outline<Key> made;
    {
        const WithoutLock released(array.count);
        made = outline::outlined(tally::counted<Key>(values, validity, array.count), wanted.meaning);
    }
    if (!made.summary && !made.valid.values.empty()) return nullptr;
    const size_t missing = array.count - found.count - found.nans;
    constexpr bool IS_FLOAT = std::is_floating_point_v<T>;
    return told(made, array, IS_FLOAT, missing, wanted.listed, wanted.keep);
}

template <typename T>
PyObject* outline_of(const Array& array, const Values<T>& values, const Wanted& wanted) {
    const Validity validity = array.validity();
    moments::Moments<T> found;
    {
        const WithoutLock released(array.count);
        found = moments::survey(values, validity, array.count);
    }
    const auto low = static_cast<double>(found.low), high = static_cast<double>(found.high);
    PyObject* result = nullptr;
    bool has_integers = found.count == 0 || (low > -EXACT && high < EXACT);
    if constexpr (std::is_floating_point_v<T>) {
        const bool is_whole = !found.has_fraction && found.negative_zeros == 0;
        has_integers =
            found.count == 0 || (is_whole && low >= -INTEGERS_END && high < INTEGERS_END);
        if (!has_integers) result = told_by<double>(array, values, found, wanted);
    }
    if (has_integers) result = told_by<int64_t>(array, values, found, wanted);
    if (result == nullptr) return Py_NewRef(Py_None);
    return checked(Py_BuildValue("NN", PyBool_FromLong(found.has_fraction), result));
}

PyObject* outlined(PyObject* arguments) {
    PyObject *given, *given_codes, *given_missing, *given_spans;
    int missing_is_invalid, keep;
    Py_ssize_t listed;
    parse(arguments, "O!OOOpnp", &PyTuple_Type, &given, &given_codes, &given_missing, &given_spans,
          &missing_is_invalid, &listed, &keep);
    if (listed < 0) refuse("a number of values is not negative");
    const Array array = Array::from(given);
    std::optional<Buffer> codes, missing, spans;
    const Wanted wanted{{doubles_of(given_codes, codes), doubles_of(given_missing, missing),
                         doubles_of(given_spans, spans), missing_is_invalid != 0},
                        static_cast<size_t>(listed), keep != 0};
    PyObject* result = nullptr;
    const auto call = [&](const auto& values) { result = outline_of(array, values, wanted); };
    if (!with_numbers(array, call)) refuse("no numbers have the format " + array.format);
    return result;
}

}  // namespace

PyMethodDef SUMMARY_METHODS[] = {
    {"summary", guarded<summary>, METH_VARARGS,
     "summary(values, counts)\n--\n\n"
     "Return (mean, median, deviation, low, high, place of the mode, cases) of counted numbers."},
    {"outline", guarded<outlined>, METH_VARARGS,
     "outline(array, codes, missing, spans, missing_is_invalid, listed, keep)\n--\n\n"
     "Return (has fraction, all that is told of a short array of numbers), or None."},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace tabkit::python
