// Python's functions for texts of R's serialization.
#include <algorithm>

#include "python.hpp"
#include "rtexts.hpp"

namespace tabkit::python {
namespace {

constexpr size_t LEAST = 8;  // bytes of a text

void check_count(const Buffer& data, Py_ssize_t start, Py_ssize_t count) {
    if (start < 0 || count < 0) refuse("a start or a count is negative");
    const auto at = static_cast<size_t>(start);
    if (at > data.size() || static_cast<size_t>(count) > (data.size() - at) / LEAST) {
        refuse("the texts end early");
    }
}

PyObject* skip_texts(PyObject* arguments) {
    PyObject* given;
    Py_ssize_t start, count, stride;
    int big_endian;
    parse(arguments, "Onnnp", &given, &start, &count, &stride, &big_endian);
    const Buffer data(given);
    check_count(data, start, count);
    if (stride < 1) refuse("a stride is at least 1");
    Bytes places(checked_room((count + stride - 1) / stride, 8, 0));
    char* out = places.begin();
    size_t end;
    {
        const WithoutLock released;
        rtexts::Walk walk(data.data(), data.size(), static_cast<size_t>(start), big_endian != 0);
        for (Py_ssize_t i = 0; i < count; ++i) {
            if (i % stride == 0) {
                store(out, static_cast<int64_t>(walk.at()));
                out += 8;
            }
            walk.next();
        }
        end = walk.at();
    }
    return checked(Py_BuildValue("Nn", places.finish(out), static_cast<Py_ssize_t>(end)));
}

struct Sizes {
    size_t bytes = 0, missing = 0;
    bool is_plain = true;
};

Sizes measure(rtexts::Walk walk, size_t count, bool native_is_utf8) {
    Sizes sizes;
    for (size_t i = 0; i < count; ++i) {
        const rtexts::Text text = walk.next();
        sizes.bytes += text.size;
        sizes.missing += text.is_missing;
        sizes.is_plain = sizes.is_plain && (text.is_missing ||
                                            rtexts::mark_of(text, native_is_utf8) == rtexts::PLAIN);
    }
    if (sizes.bytes > INT32_MAX) refuse("the texts of a block have more than 2 GiB");
    return sizes;
}

PyObject* read_texts(PyObject* arguments) {
    PyObject* given;
    Py_ssize_t start, count;
    int big_endian, native_is_utf8;
    parse(arguments, "Onnpp", &given, &start, &count, &big_endian, &native_is_utf8);
    const Buffer data(given);
    check_count(data, start, count);
    const auto texts = static_cast<size_t>(count);
    rtexts::Walk walk(data.data(), data.size(), static_cast<size_t>(start), big_endian != 0);
    Sizes sizes;
    {
        const WithoutLock released;
        sizes = measure(walk, texts, native_is_utf8 != 0);
    }
    Bytes offsets(checked_room(texts + 1, 4, 0)), bytes(sizes.bytes);
    Bytes validity(sizes.missing == 0 ? 0 : texts / 8 + 1), marks(sizes.is_plain ? 0 : texts);
    char *place = offsets.begin(), *out = bytes.begin();
    {
        const WithoutLock released;
        auto* bits = reinterpret_cast<uint8_t*>(validity.begin());
        if (sizes.missing != 0) std::fill(bits, bits + texts / 8 + 1, uint8_t{0});
        store(place, int32_t{0});
        for (size_t i = 0; i < texts; ++i) {
            const rtexts::Text text = walk.next();
            if (text.size != 0) out = std::copy(text.begin, text.begin + text.size, out);
            store(place += 4, static_cast<int32_t>(out - bytes.begin()));
            if (sizes.missing != 0 && !text.is_missing) bits[i >> 3] |= 1 << (i & 7);
            if (!sizes.is_plain) {
                marks.begin()[i] =
                    text.is_missing ? rtexts::PLAIN : rtexts::mark_of(text, native_is_utf8 != 0);
            }
        }
    }
    const size_t bitmap = sizes.missing == 0 ? 0 : texts / 8 + 1;
    PyObject* none = Py_None;
    Reference found_bits(validity.finish(validity.begin() + bitmap));
    Reference found_marks(marks.finish(marks.begin() + (sizes.is_plain ? 0 : texts)));
    Reference found_offsets(offsets.finish(place + 4)), found_bytes(bytes.finish(out));
    return checked(Py_BuildValue(
        "nOOOO", static_cast<Py_ssize_t>(sizes.missing),
        sizes.missing == 0 ? none : found_bits.get(), found_offsets.get(), found_bytes.get(),
        sizes.is_plain ? none : found_marks.get()));
}

}  // namespace

PyMethodDef R_TEXT_METHODS[] = {
    {"skip_texts", guarded<skip_texts>, METH_VARARGS,
     "skip_texts(data, start, count, stride, big_endian)\n--\n\nFind every so many of R's texts."},
    {"read_texts", guarded<read_texts>, METH_VARARGS,
     "read_texts(data, start, count, big_endian, native_is_utf8)\n--\n\nReturn R's texts."},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace tabkit::python
