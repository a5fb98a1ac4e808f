// The digits of java.text.DecimalFormat, by the algorithm of OpenJDK's FloatingDecimal, which is
// Steele and White's with some shortcuts (JDK-4511638, JDK-8362448).
// Plain twin, line by line: tabkit.write.java.
#include <cmath>
#include <type_traits>

#include "columns.hpp"
#include "decimal_text.hpp"
#include "natural.hpp"
#include "powers.hpp"

namespace tabkit {
namespace {

constexpr int FRACTION = 52;
constexpr uint64_t FRACTION_MASK = (uint64_t{1} << FRACTION) - 1;

// Digits of a power of two that a double of that size cannot tell apart.
constexpr char INSIGNIFICANT[] = {
    0,  0,  0,  0,  1,  1,  1,  2,  2,  2,  3,  3,  3,  3,  4,  4,  4,  5,  5,  5,  6,  6,
    6,  6,  7,  7,  7,  8,  8,  8,  9,  9,  9,  9,  10, 10, 10, 11, 11, 11, 12, 12, 12, 12,
    13, 13, 13, 14, 14, 14, 15, 15, 15, 15, 16, 16, 16, 17, 17, 17, 18, 18, 18, 19,
};

// A double as fraction * 2**(exponent - 52), the fraction's top bit set, of which ``bits`` are its
// own (fewer in a subnormal).
struct Parts {
    int exponent;
    uint64_t fraction;
    int bits;
};

Parts parts_of(double value) {
    const uint64_t raw = load<uint64_t>(&value);
    const uint64_t fraction = raw & FRACTION_MASK;
    const int exponent = static_cast<int>(raw >> FRACTION & 0x7FF);
    if (exponent != 0) return {exponent - 1023, fraction | uint64_t{1} << FRACTION, FRACTION + 1};
    const int shift = __builtin_clzll(fraction) - (63 - FRACTION);
    return {-1022 - shift, fraction << shift, FRACTION + 1 - shift};
}

// floor(log10), or one more.
int estimate(int exponent, uint64_t fraction) {
    const uint64_t one = uint64_t{1023} << FRACTION | (fraction & FRACTION_MASK);
    const double mantissa = load<double>(&one);
    return static_cast<int>(
        std::floor((mantissa - 1.5) * 0.289529654 + 0.176091259 + exponent * 0.301029995663981));
}

// Bits of a number times a power of five, by the table that Java uses up to 5**26.
int bits_needed(int bits, int fives) {
    if (fives == 0) return bits;
    return bits + (fives <= 26 ? log2_of_power(fives) - fives + 1 : fives * 3);
}

Decimal whole_digits(const Parts& parts) {
    const int power = parts.exponent - parts.bits - 1;
    const int dropped = power > 1 && power < 64 ? INSIGNIFICANT[power] : 0;
    const int shift = parts.exponent - FRACTION;
    uint64_t whole = shift >= 0 ? parts.fraction << shift : parts.fraction >> -shift;
    if (dropped > 0) {
        const uint64_t unit = POWERS_64[dropped];
        whole = whole / unit + (whole % unit >= unit >> 1);
    }
    return {whole, dropped};
}

// number * 5**fives * 2**twos
template <typename Number>
Number scaled(uint64_t number, int fives, int twos) {
    constexpr uint64_t FIVE_27 = 7450580596923828125;
    Number result{number};
    for (; fives >= 27; fives -= 27) result *= FIVE_27;
    uint64_t factor = 1;
    for (; fives > 0; --fives) factor *= 5;
    result *= factor;
    return result <<= twos;
}

// The number as b / s, half its last place as m / s, each with its powers of five and two.
struct Fractions {
    uint64_t fraction;
    int five_b, two_b, five_s, two_s, two_m;
};

// Digits of b / s and how b's rest is to be rounded.
struct Development {
    uint64_t digits = 0;
    int count = 0;
    bool low = false, high = false;  // the rest is below m, or within m of the next digit
    int rest = 0;                    // the sign of the rest less one half
};

// Develops digits until the rest is low or high; returns the exponent of the last.
template <typename Step>
int develop(Development& found, int place, Step step) {
    found.digits = step();
    found.count = 1;
    if (found.digits == 0 && !found.high) {
        place -= 1;
        found.count = 0;
    }
    // The form with an exponent wants a second digit.
    if (place < -3 || place >= 8) found.low = found.high = false;
    for (; !(found.low || found.high); ++found.count) found.digits = found.digits * 10 + step();
    return place + 1 - found.count;
}

Decimal rounded(const Development& found, int exponent) {
    const bool up =
        found.high && (!found.low || found.rest > 0 || (found.rest == 0 && found.digits & 1));
    return {found.digits + up, exponent};
}

// Java's arithmetic of 32 or 64 bits, which runs over in places.
template <typename Signed>
Decimal develop_small(const Fractions& given, int place) {
    using Unsigned = std::make_unsigned_t<Signed>;
    auto b = static_cast<Unsigned>(scaled<uint64_t>(given.fraction, given.five_b, given.two_b));
    auto m = static_cast<Unsigned>(scaled<uint64_t>(1, given.five_b, given.two_m));
    const auto s = static_cast<Unsigned>(scaled<uint64_t>(1, given.five_s, given.two_s));
    const Unsigned tens = s * 10;
    Development found;
    bool is_first = true;
    const auto step = [&] {
        const Unsigned digit = b / s;
        b = b % s * 10;
        m *= 10;
        found.low = static_cast<Signed>(b) < static_cast<Signed>(m);
        found.high = static_cast<Signed>(b + m) > static_cast<Signed>(tens);
        if (!is_first && static_cast<Signed>(m) <= 0) found.low = found.high = true;
        is_first = false;
        return static_cast<uint64_t>(digit);
    };
    const int exponent = develop(found, place, step);
    const auto rest = static_cast<Signed>(b * 2 - tens);
    found.rest = (rest > 0) - (rest < 0);
    return rounded(found, exponent);
}

template <typename Number>
Decimal develop_large(const Fractions& given, int place) {
    Number b = scaled<Number>(given.fraction, given.five_b, given.two_b);
    Number m = scaled<Number>(1, given.five_b, given.two_m);
    const Number s = scaled<Number>(1, given.five_s, given.two_s);
    Number tens = s;
    tens *= 10;
    Development found;
    const auto step = [&] {
        const int digit = take_digit(b, s);
        b *= 10;
        m *= 10;
        found.low = b < m;
        found.high = !(b + m < tens);
        return static_cast<uint64_t>(digit);
    };
    const int exponent = develop(found, place, step);
    const Number twice = b + b;
    found.rest = (tens < twice) - (twice < tens);
    return rounded(found, exponent);
}

Decimal long_division(const Parts& parts, int width, int tiny) {
    const int place = estimate(parts.exponent, parts.fraction);
    Fractions all{parts.fraction >> (FRACTION + 1 - width),
                  place < 0 ? -place : 0,
                  0,
                  place > 0 ? place : 0,
                  0,
                  0};
    all.two_b = all.five_b + tiny + parts.exponent;
    all.two_s = all.five_s + tiny;
    all.two_m = all.two_b - parts.bits;
    all.two_b -= width - 1;
    const int common = all.two_b < all.two_s ? all.two_b : all.two_s;
    all.two_b -= common;
    all.two_s -= common;
    all.two_m -= common + (width == 1);  // below a power of two the next double is nearer
    if (all.two_m < 0) {
        all.two_b -= all.two_m;
        all.two_s -= all.two_m;
        all.two_m = 0;
    }
    const int b_bits = bits_needed(width + all.two_b, all.five_b);
    const int tens_bits = bits_needed(all.two_s + 1, all.five_s + 1);
    if (b_bits < 32 && tens_bits < 32) return develop_small<int32_t>(all, place);
    if (b_bits < 64 && tens_bits < 64) return develop_small<int64_t>(all, place);
    // b stays below 10 * s, and m below 100 * s.
    const bool fits = tens_bits + 8 < 128;
    return fits ? develop_large<uint128>(all, place) : develop_large<Natural>(all, place);
}

}  // namespace

Decimal decimal_format_digits(double value) {
    const Parts parts = parts_of(value);
    const int width = FRACTION + 1 - __builtin_ctzll(parts.fraction);
    const int tiny = width - parts.exponent - 1 > 0 ? width - parts.exponent - 1 : 0;
    Decimal found = tiny == 0 && parts.exponent >= -21 && parts.exponent < 63
                        ? whole_digits(parts)
                        : long_division(parts, width, tiny);
    for (; found.digits % 10 == 0; found.digits /= 10) ++found.exponent;
    return found;
}

}  // namespace tabkit
