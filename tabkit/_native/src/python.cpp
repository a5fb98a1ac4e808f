#include "python.hpp"

#include <cstring>

namespace tabkit::python {

namespace {

[[noreturn]] void refuse_short(const Buffer& buffer, size_t offset, size_t count,
                               const char* what) {
    refuse("a buffer of " + std::to_string(buffer.size()) + " bytes does not hold " +
           std::to_string(count) + " " + what + " behind the first " + std::to_string(offset));
}

Validity check_bits(const Buffer& buffer, size_t offset, size_t count) {
    const size_t there = buffer.size() * 8;
    if (offset > there || count > there - offset) refuse_short(buffer, offset, count, "bits");
    return {reinterpret_cast<const uint8_t*>(buffer.data()), offset};
}

}  // namespace

Array Array::from(PyObject* tuple) {
    const char* format;
    Py_ssize_t count, offset;
    PyObject *validity, *values, *data;
    parse(tuple, "snnOOO;an array is (format, length, offset, validity, values, data)", &format,
          &count, &offset, &validity, &values, &data);
    if (count < 0 || offset < 0) refuse("an array has a negative length or offset");
    return {format,
            static_cast<size_t>(count),
            static_cast<size_t>(offset),
            Buffer(validity),
            Buffer(values),
            Buffer(data)};
}

Validity Array::validity() const {
    if (validity_bits.is_none()) return {nullptr, 0};
    return check_bits(validity_bits, offset, count);
}

Validity Array::bits() const { return check_bits(value_bytes, offset, count); }

template <typename Offset>
Texts<Offset> Array::texts() const {
    // Arrow may leave the offsets out where there is no text.
    if (count == 0) return {{value_bytes.data()}, data_bytes.data()};
    if (offset > value_bytes.size()) refuse_short(value_bytes, offset, count, "offsets");
    const Values<Offset> places{check_values(value_bytes, offset, count + 1, sizeof(Offset))};
    bool is_rising = places[0] >= 0;
    for (size_t i = 0; i < count; ++i) is_rising &= places[i] <= places[i + 1];
    if (!is_rising) refuse("the offsets of the texts do not rise");
    if (static_cast<uint64_t>(places[count]) > data_bytes.size()) {
        refuse("a text ends outside its buffer");
    }
    return {places, data_bytes.data()};
}

template Texts<int32_t> Array::texts() const;
template Texts<int64_t> Array::texts() const;

const char* check_values(const Buffer& buffer, size_t offset, size_t count, size_t width) {
    const size_t there = buffer.size() / width;
    if (offset > there || count > there - offset) refuse_short(buffer, offset, count, "values");
    return buffer.data() + offset * width;
}

// Source: Arrow C data interface, "Data type description".
MomentFormat moment_format(const std::string& format) {
    if (format == "tdD") return {{Moment::Kind::DATE, 0, false}, 4};
    if (format.size() < 3 || format[0] != 't') return {{}, 0};
    constexpr const char UNITS[] = "smun";
    const char* unit = std::strchr(UNITS, format[2]);
    if (unit == nullptr || *unit == 0) return {{}, 0};
    const int places = 3 * static_cast<int>(unit - UNITS);
    switch (format[1]) {
        case 's': return {{Moment::Kind::TIMESTAMP, places, format.size() > 4}, 8};
        case 'D': return {{Moment::Kind::DURATION, places, false}, 8};
        case 't': return {{Moment::Kind::DURATION, places, false}, places <= 3 ? 4u : 8u};
        default: return {{}, 0};
    }
}

size_t checked_room(size_t a, size_t b, size_t c) {
    size_t room;
    if (__builtin_mul_overflow(a, b, &room) || __builtin_add_overflow(room, c, &room) ||
        room > static_cast<size_t>(PY_SSIZE_T_MAX)) {
        throw std::bad_alloc();
    }
    return room;
}

Bytes::Bytes(size_t room)
    : object_(checked(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(room)))) {}

PyObject* Bytes::finish(const char* end) {
    resize(static_cast<size_t>(end - begin()));
    return object_.release();
}

void Bytes::resize(size_t size) {
    PyObject* object = object_.release();
    if (_PyBytes_Resize(&object, static_cast<Py_ssize_t>(size)) != 0) throw Failure{};
    object_ = Reference(object);
}

Sink Bytes::sink(WithoutLock& lock) {
    lock_ = &lock;
    char* start = PyBytes_AsString(object_.get());
    return {start, start + PyBytes_Size(object_.get()), grow, this};
}

void Bytes::grow(Sink& sink, size_t bytes) {
    Bytes& self = *static_cast<Bytes*>(sink.owner);
    self.lock_->take();
    const auto give = [&] { self.lock_->give(); };
    try {
        const auto written = static_cast<size_t>(sink.at - self.begin());
        const auto room = static_cast<size_t>(sink.end - self.begin());
        self.resize(checked_room(1, room, room / 2 + bytes));
        sink.at = self.begin() + written;
        sink.end = self.begin() + PyBytes_Size(self.object_.get());
    } catch (...) {
        give();
        throw;
    }
    give();
}

}  // namespace tabkit::python
