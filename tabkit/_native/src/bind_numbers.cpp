// Python's functions for what numbers are like.
#include <cstring>
#include <type_traits>

#include "decimal_text.hpp"
#include "moments.hpp"
#include "python.hpp"

namespace tabkit::python {
namespace {

Array only_array(PyObject* arguments) {
    PyObject* given;
    parse(arguments, "O!", &PyTuple_Type, &given);
    return Array::from(given);
}

template <typename T>
PyObject* number(T value) {
    if constexpr (std::is_floating_point_v<T>)
        return checked(PyFloat_FromDouble(value));
    else if constexpr (std::is_signed_v<T>)
        return checked(PyLong_FromLongLong(value));
    else
        return checked(PyLong_FromUnsignedLongLong(value));
}

[[noreturn]] void refuse_format(const Array& array) {
    refuse("no numbers have the format " + array.format);
}

PyObject* survey(PyObject* arguments) {
    const Array array = only_array(arguments);
    const Validity validity = array.validity();
    Reference result;
    const auto call = [&](const auto& values) {
        using T = std::remove_cv_t<std::remove_reference_t<decltype(values[0])>>;
        moments::Moments<T> found;
        {
            const WithoutLock released(array.count);
            found = moments::survey(values, validity, array.count);
        }
        const bool any = found.count > 0;
        Reference low(number(any ? found.low : T{})), high(number(any ? found.high : T{}));
        result = Reference(checked(Py_BuildValue(
            "nnnOOO", static_cast<Py_ssize_t>(found.count), static_cast<Py_ssize_t>(found.nans),
            static_cast<Py_ssize_t>(found.negative_zeros), found.has_fraction ? Py_True : Py_False,
            any ? low.get() : Py_None, any ? high.get() : Py_None)));
    };
    if (!with_numbers(array, call)) refuse_format(array);
    return result.release();
}

template <typename To, typename T>
PyObject* narrow_to(const Array& array, const Values<T>& values) {
    const Validity validity = array.validity();
    Bytes bytes(checked_room(array.count, sizeof(To), sizeof(To)));
    char* end = bytes.begin();
    {
        const WithoutLock released(array.count);
        end = moments::narrow<To>(values, validity, array.count, end);
    }
    if (end == nullptr) refuse("not all numbers fit in the narrow format");
    return bytes.finish(end);
}

PyObject* narrow(PyObject* arguments) {
    PyObject* given;
    const char* target;
    parse(arguments, "O!s", &PyTuple_Type, &given, &target);
    const Array array = Array::from(given);
    const std::string to = target;
    PyObject* result = nullptr;
    const auto call = [&](const auto& values) {
        using T = std::remove_cv_t<std::remove_reference_t<decltype(values[0])>>;
        constexpr bool is_widest = std::is_floating_point_v<T> || std::is_same_v<T, uint64_t>;
        if (to == "c")
            result = narrow_to<int8_t>(array, values);
        else if (to == "s")
            result = narrow_to<int16_t>(array, values);
        else if (to == "i")
            result = narrow_to<int32_t>(array, values);
        else if (to == "l")
            result = narrow_to<int64_t>(array, values);
        else if constexpr (is_widest) {
            if (to == array.format) result = narrow_to<T>(array, values);
        }
    };
    if (!with_numbers(array, call)) refuse_format(array);
    if (result == nullptr) refuse("no narrow format of " + array.format + " is " + to);
    return result;
}

PyObject* count_values(PyObject* arguments) {
    PyObject* given;
    long long low;
    Py_ssize_t span;
    parse(arguments, "O!Ln", &PyTuple_Type, &given, &low, &span);
    const Array array = Array::from(given);
    const Validity validity = array.validity();
    if (span < 0) refuse("the span is negative");
    Bytes bytes(checked_room(static_cast<size_t>(span), sizeof(int64_t), 1));
    char* start = bytes.begin();
    std::memset(start, 0, span * sizeof(int64_t));
    size_t outside = 0;
    const auto call = [&](const auto& values) {
        using T = std::remove_cv_t<std::remove_reference_t<decltype(values[0])>>;
        if constexpr (std::is_integral_v<T>) {
            const WithoutLock released(array.count);
            outside = moments::count_values(values, validity, array.count, low, span,
                                            reinterpret_cast<int64_t*>(start));
        } else {
            refuse("only integers are counted");
        }
    };
    if (!with_numbers(array, call)) refuse_format(array);
    PyObject* counts = bytes.finish(start + span * sizeof(int64_t));
    return checked(Py_BuildValue("Nn", counts, static_cast<Py_ssize_t>(outside)));
}

PyObject* value_text(PyObject* value) {
    if (!PyFloat_Check(value)) return checked(PyObject_Str(value));
    char text[number_room(NumberText::SHORTEST)];
    const char* end = write_float<NumberText::SHORTEST>(PyFloat_AS_DOUBLE(value), text);
    return checked(PyUnicode_FromStringAndSize(text, end - text));
}

PyObject* interleaved(PyObject* arguments) {
    PyObject *parts, *values;
    parse(arguments, "O!O!", &PyTuple_Type, &parts, &PyTuple_Type, &values);
    const Py_ssize_t count = PyTuple_GET_SIZE(values);
    if (PyTuple_GET_SIZE(parts) != count + 1) refuse("there is one part more than values");
    Reference texts(checked(PyTuple_New(2 * count + 1))), nothing(checked(PyUnicode_New(0, 0)));
    for (Py_ssize_t i = 0; i <= count; ++i) {
        PyTuple_SET_ITEM(texts.get(), 2 * i, Py_NewRef(PyTuple_GET_ITEM(parts, i)));
        if (i < count)
            PyTuple_SET_ITEM(texts.get(), 2 * i + 1, value_text(PyTuple_GET_ITEM(values, i)));
    }
    return checked(PyUnicode_Join(nothing.get(), texts.get()));
}

}  // namespace

PyMethodDef NUMBER_METHODS[] = {
    {"survey", guarded<survey>, METH_VARARGS,
     "survey(array)\n--\n\n"
     "Return (count, nans, negative zeros, has fraction, low, high) of numbers."},
    {"narrow", guarded<narrow>, METH_VARARGS,
     "narrow(array, target)\n--\n\nCopy the numbers that are there and not NaN."},
    {"count_values", guarded<count_values>, METH_VARARGS,
     "count_values(array, low, span)\n--\n\nCount how often each integer of a span occurs."},
    {"interleaved", guarded<interleaved>, METH_VARARGS,
     "interleaved(parts, values)\n--\n\n"
     "Return texts with values between them, as an archival table prints these."},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace tabkit::python
