// Arrow columns as the kernels see them: plain memory that the caller has checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tabkit's kernels need a little-endian machine; the Python twins serve elsewhere"
#endif

namespace tabkit {

// Reads a value from memory of any alignment.
template <typename T>
inline T load(const void* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

template <typename T>
inline void store(void* to, T value) {
    std::memcpy(to, &value, sizeof value);
}

inline uint16_t swap_bytes(uint16_t value) { return __builtin_bswap16(value); }
inline uint32_t swap_bytes(uint32_t value) { return __builtin_bswap32(value); }
inline uint64_t swap_bytes(uint64_t value) { return __builtin_bswap64(value); }

// Fixed-width values, not necessarily aligned.
template <typename T>
struct Values {
    const char* data;
    T operator[](size_t i) const { return load<T>(data + i * sizeof(T)); }
};

// A bit a value, least significant first; no bits at all means that every value is there.
struct Validity {
    const uint8_t* bits;
    size_t offset;

    bool operator[](size_t i) const {
        return bits == nullptr || (bits[(offset + i) >> 3] >> ((offset + i) & 7) & 1);
    }
};

// Texts one after the other in data: text i lies from offsets[i] to offsets[i + 1].
template <typename Offset>
struct Texts {
    Values<Offset> offsets;
    const char* data;

    const char* begin(size_t i) const { return data + offsets[i]; }
    size_t size(size_t i) const { return static_cast<size_t>(offsets[i + 1] - offsets[i]); }
};

}  // namespace tabkit
