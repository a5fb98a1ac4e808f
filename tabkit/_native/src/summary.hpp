// Statistics of distinct numbers in ascending order and their counts, to the bit as NumPy has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "columns.hpp"

namespace tabkit::summary {

struct Summary {
    double mean, median, stdev;
    size_t mode;  // where the mode stands
    int64_t cases;
};

// How often each value occurs; all once where there are no counts.
struct Counts {
    std::optional<Values<int64_t>> values;
    int64_t operator[](size_t place) const { return values ? (*values)[place] : 1; }
};

// Nothing where the plain twin must do it: without cases, at numbers that are not finite or whose
// squares may leave the range of doubles, at integers or sums that are not exact as doubles.
std::optional<Summary> of_doubles(const Values<double>& values, const Counts& counts, size_t count);
std::optional<Summary> of_integers(const Values<int64_t>& values, const Counts& counts,
                                   size_t count);

}  // namespace tabkit::summary
