#include "outline.hpp"

#include <algorithm>
#include <type_traits>

namespace tabkit::outline {
namespace {

// Calls ``found`` with the place of each of the wanted numbers that is there.
template <typename Key, typename Found>
void find_each(const std::vector<Key>& values, const Doubles& wanted, Found found) {
    for (size_t i = 0; i < wanted.count; ++i) {
        const double value = wanted[i];
        const auto place = std::lower_bound(
            values.begin(), values.end(), value,
            [](Key key, double sought) { return static_cast<double>(key) < sought; });
        if (place != values.end() && static_cast<double>(*place) == value)
            found(i, static_cast<size_t>(place - values.begin()));
    }
}

template <typename Key>
std::vector<bool> missing_of(const std::vector<Key>& values, const Meaning& meaning) {
    std::vector<bool> missing(values.size());
    find_each(values, meaning.missing, [&](size_t, size_t place) { missing[place] = true; });
    for (size_t i = 0; i + 1 < meaning.spans.count; i += 2) {
        const double low = meaning.spans[i], high = meaning.spans[i + 1];
        for (size_t place = 0; place < values.size(); ++place) {
            const auto value = static_cast<double>(values[place]);
            if (low <= value && value <= high) missing[place] = true;
        }
    }
    return missing;
}

template <typename Key>
std::optional<summary::Summary> summary_of(const tally::Tally<Key>& valid) {
    summary::Counts counts;
    counts.values = Values<int64_t>{reinterpret_cast<const char*>(valid.counts.data())};
    const auto* values = reinterpret_cast<const char*>(valid.values.data());
    if constexpr (std::is_same_v<Key, double>)
        return summary::of_doubles(Values<double>{values}, counts, valid.values.size());
    else
        return summary::of_integers(Values<int64_t>{values}, counts, valid.values.size());
}

}  // namespace

template <typename Key>
Outline<Key> outlined(tally::Tally<Key> counted, const Meaning& meaning) {
    Outline<Key> made;
    const size_t count = counted.values.size();
    std::vector<bool> has_code(count);
    made.frequencies.resize(meaning.codes.count);
    find_each(counted.values, meaning.codes, [&](size_t code, size_t place) {
        made.frequencies[code] = counted.counts[place];
        has_code[place] = true;
    });
    const std::vector<bool> missing = missing_of(counted.values, meaning);
    size_t kept = 0;
    for (size_t place = 0; place < count; ++place) {
        const int64_t cases = counted.counts[place];
        if (missing[place]) made.user_missing += cases;
        if (missing[place] && meaning.missing_is_invalid) continue;
        if (meaning.codes.count > 0 && !has_code[place]) {
            made.others.push_back(kept);
            made.other_cases += cases;
        }
        counted.values[kept] = counted.values[place];
        counted.counts[kept] = cases;
        ++kept;
    }
    counted.values.resize(kept);
    counted.counts.resize(kept);
    made.summary = summary_of(counted);
    made.valid = std::move(counted);
    return made;
}

template Outline<int64_t> outlined(tally::Tally<int64_t>, const Meaning&);
template Outline<double> outlined(tally::Tally<double>, const Meaning&);

}  // namespace tabkit::outline
