#include "tally.hpp"

#include <algorithm>
#include <type_traits>

namespace tabkit::tally {
namespace {

constexpr uint64_t BINS_AT_LEAST = 256;  // integers of so small a span are counted unsorted
constexpr uint64_t BINS_A_VALUE = 4;     // or of a span that is small for their number

template <typename Key>
Tally<Key> by_bins(const std::vector<Key>& numbers, Key low, uint64_t span) {
    std::vector<int64_t> bins(span);
    for (const Key number : numbers) ++bins[static_cast<uint64_t>(number) - static_cast<uint64_t>(low)];
    Tally<Key> found;
    for (uint64_t bin = 0; bin < span; ++bin) {
        if (bins[bin] == 0) continue;
        found.values.push_back(static_cast<Key>(static_cast<uint64_t>(low) + bin));
        found.counts.push_back(bins[bin]);
    }
    return found;
}

template <typename Key>
Tally<Key> by_sorting(std::vector<Key>& numbers) {
    std::sort(numbers.begin(), numbers.end());
    Tally<Key> found;
    for (size_t i = 0; i < numbers.size(); ++i) {
        if (i > 0 && numbers[i] == numbers[i - 1]) {
            ++found.counts.back();
        } else {
            found.values.push_back(numbers[i]);
            found.counts.push_back(1);
        }
    }
    return found;
}

}  // namespace

template <typename Key, typename T>
Tally<Key> counted(const Values<T>& values, const Validity& validity, size_t count) {
    std::vector<Key> numbers;
    numbers.reserve(count);
    for (size_t i = 0; i < count; ++i) {
        const T value = values[i];
        if (!validity[i] || value != value) continue;
        if constexpr (std::is_floating_point_v<Key>)
            numbers.push_back(static_cast<Key>(value) + Key{0});  // -0.0 becomes 0.0
        else
            numbers.push_back(static_cast<Key>(value));
    }
    if constexpr (std::is_integral_v<Key>) {
        if (numbers.empty()) return {};
        const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
        const uint64_t width = static_cast<uint64_t>(*high) - static_cast<uint64_t>(*low);
        if (width < std::max(BINS_AT_LEAST, BINS_A_VALUE * numbers.size()))
            return by_bins(numbers, *low, width + 1);
    }
    return by_sorting(numbers);
}

#define TABKIT_FOR(T)                                                                              \
    template Tally<int64_t> counted(const Values<T>&, const Validity&, size_t);                    \
    template Tally<double> counted(const Values<T>&, const Validity&, size_t);
TABKIT_FOR(double)
TABKIT_FOR(float)
TABKIT_FOR(int8_t)
TABKIT_FOR(int16_t)
TABKIT_FOR(int32_t)
TABKIT_FOR(int64_t)
TABKIT_FOR(uint8_t)
TABKIT_FOR(uint16_t)
TABKIT_FOR(uint32_t)
TABKIT_FOR(uint64_t)
#undef TABKIT_FOR

}  // namespace tabkit::tally
