// Vectors as R writes them with XDR: numbers with their highest byte first.
// Source: R Internals, 1.8 "Serialization Formats"; R's arithmetic.c for the bits of NA.
#pragma once

#include <cstddef>
#include <cstdint>

#include "calendar.hpp"
#include "columns.hpp"
#include "sink.hpp"

namespace tabkit::xdr {

// Doubles: what is missing is R's NA, a NaN that carries the number 1954; other NaNs do not.
template <typename T>
char* write_doubles(Values<T> values, Validity validity, size_t count, char* out);

// Dates, times and date-times as doubles: days, or seconds.
template <typename T>
char* write_moments(Values<T> values, Validity validity, size_t count,
                    const Moment& moment, char* out);

// Integers of 32 bits: what is missing is the least of them. Returns null if a number that is there
// is that one, too.
template <typename T>
char* write_integers(Values<T> values, Validity validity, size_t count, char* out);

char* write_logicals(Validity values, Validity validity, size_t count, char* out);

// Bytes that stand before a text.
constexpr size_t TEXT_HEAD = 8;

// Texts, each with its flags and length. R's texts end at their first NUL: so do these. Returns how
// many were cut.
template <typename Offset>
size_t write_texts(const Texts<Offset>& texts, const Validity& validity, size_t count, char*& out);

}  // namespace tabkit::xdr
