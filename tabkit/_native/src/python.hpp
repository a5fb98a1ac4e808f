// The border to Python: arguments are checked here, so that kernels never read outside.
//
// Kernels run without the interpreter's lock. A wrong argument is thrown as
// std::invalid_argument and becomes a ValueError.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <new>
#include <stdexcept>
#include <string>

#include "calendar.hpp"
#include "columns.hpp"
#include "sink.hpp"

namespace tabkit::python {

// A Python exception is set already.
struct Failure {};

[[noreturn]] inline void refuse(const std::string& message) {
    throw std::invalid_argument(message);
}

// Makes a method of a function that throws.
template <PyObject* (*FUNCTION)(PyObject* arguments)>
PyObject* guarded(PyObject*, PyObject* arguments) noexcept {
    try {
        return FUNCTION(arguments);
    } catch (const Failure&) {
        return nullptr;
    } catch (const std::bad_alloc&) {
        return PyErr_NoMemory();
    } catch (const std::exception& error) {
        PyErr_SetString(PyExc_ValueError, error.what());
        return nullptr;
    }
}

inline PyObject* checked(PyObject* object) {
    if (object == nullptr) throw Failure{};
    return object;
}

template <typename... Targets>
void parse(PyObject* arguments, const char* format, Targets... targets) {
    if (!PyArg_ParseTuple(arguments, format, targets...)) throw Failure{};
}

// Owns a reference.
class Reference {
 public:
    explicit Reference(PyObject* object = nullptr) : object_(object) {}
    Reference(Reference&& other) noexcept : object_(other.release()) {}
    Reference& operator=(Reference&& other) noexcept {
        PyObject* old = object_;
        object_ = other.release();
        Py_XDECREF(old);
        return *this;
    }
    ~Reference() { Py_XDECREF(object_); }
    PyObject* get() const { return object_; }
    PyObject* release() {
        PyObject* object = object_;
        object_ = nullptr;
        return object;
    }

 private:
    PyObject* object_;
};

// A tuple of what ``make`` returns for each place.
template <typename Make>
Reference tuple_of(size_t size, Make make) {
    Reference tuple(checked(PyTuple_New(static_cast<Py_ssize_t>(size))));
    for (size_t i = 0; i < size; ++i)
        PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), make(i));
    return tuple;
}

// The interpreter's lock is not held while this lives, but can be taken back for a while.
//
// Work on few values, or few bytes of text, is done before another thread would have taken the
// lock: it is kept then.
class WithoutLock {
 public:
    static constexpr size_t FEW = 1024;

    explicit WithoutLock(size_t amount = FEW) : is_kept_(amount < FEW) { give(); }
    ~WithoutLock() { take(); }
    WithoutLock(const WithoutLock&) = delete;
    void take() {
        if (!is_kept_) PyEval_RestoreThread(state_);
    }
    void give() {
        if (!is_kept_) state_ = PyEval_SaveThread();
    }

 private:
    bool is_kept_;
    PyThreadState* state_ = nullptr;
};

// The memory of a Python object, or of None: nothing.
class Buffer {
 public:
    explicit Buffer(PyObject* object) {
        if (object == Py_None) return;
        if (PyObject_GetBuffer(object, &view_, PyBUF_SIMPLE) != 0) throw Failure{};
        is_held_ = true;
    }
    Buffer(Buffer&& other) noexcept : view_(other.view_), is_held_(other.is_held_) {
        other.is_held_ = false;
    }
    Buffer(const Buffer&) = delete;
    ~Buffer() {
        if (is_held_) PyBuffer_Release(&view_);
    }
    bool is_none() const { return !is_held_; }
    size_t size() const { return is_held_ ? static_cast<size_t>(view_.len) : 0; }
    const char* data() const {
        static const char nothing[1] = {};
        return is_held_ && view_.buf != nullptr ? static_cast<const char*>(view_.buf) : nothing;
    }

 private:
    Py_buffer view_{};
    bool is_held_ = false;
};

// An Arrow array as Python gives it: (format, length, offset, validity, values, data).
//
// The format is that of the Arrow C data interface ("g" double, "u" string, "tdD" date, ...).
// Validity is None where nothing is missing; data are the bytes of texts, else None; their values
// are the offsets.
struct Array {
    std::string format;
    size_t count, offset;
    Buffer validity_bits, value_bytes, data_bytes;

    static Array from(PyObject* tuple);

    // Each throws if the buffer is too short for the array.
    Validity validity() const;
    Validity bits() const;  // of booleans
    template <typename T>
    Values<T> values() const;
    template <typename Offset>
    Texts<Offset> texts() const;
};

// Throws unless ``count`` values of ``width`` bytes lie in ``buffer`` from value ``offset`` on;
// returns the place of the first.
const char* check_values(const Buffer& buffer, size_t offset, size_t count, size_t width);

template <typename T>
Values<T> Array::values() const {
    return {check_values(value_bytes, offset, count, sizeof(T))};
}

// Calls ``kernel`` with the values if the format is one of numbers; tells whether it is.
template <typename Kernel>
bool with_numbers(const Array& array, Kernel kernel) {
    if (array.format.size() != 1) return false;
    switch (array.format[0]) {
        case 'g': return kernel(array.values<double>()), true;
        case 'f': return kernel(array.values<float>()), true;
        case 'c': return kernel(array.values<int8_t>()), true;
        case 's': return kernel(array.values<int16_t>()), true;
        case 'i': return kernel(array.values<int32_t>()), true;
        case 'l': return kernel(array.values<int64_t>()), true;
        case 'C': return kernel(array.values<uint8_t>()), true;
        case 'S': return kernel(array.values<uint16_t>()), true;
        case 'I': return kernel(array.values<uint32_t>()), true;
        case 'L': return kernel(array.values<uint64_t>()), true;
        default: return false;
    }
}

// The meaning of one of Arrow's formats of dates, times and durations, and its bytes a value.
struct MomentFormat {
    Moment moment;
    size_t width;  // 0 if the format is none of them
};
MomentFormat moment_format(const std::string& format);

// a * b + c, which must fit.
size_t checked_room(size_t a, size_t b, size_t c);

// A bytes object that is written first and cut to its size at the end.
class Bytes {
 public:
    explicit Bytes(size_t room);
    Bytes(Bytes&& other) noexcept = default;
    char* begin() { return PyBytes_AsString(object_.get()); }
    // Gives the bytes up to ``end`` away.
    PyObject* finish(const char* end);
    // Grows, with ``lock`` taken back meanwhile.
    Sink sink(WithoutLock& lock);

 private:
    void resize(size_t size);
    static void grow(Sink& sink, size_t bytes);

    Reference object_;
    WithoutLock* lock_ = nullptr;
};

extern PyMethodDef UNF_METHODS[], TAB_METHODS[], CASES_METHODS[], CSV_METHODS[], NUMBER_METHODS[],
    XDR_METHODS[];
extern PyMethodDef R_TEXT_METHODS[];
extern PyMethodDef SUMMARY_METHODS[], OBJECT_METHODS[], SAV_METHODS[];

}  // namespace tabkit::python
