// What numbers of a column are like, and narrow copies of them.
// Plain twins: tabkit.describe.store and tabkit.describe.stats.
#pragma once

#include <cstddef>
#include <cstdint>

#include "columns.hpp"

namespace tabkit::moments {

// Of the numbers that are there and not NaN.
template <typename T>
struct Moments {
    size_t count = 0;
    size_t nans = 0;
    size_t negative_zeros = 0;
    bool has_fraction = false;  // a finite number that is not whole
    T low{}, high{};            // if count > 0
};

template <typename T>
Moments<T> survey(const Values<T>& values, const Validity& validity, size_t count);

// Copies the numbers that are there and not NaN as ``To``; returns the end, or null if one is not
// exactly a ``To``. A negative zero counts as a zero.
template <typename To, typename T>
char* narrow(const Values<T>& values, const Validity& validity, size_t count, char* out);

// Counts how often low, low + 1, ... occur; ``bins`` has ``span`` counts. Returns how many numbers
// lie outside and are not counted.
template <typename T>
size_t count_values(const Values<T>& values, const Validity& validity, size_t count, int64_t low,
                    size_t span, int64_t* bins);

}  // namespace tabkit::moments
