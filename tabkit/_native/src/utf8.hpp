// What bytes of text are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "columns.hpp"

namespace tabkit {

inline bool is_ascii(const char* text, size_t size) {
    uint64_t any = 0;
    for (; size >= 8; size -= 8, text += 8) any |= load<uint64_t>(text);
    for (; size > 0; --size, ++text) any |= static_cast<uint8_t>(*text);
    return (any & 0x8080808080808080) == 0;
}

// Whether the bytes are whole, shortest, no surrogates and not beyond U+10FFFF.
// Source: The Unicode Standard, table 3-7.
inline bool is_utf8(const char* text, size_t size) {
    const auto at = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
    const auto follows = [&](size_t i, uint8_t low, uint8_t high) {
        return i < size && at(i) >= low && at(i) <= high;
    };
    for (size_t i = 0; i < size;) {
        const uint8_t first = at(i);
        const int more = first < 0x80   ? 0
                         : first < 0xC2 ? -1
                         : first < 0xE0 ? 1
                         : first < 0xF0 ? 2
                         : first < 0xF5 ? 3
                                        : -1;
        if (more < 0) return false;
        const uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
        const uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
        if (more > 0 && !follows(i + 1, low, high)) return false;
        for (int k = 2; k <= more; ++k) {
            if (!follows(i + k, 0x80, 0xBF)) return false;
        }
        i += 1 + more;
    }
    return true;
}

}  // namespace tabkit
