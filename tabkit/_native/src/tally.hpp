// Distinct numbers of a short column and their counts.
// Plain twin: tabkit.describe.stats.tally.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "columns.hpp"

namespace tabkit::tally {

template <typename Key>
struct Tally {
    std::vector<Key> values;  // ascending, none NaN or -0.0
    std::vector<int64_t> counts;
};

// Counts the numbers that are there and not NaN, each of which must be a ``Key`` exactly.
template <typename Key, typename T>
Tally<Key> counted(const Values<T>& values, const Validity& validity, size_t count);

}  // namespace tabkit::tally
