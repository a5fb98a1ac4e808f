// All that is told of a short column of numbers besides its fingerprint.
// Plain twins: tabkit.describe.number_column, .frequencies and .stats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "columns.hpp"
#include "summary.hpp"
#include "tally.hpp"

namespace tabkit::outline {

struct Doubles {
    Values<double> values;
    size_t count;
    double operator[](size_t i) const { return values[i]; }
};

// What numbers of a variable mean: codes that have a label, missing values, and spans of missing
// values, the least and the greatest of each. A NaN equals nothing.
struct Meaning {
    Doubles codes, missing, spans;
    bool missing_is_invalid;
};

template <typename Key>
struct Outline {
    tally::Tally<Key> valid;           // without missing values where these are invalid
    std::vector<int64_t> frequencies;  // of each code
    std::vector<size_t> others;        // where the valid numbers without a code stand; no codes, none
    int64_t other_cases = 0, user_missing = 0;
    std::optional<summary::Summary> summary;  // as summary.hpp has it
};

// Each number must be a double exactly.
template <typename Key>
Outline<Key> outlined(tally::Tally<Key> counted, const Meaning& meaning);

}  // namespace tabkit::outline
