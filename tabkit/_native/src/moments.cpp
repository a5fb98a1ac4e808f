#include "moments.hpp"

#include <cmath>
#include <limits>
#include <type_traits>

namespace tabkit::moments {
namespace {

// Sums and extremes are kept in lanes, so that no addition waits for the one before.
constexpr size_t LANES = 4;

template <typename T>
struct Lane {
    T low = std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
                                                 : std::numeric_limits<T>::max();
    T high = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                  : std::numeric_limits<T>::lowest();
    double total = 0;
    size_t count = 0, negative_zeros = 0;
    bool has_fraction = false;

    void add_float(T value) {
        // NaN compares false and is passed over.
        const bool is_number = value == value;
        low = value < low ? value : low;
        high = value > high ? value : high;
        total += is_number ? static_cast<double>(value) : 0.0;
        count += is_number;
        negative_zeros += value == 0 && std::signbit(value);
        // From 2**52 on there are no fractions; below, adding that rounds to a whole number.
        constexpr double END = 4503599627370496.0;
        const double size = std::fabs(static_cast<double>(value));
        has_fraction |= size < END && (size + END) - END != size;
    }

    void add_integer(T value) {
        low = value < low ? value : low;
        high = value > high ? value : high;
        total += static_cast<double>(value);
        ++count;
    }
};

// Whether a number lies within the range of ``To``.
template <typename To, typename T>
bool fits(T value) {
    if constexpr (std::is_same_v<To, T>) {
        return true;
    } else if constexpr (std::is_floating_point_v<T>) {
        constexpr T END = static_cast<T>(uint64_t{1} << (8 * sizeof(To) - 1));
        return value >= -END && value < END;
    } else {
        constexpr To LOW = std::numeric_limits<To>::min(), HIGH = std::numeric_limits<To>::max();
        const bool is_above =
            value > 0 && static_cast<uint64_t>(value) > static_cast<uint64_t>(HIGH);
        return !is_above && (value > 0 || static_cast<int64_t>(value) >= LOW);
    }
}

}  // namespace

template <typename T>
Moments<T> survey(const Values<T>& values, const Validity& validity, size_t count) {
    Lane<T> lanes[LANES];
    size_t present = 0;
    for (size_t i = 0; i < count; ++i) {
        if (!validity[i]) continue;
        ++present;
        if constexpr (std::is_floating_point_v<T>)
            lanes[i % LANES].add_float(values[i]);
        else
            lanes[i % LANES].add_integer(values[i]);
    }
    Moments<T> all;
    Lane<T> sum;
    for (const Lane<T>& lane : lanes) {
        sum.low = lane.low < sum.low ? lane.low : sum.low;
        sum.high = lane.high > sum.high ? lane.high : sum.high;
        all.total += lane.total;
        all.count += lane.count;
        all.negative_zeros += lane.negative_zeros;
        all.has_fraction |= lane.has_fraction;
    }
    all.nans = present - all.count;
    all.low = sum.low;
    all.high = sum.high;
    return all;
}

template <typename To, typename T>
char* narrow(const Values<T>& values, const Validity& validity, size_t count, char* out) {
    bool all_fit = true;
    for (size_t i = 0; i < count; ++i) {
        const T value = values[i];
        // Written always, kept if it counts: no branch on the data.
        const bool is_present = validity[i] && value == value;
        const bool is_inside = fits<To>(value);
        const To narrowed = static_cast<To>(is_inside ? value : T{});
        all_fit &= !is_present || (is_inside && static_cast<T>(narrowed) == value);
        store(out, narrowed);
        out += is_present * sizeof(To);
    }
    return all_fit ? out : nullptr;
}

template <typename T>
size_t count_values(const Values<T>& values, const Validity& validity, size_t count, int64_t low,
                    size_t span, int64_t* bins) {
    size_t outside = 0;
    for (size_t i = 0; i < count; ++i) {
        if (!validity[i]) continue;
        const uint64_t place = static_cast<uint64_t>(values[i]) - static_cast<uint64_t>(low);
        if (place < span)
            ++bins[place];
        else
            ++outside;
    }
    return outside;
}

#define TABKIT_NARROW(T, To) \
    template char* narrow<To>(const Values<T>&, const Validity&, size_t, char*);
#define TABKIT_SURVEY(T)                                                   \
    template Moments<T> survey(const Values<T>&, const Validity&, size_t); \
    TABKIT_NARROW(T, int8_t)                                               \
    TABKIT_NARROW(T, int16_t) TABKIT_NARROW(T, int32_t) TABKIT_NARROW(T, int64_t)
#define TABKIT_COUNT(T)                                                                      \
    TABKIT_SURVEY(T)                                                                         \
    template size_t count_values(const Values<T>&, const Validity&, size_t, int64_t, size_t, \
                                 int64_t*);
TABKIT_SURVEY(double)
TABKIT_NARROW(double, double)
TABKIT_SURVEY(float)
TABKIT_NARROW(float, float)
TABKIT_COUNT(int8_t)
TABKIT_COUNT(int16_t)
TABKIT_COUNT(int32_t)
TABKIT_COUNT(int64_t)
TABKIT_COUNT(uint8_t)
TABKIT_COUNT(uint16_t)
TABKIT_COUNT(uint32_t)
TABKIT_COUNT(uint64_t)
TABKIT_NARROW(uint64_t, uint64_t)

}  // namespace tabkit::moments
