// Raffaello Giulietti's algorithm, as published in "The Schubfach way to render doubles" (2020)
// and used by OpenJDK since version 19.
#include "shortest.hpp"

#include <cstring>

#include "powers.hpp"

namespace tabkit {
namespace {

constexpr int LAST_EXACT_POWER = 55;  // 5**55 is the last to fit in 128 bits

template <typename Float>
struct Format;

template <>
struct Format<double> {
    using Bits = uint64_t;
    static constexpr int FRACTION = 52, MIN_EXPONENT = -1074;
    static constexpr uint64_t TINY = 3;  // below, one digit would do in Java
};

template <>
struct Format<float> {
    using Bits = uint32_t;
    static constexpr int FRACTION = 23, MIN_EXPONENT = -149;
    static constexpr uint64_t TINY = 8;
};

// The product of two numbers cut to its high half; a bit below stands for all that was cut.
inline uint64_t round_to_odd(uint64_t high, uint64_t low, uint64_t factor) {
    const uint64_t below = multiply_high(low, factor);
    const uint128 sum = static_cast<uint128>(high) * factor + below;
    return static_cast<uint64_t>(sum >> 64) | (static_cast<uint64_t>(sum) > 1);
}

inline Decimal strip_zeros(uint64_t digits, int exponent) {
    if (digits % 10 != 0) return {digits, exponent};
    constexpr int STEPS[] = {8, 4, 2, 1, 1};
    for (const int places : STEPS) {
        if (digits % POWERS_64[places] == 0) {
            digits /= POWERS_64[places];
            exponent += places;
        }
    }
    return {digits, exponent};
}

// The digits of fraction * 2**binary. A number is not made shorter below shorten_from.
Decimal develop(uint64_t fraction, int binary, bool is_power, uint64_t shorten_from) {
    const bool is_odd = fraction & 1;
    const uint64_t middle = fraction << 2;
    const uint64_t right = middle + 2, left = middle - (is_power ? 1 : 2);
    const int exponent = is_power ? log10_of_three_quarters(binary) : log10_of_binary(binary);
    const Power& power = power_of_ten(-exponent);
    const int shift = binary + log2_of_power(-exponent) + 1;
    const bool is_exact = 0 <= -exponent && -exponent <= LAST_EXACT_POWER;
    const uint64_t low = power.low + !is_exact, high = power.high + (low == 0 && !is_exact);
    const uint64_t value = round_to_odd(high, low, middle << shift);
    const uint64_t lower = round_to_odd(high, low, left << shift) + is_odd;
    const uint64_t upper = round_to_odd(high, low, right << shift) - is_odd;
    const uint64_t digits = value >> 2;
    if (digits >= shorten_from) {
        const uint64_t tens = digits / 10 * 10, next_tens = tens + 10;
        const bool down = lower <= tens << 2, up = next_tens << 2 <= upper;
        if (down != up) return strip_zeros(down ? tens : next_tens, exponent);
    }
    const uint64_t next = digits + 1;
    const bool down = lower <= digits << 2, up = next << 2 <= upper;
    if (down != up) return strip_zeros(down ? digits : next, exponent);
    const uint64_t half = (digits << 2) + 2;
    return strip_zeros(value > half || (value == half && digits & 1) ? next : digits, exponent);
}

template <typename Float>
Decimal shortest_of(Float value, bool as_java) {
    using Bits = typename Format<Float>::Bits;
    constexpr int FRACTION = Format<Float>::FRACTION, LOWEST = Format<Float>::MIN_EXPONENT;
    Bits bits;
    std::memcpy(&bits, &value, sizeof bits);
    const uint64_t fraction = bits & ((Bits{1} << FRACTION) - 1);
    const int exponent = static_cast<int>(static_cast<Bits>(bits << 1) >> (FRACTION + 1));
    const uint64_t shorten_from = as_java ? 100 : 10;
    if (exponent == 0) {
        if (as_java && fraction < Format<Float>::TINY) {
            const Decimal found = develop(fraction * 10, LOWEST, false, shorten_from);
            return {found.digits, found.exponent - 1};
        }
        return develop(fraction, LOWEST, false, shorten_from);
    }
    const uint64_t whole = fraction | uint64_t{1} << FRACTION;
    return develop(whole, exponent - 1 + LOWEST, fraction == 0 && exponent > 1, shorten_from);
}

}  // namespace

Decimal shortest(double value) { return shortest_of(value, false); }
Decimal shortest(float value) { return shortest_of(value, false); }
Decimal java_shortest(double value) { return shortest_of(value, true); }
Decimal java_shortest(float value) { return shortest_of(value, true); }

uint64_t divide_half_even(uint64_t number, int places) {
    const uint64_t unit = POWERS_64[places], half = unit / 2;
    const uint64_t quotient = number / unit, rest = number % unit;
    return quotient + (rest > half || (rest == half && quotient & 1));
}

}  // namespace tabkit
