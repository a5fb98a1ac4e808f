// Python's function for vectors in R's form.
#include <type_traits>

#include "python.hpp"
#include "words.hpp"
#include "xdr.hpp"

namespace tabkit::python {
namespace {

template <typename Write>
PyObject* written(const Array& array, size_t width, Write write) {
    Bytes bytes(checked_room(array.count, width, 1));
    char* end = bytes.begin();
    {
        const WithoutLock released(array.count);
        end = write(end);
    }
    if (end == nullptr) refuse("a number that is there is R's missing integer");
    return bytes.finish(end);
}

PyObject* xdr_doubles(PyObject* arguments) {
    PyObject* given;
    parse(arguments, "O!", &PyTuple_Type, &given);
    const Array array = Array::from(given);
    const Validity validity = array.validity();
    const MomentFormat found = moment_format(array.format);
    const auto moments = [&](const auto& values) {
        return written(array, 8, [&](char* out) {
            return xdr::write_moments(values, validity, array.count, found.moment, out);
        });
    };
    if (found.width == 4) return moments(array.values<int32_t>());
    if (found.width == 8) return moments(array.values<int64_t>());
    PyObject* result = nullptr;
    const auto call = [&](const auto& values) {
        result = written(array, 8, [&](char* out) {
            return xdr::write_doubles(values, validity, array.count, out);
        });
    };
    if (!with_numbers(array, call)) refuse("no doubles are made of the format " + array.format);
    return result;
}

PyObject* xdr_integers(PyObject* arguments) {
    PyObject* given;
    parse(arguments, "O!", &PyTuple_Type, &given);
    const Array array = Array::from(given);
    const Validity validity = array.validity();
    if (array.format == "b") {
        const Validity bits = array.bits();
        return written(array, 4, [&](char* out) {
            return xdr::write_logicals(bits, validity, array.count, out);
        });
    }
    PyObject* result = nullptr;
    const auto call = [&](const auto& values) {
        using T = std::remove_cv_t<std::remove_reference_t<decltype(values[0])>>;
        if constexpr (std::is_integral_v<T> && (sizeof(T) < 4 || std::is_same_v<T, int32_t>)) {
            result = written(array, 4, [&](char* out) {
                return xdr::write_integers(values, validity, array.count, out);
            });
        }
    };
    with_numbers(array, call);
    if (result == nullptr) refuse("no integers of 32 bits have the format " + array.format);
    return result;
}

template <typename Offset>
PyObject* texts_of(const Array& array) {
    const Validity validity = array.validity();
    const Texts<Offset> texts = array.texts<Offset>();
    const size_t size = array.count == 0 ? 0 : texts.offsets[array.count] - texts.offsets[0];
    Bytes bytes(checked_room(array.count, xdr::TEXT_HEAD, size + 1));
    char* end = bytes.begin();
    size_t cut;
    {
        const WithoutLock released(array.count + size);
        cut = xdr::write_texts(texts, validity, array.count, end);
    }
    return checked(Py_BuildValue("Nn", bytes.finish(end), static_cast<Py_ssize_t>(cut)));
}

PyObject* xdr_texts(PyObject* arguments) {
    PyObject* given;
    parse(arguments, "O!", &PyTuple_Type, &given);
    const Array array = Array::from(given);
    if (array.format == "u") return texts_of<int32_t>(array);
    if (array.format == "U") return texts_of<int64_t>(array);
    refuse("no texts have the format " + array.format);
}

PyObject* deflate_words(PyObject* arguments) {
    PyObject* given;
    int width;
    parse(arguments, "Oi", &given, &width);
    const Buffer data(given);
    if ((width != 4 && width != 8) || data.size() % width != 0 || data.size() > (size_t{1} << 30))
        refuse("words are whole, of 4 or 8 bytes, and 1 GiB at most");
    const size_t count = data.size() / width;
    Bytes bytes(checked_room(words::room(count), 1, 1));
    char* end;
    {
        const WithoutLock released(count);
        end = words::deflate(data.data(), count, width, bytes.begin());
    }
    if (end == nullptr) Py_RETURN_NONE;
    return bytes.finish(end);
}

}  // namespace

PyMethodDef XDR_METHODS[] = {
    {"xdr_doubles", guarded<xdr_doubles>, METH_VARARGS,
     "xdr_doubles(array)\n--\n\nReturn numbers, dates or times as R's doubles."},
    {"xdr_integers", guarded<xdr_integers>, METH_VARARGS,
     "xdr_integers(array)\n--\n\nReturn integers or booleans as R's integers."},
    {"xdr_texts", guarded<xdr_texts>, METH_VARARGS,
     "xdr_texts(array)\n--\n\nReturn texts as R's, and how many were cut at a NUL."},
    {"deflate_words", guarded<deflate_words>, METH_VARARGS,
     "deflate_words(data, width)\n--\n\nCompress few distinct words; None where they are many."},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace tabkit::python
