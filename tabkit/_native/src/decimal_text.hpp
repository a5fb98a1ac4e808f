// Text of numbers, in each of the three shapes of an archival table.
#pragma once

#include <cstdint>

#include "shortest.hpp"

namespace tabkit {

// tabkit.profiles.NumberText, by the same names.
enum class NumberText { SHORTEST, JAVA, DECIMAL };

// Bytes to have for a number, room for copying by whole words among them. DECIMAL may have 17
// digits after 323 zeros.
constexpr int number_room(NumberText shape) { return shape == NumberText::DECIMAL ? 400 : 64; }

char* write_integer(int64_t value, char* out);
char* write_integer(uint64_t value, char* out);

template <NumberText SHAPE>
char* write_float(double value, char* out);
template <NumberText SHAPE>
char* write_float(float value, char* out);

// The digits that java.text.DecimalFormat gives a finite double that is not zero: nearly, but not
// always, the shortest. The sign is not looked at. Plain twin: tabkit.write.java.
Decimal decimal_format_digits(double value);

// Writes exactly ``size`` digits of ``number``.
inline void write_digits(uint64_t number, int size, char* out);

// "00" to "99".
struct Pairs {
    char text[200];
};

constexpr Pairs make_pairs() {
    Pairs pairs{};
    for (int i = 0; i < 100; ++i) {
        pairs.text[2 * i] = static_cast<char>('0' + i / 10);
        pairs.text[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
    return pairs;
}

inline constexpr Pairs PAIRS = make_pairs();

inline void write_pair(uint64_t number, char* out) {
    out[0] = PAIRS.text[2 * number];
    out[1] = PAIRS.text[2 * number + 1];
}

// Eight digits; the divisions do not wait for each other.
inline void write_eight(uint32_t number, char* out) {
    const uint32_t high = number / 10000, low = number % 10000;
    write_pair(high / 100, out);
    write_pair(high % 100, out + 2);
    write_pair(low / 100, out + 4);
    write_pair(low % 100, out + 6);
}

inline void write_digits(uint64_t number, int size, char* out) {
    constexpr uint64_t EIGHT = 100000000;
    for (; size >= 8; number /= EIGHT) {
        size -= 8;
        write_eight(static_cast<uint32_t>(number % EIGHT), out + size);
    }
    auto rest = static_cast<uint32_t>(number);
    for (; size > 1; rest /= 100) {
        size -= 2;
        write_pair(rest % 100, out + size);
    }
    if (size == 1) out[0] = static_cast<char>('0' + rest);
}

}  // namespace tabkit
