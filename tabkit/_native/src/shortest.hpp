// The shortest decimal that reads back as a given floating point number.
#pragma once

#include <cstdint>

namespace tabkit {

// digits * 10**exponent, without trailing zeros; digits has at most 17 places.
struct Decimal {
    uint64_t digits;
    int exponent;
};

// Of a finite number that is not zero; the sign is not looked at.
//
// Among the shortest the closest is taken, as by Python's repr and Java's Double.toString
// since JDK 19. They differ where one digit would do, which is so for some subnormals only:
// Java then takes the closest number of two digits (4.9E-324, not 5e-324).
Decimal shortest(double value);
Decimal shortest(float value);
Decimal java_shortest(double value);
Decimal java_shortest(float value);

// Decimal places of a number: 1 for 0 to 9.
inline int count_digits(uint64_t number);

// number / 10**places, to the nearest, ties to even; places is 1 to 19.
uint64_t divide_half_even(uint64_t number, int places);

constexpr uint64_t POWERS_64[] = {
    1ull,
    10ull,
    100ull,
    1000ull,
    10000ull,
    100000ull,
    1000000ull,
    10000000ull,
    100000000ull,
    1000000000ull,
    10000000000ull,
    100000000000ull,
    1000000000000ull,
    10000000000000ull,
    100000000000000ull,
    1000000000000000ull,
    10000000000000000ull,
    100000000000000000ull,
    1000000000000000000ull,
    10000000000000000000ull,
};

inline int count_digits(uint64_t number) {
    const int bits = 64 - __builtin_clzll(number | 1);
    const int guess = bits * 1233 >> 12;
    return guess + (number >= POWERS_64[guess] || guess == 0);
}

}  // namespace tabkit
