// Powers of ten as 128-bit fractions, exact to the last bit (cut, not rounded).
#pragma once

#include <cstdint>

namespace tabkit {

using uint128 = unsigned __int128;

// 10**n lies in [value, value + 1) * 2**(log2_of_power(n) - 127), where value = high:low has its
// top bit set.
struct Power {
    uint64_t high, low;
};

constexpr int MIN_POWER = -343, MAX_POWER = 343;

struct PowerTable {
    Power powers[MAX_POWER - MIN_POWER + 1];
};
extern const PowerTable POWER_TABLE;  // made by the compiler

inline const Power& power_of_ten(int n) { return POWER_TABLE.powers[n - MIN_POWER]; }

// floor(log2(10**n)), floor(log10(2**n)) and floor(log10(3/4 * 2**n)): exact for all exponents
// of doubles.
constexpr int log2_of_power(int n) { return (n * 1741647) >> 19; }
constexpr int log10_of_binary(int n) { return (n * 1262611) >> 22; }
constexpr int log10_of_three_quarters(int n) { return (n * 1262611 - 524031) >> 22; }

inline uint64_t multiply_high(uint64_t a, uint64_t b) {
    return static_cast<uint64_t>(static_cast<uint128>(a) * b >> 64);
}

}  // namespace tabkit
