// Normal form of values for a Universal Numeric Fingerprint, version 6.
//
// Each function writes normalised values with their terminators and returns the end of them.
// Source: IQSS/UNF 6.0 on Java 21; tabkit.describe.unf is the plain twin of these functions.
#pragma once

#include "calendar.hpp"
#include "columns.hpp"

namespace tabkit::unf {

constexpr int MIN_DIGITS = 1, MAX_DIGITS = 16, DEFAULT_DIGITS = 7;

// Bytes to have for a number: a sign, digits and point, an exponent and its terminator.
constexpr size_t number_room(int digits) { return digits + 9; }

// Bytes to have behind the last value, as values are written by whole words.
constexpr size_t SPARE_ROOM = 40;

constexpr size_t MISSING_SIZE = 3;
char* write_missing(char* out);

// A double rounded to the shortest decimal, then to 16 digits, then to ``digits``, ties to even.
char* write_number(double value, int digits, char* out);

// Numbers of one of Arrow's types, all cast to double first; seven digits go fastest.
template <typename T>
char* write_numbers(const Values<T>& values, const Validity& validity, size_t count, int digits,
                    char* out);

// Bits as the numbers 1 and 0.
char* write_booleans(const Validity& values, const Validity& validity, size_t count, int digits,
                     char* out);

// Text of UTF-8, cut to ``characters`` UTF-16 units; takes size + 2 bytes at most.
template <typename Offset>
char* write_texts(const Texts<Offset>& texts, const Validity& validity, size_t count,
                  size_t characters, char* out);

// Dates, times and date-times; each takes MOMENT_ROOM bytes at most.
template <typename T>
char* write_moments(const Values<T>& values, const Validity& validity, size_t count,
                    const Moment& moment, char* out);

}  // namespace tabkit::unf
