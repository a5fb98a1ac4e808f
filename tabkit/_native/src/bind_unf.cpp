// Python's function for the normal form of UNF 6.
#include "python.hpp"
#include "unf.hpp"

namespace tabkit::python {
namespace {

// Calls ``write`` with the memory for the numbers of an array that was checked.
template <typename Write>
PyObject* written(const Array& array, int digits, Write write) {
    Bytes bytes(checked_room(array.count, unf::number_room(digits), unf::SPARE_ROOM));
    char* end = bytes.begin();
    {
        const WithoutLock released(array.count);
        end = write(end);
    }
    return bytes.finish(end);
}

PyObject* normalize_numbers(const Array& array, int digits) {
    const Validity validity = array.validity();
    PyObject* result = nullptr;
    const auto normalize = [&](const auto& values) {
        result = written(array, digits, [&](char* out) {
            return unf::write_numbers(values, validity, array.count, digits, out);
        });
    };
    if (!with_numbers(array, normalize)) refuse("no values have the format " + array.format);
    return result;
}

PyObject* normalize_booleans(const Array& array, int digits) {
    const Validity validity = array.validity(), bits = array.bits();
    return written(array, digits, [&](char* out) {
        return unf::write_booleans(bits, validity, array.count, digits, out);
    });
}

template <typename Offset>
PyObject* normalize_texts(const Array& array, size_t characters) {
    const Validity validity = array.validity();
    const Texts<Offset> texts = array.texts<Offset>();
    const size_t size = array.count == 0 ? 0 : texts.offsets[array.count] - texts.offsets[0];
    Bytes bytes(checked_room(array.count, unf::MISSING_SIZE, size + unf::SPARE_ROOM));
    char* end = bytes.begin();
    {
        const WithoutLock released(array.count + size);
        end = unf::write_texts(texts, validity, array.count, characters, end);
    }
    return bytes.finish(end);
}

template <typename T>
PyObject* normalize_moments(const Array& array, const Moment& moment) {
    const Validity validity = array.validity();
    const Values<T> values = array.values<T>();
    Bytes bytes(checked_room(array.count, MOMENT_ROOM, unf::SPARE_ROOM));
    char* end = bytes.begin();
    {
        const WithoutLock released(array.count);
        end = unf::write_moments(values, validity, array.count, moment, end);
    }
    return bytes.finish(end);
}

PyObject* normalize(PyObject* arguments) {
    PyObject* given;
    int digits;
    Py_ssize_t characters;
    parse(arguments, "O!in", &PyTuple_Type, &given, &digits, &characters);
    if (digits < unf::MIN_DIGITS || digits > unf::MAX_DIGITS) refuse("digits are 1 to 16");
    if (characters < 1) refuse("at least 1 character is kept of a text");
    const Array array = Array::from(given);
    if (array.format == "u") return normalize_texts<int32_t>(array, characters);
    if (array.format == "U") return normalize_texts<int64_t>(array, characters);
    if (array.format == "b") return normalize_booleans(array, digits);
    const MomentFormat found = moment_format(array.format);
    if (found.width == 4) return normalize_moments<int32_t>(array, found.moment);
    if (found.width == 8) return normalize_moments<int64_t>(array, found.moment);
    return normalize_numbers(array, digits);
}

}  // namespace

PyMethodDef UNF_METHODS[] = {
    {"normalize", guarded<normalize>, METH_VARARGS,
     "normalize(array, digits, characters)\n--\n\n"
     "Return the bytes that a UNF 6 hashes for every case of an array."},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace tabkit::python
