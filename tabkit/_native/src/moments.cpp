#include "moments.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace tabkit::moments {
namespace {

// Extremes are kept in lanes, so that no comparison waits for the one before.
constexpr size_t LANES = 4;

template <typename T>
struct Lane {
    T low = std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
                                                 : std::numeric_limits<T>::max();
    T high = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                  : std::numeric_limits<T>::lowest();
    size_t count = 0, negative_zeros = 0;
    bool has_fraction = false;

    void add_float(T value) {
        // NaN compares false and is passed over.
        low = value < low ? value : low;
        high = value > high ? value : high;
        count += value == value;
        negative_zeros += value == 0 && std::signbit(value);
        const double size = std::fabs(static_cast<double>(value));
        has_fraction |= size < WHOLE && (size + WHOLE) - WHOLE != size;
    }

    void add_integer(T value) {
        low = value < low ? value : low;
        high = value > high ? value : high;
        ++count;
    }

    // From 2**52 on there are no fractions; below, adding that rounds to a whole number.
    static constexpr double WHOLE = 4503599627370496.0;
};

// The same for doubles, four at once in the compilers' own vectors.
typedef double Four __attribute__((vector_size(32)));
typedef int64_t FourBits __attribute__((vector_size(32)));

// All ones for the values that are there, by the bits of their validity.
alignas(32) constexpr int64_t PRESENT[16][4] = {
    {0, 0, 0, 0},   {-1, 0, 0, 0},   {0, -1, 0, 0},   {-1, -1, 0, 0},
    {0, 0, -1, 0},  {-1, 0, -1, 0},  {0, -1, -1, 0},  {-1, -1, -1, 0},
    {0, 0, 0, -1},  {-1, 0, 0, -1},  {0, -1, 0, -1},  {-1, -1, 0, -1},
    {0, 0, -1, -1}, {-1, 0, -1, -1}, {0, -1, -1, -1}, {-1, -1, -1, -1},
};

// A version for each kind of processor, the right one chosen when the module is loaded.
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__)
#define TABKIT_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define TABKIT_CLONES
#endif

// Surveys the first values, a multiple of four, and returns how many they are.
TABKIT_CLONES
size_t survey_fours(const Values<double>& values, const Validity& validity, size_t count,
                    Lane<double>* lanes) {
    constexpr int64_t SIGN = std::numeric_limits<int64_t>::min();
    constexpr double WHOLE = Lane<double>::WHOLE, END = std::numeric_limits<double>::infinity();
    const Four whole = {WHOLE, WHOLE, WHOLE, WHOLE};
    Four low = {END, END, END, END}, high = -low;
    FourBits counts = {}, zeros = {}, fractions = {};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        Four value;
        std::memcpy(&value, values.data + i * sizeof(double), sizeof value);
        if (validity.bits != nullptr) {  // what is not there becomes NaN
            const size_t start = validity.offset + i, shift = start & 7;
            unsigned bits = validity.bits[start >> 3] >> shift;
            if (shift > 8 - LANES) bits |= validity.bits[(start >> 3) + 1] << (8 - shift);
            FourBits present;
            std::memcpy(&present, PRESENT[bits & 15], sizeof present);
            value = reinterpret_cast<Four>(reinterpret_cast<FourBits>(value) | ~present);
        }
        low = value < low ? value : low;
        high = value > high ? value : high;
        counts -= value == value;
        const FourBits bits = reinterpret_cast<FourBits>(value);
        zeros -= bits == SIGN;
        const Four size = reinterpret_cast<Four>(bits & ~SIGN);
        fractions |= (size < whole) & ((size + whole) - whole != size);
    }
    for (size_t lane = 0; lane < LANES; ++lane) {
        lanes[lane].low = low[lane];
        lanes[lane].high = high[lane];
        lanes[lane].count = static_cast<size_t>(counts[lane]);
        lanes[lane].negative_zeros = static_cast<size_t>(zeros[lane]);
        lanes[lane].has_fraction = fractions[lane] != 0;
    }
    return i;
}

size_t count_present(const Validity& validity, size_t count) {
    if (validity.bits == nullptr) return count;
    size_t present = 0, i = 0;
    for (; i < count && (validity.offset + i) % 8 != 0; ++i) present += validity[i];
    for (; i + 8 <= count; i += 8)
        present += static_cast<size_t>(__builtin_popcount(validity.bits[(validity.offset + i) >> 3]));
    for (; i < count; ++i) present += validity[i];
    return present;
}

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
    size_t i = 0;
    if constexpr (std::is_same_v<T, double>) i = survey_fours(values, validity, count, lanes);
    for (; i < count; ++i) {
        if (!validity[i]) continue;
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
        all.count += lane.count;
        all.negative_zeros += lane.negative_zeros;
        all.has_fraction |= lane.has_fraction;
    }
    all.nans = count_present(validity, count) - all.count;
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
