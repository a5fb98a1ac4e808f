#include "summary.hpp"

#include <algorithm>
#include <cmath>

namespace tabkit::summary {
namespace {

constexpr size_t CHUNK = size_t{1} << 20;  // of values added up at once, as in the plain twin
constexpr int EXTREME = 400;               // binary exponent from where on the twin scales
constexpr double EXACT = 9007199254740992.0;  // 2**53
constexpr int64_t EXACT_INTEGER = int64_t{1} << 53;

// The sum in NumPy's order: in pairs of halves, the last 128 or fewer in eight lanes.
// Source: NumPy, loops_utils.h.src, DOUBLE_pairwise_sum.
template <typename Term>
double pairwise(const Term& term, size_t start, size_t count) {
    if (count < 8) {
        double total = -0.0;
        for (size_t i = 0; i < count; ++i) total += term(start + i);
        return total;
    }
    if (count <= 128) {
        double lanes[8];
        for (size_t lane = 0; lane < 8; ++lane) lanes[lane] = term(start + lane);
        size_t i = 8;
        for (; i < count - count % 8; i += 8) {
            for (size_t lane = 0; lane < 8; ++lane) lanes[lane] += term(start + i + lane);
        }
        double total = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
                       ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
        for (; i < count; ++i) total += term(start + i);
        return total;
    }
    size_t half = count / 2;
    half -= half % 8;
    return pairwise(term, start, half) + pairwise(term, start + half, count - half);
}

template <typename Term>
double in_chunks(const Term& term, size_t count) {
    double total = 0;
    for (size_t start = 0; start < count; start += CHUNK) {
        total += 0.0 + pairwise(term, start, std::min(CHUNK, count - start));
    }
    return total;
}

// The deviation, given the sums of deviations from about the mean and of their squares.
double deviation(double left, double squares, int64_t cases) {
    if (cases == 1) return 0.0;
    const double variance =
        (squares - left * left / static_cast<double>(cases)) / static_cast<double>(cases - 1);
    return std::sqrt(variance > 0 ? variance : 0.0);
}

int64_t cases_of(const Counts& counts, size_t count) {
    if (!counts.values) return static_cast<int64_t>(count);
    int64_t cases = 0;
    for (size_t i = 0; i < count; ++i) cases += counts[i];
    return cases;
}

size_t mode_of(const Counts& counts, size_t count) {
    if (!counts.values) return 0;
    size_t found = 0;
    for (size_t i = 1; i < count; ++i) found = counts[i] > counts[found] ? i : found;
    return found;
}

// Where the case of that number stands, from 0.
size_t place_of(const Counts& counts, int64_t number, size_t count) {
    if (!counts.values) return std::min(static_cast<size_t>(number), count - 1);
    size_t place = 0;
    for (int64_t seen = counts[0]; seen <= number && place + 1 < count; seen += counts[place]) ++place;
    return place;
}

}  // namespace

std::optional<Summary> of_doubles(const Values<double>& values, const Counts& counts,
                                  size_t count) {
    if (count == 0) return {};
    const double largest = std::max(std::fabs(values[0]), std::fabs(values[count - 1]));
    int exponent = 0;
    if (!std::isfinite(largest)) return {};
    std::frexp(largest, &exponent);
    if (std::abs(exponent) > EXTREME) return {};
    const int64_t cases = cases_of(counts, count);
    if (cases <= 0) return {};
    const auto sum = [&](double centre, bool squared) {
        return in_chunks(
            [&](size_t i) {
                const double distance = values[i] - centre;
                const double term = distance * static_cast<double>(counts[i]);
                return squared ? term * distance : term;
            },
            count);
    };
    const double n = static_cast<double>(cases);
    Summary found{};
    found.mean = sum(0.0, false) / n;
    found.mean += sum(found.mean, false) / n;
    found.stdev = deviation(sum(found.mean, false), sum(found.mean, true), cases);
    const double lower = values[place_of(counts, (cases - 1) / 2, count)];
    const double upper = cases % 2 ? lower : values[place_of(counts, (cases + 1) / 2, count)];
    found.median = cases % 2 ? lower : lower + 0.5 * (upper - lower);
    found.mode = mode_of(counts, count);
    found.cases = cases;
    return found;
}

std::optional<Summary> of_integers(const Values<int64_t>& values, const Counts& counts,
                                   size_t count) {
    if (count == 0 || values[0] <= -EXACT_INTEGER || values[count - 1] >= EXACT_INTEGER) return {};
    const int64_t cases = cases_of(counts, count);
    if (cases <= 0 || cases >= EXACT_INTEGER) return {};
    double rough = 0;
    for (size_t i = 0; i < count; ++i) {
        rough += std::fabs(static_cast<double>(values[i])) * static_cast<double>(counts[i]);
    }
    if (rough >= EXACT / 4) return {};  // then every sum below is exact
    int64_t total = 0;
    for (size_t i = 0; i < count; ++i) total += values[i] * counts[i];
    // The integer next to the mean, halves up.
    const int64_t twice = 2 * total + cases;
    const int64_t centre = twice / (2 * cases) - (twice % (2 * cases) < 0);
    const double squares = 0.0 + pairwise(
                                     [&](size_t i) {
                                         const auto distance =
                                             static_cast<double>(values[i] - centre);
                                         return distance * distance * static_cast<double>(counts[i]);
                                     },
                                     0, count);
    Summary found{};
    found.mean = static_cast<double>(total) / static_cast<double>(cases);
    found.stdev = deviation(static_cast<double>(total - centre * cases), squares, cases);
    const int64_t lower = values[place_of(counts, (cases - 1) / 2, count)];
    const int64_t upper = cases % 2 ? lower : values[place_of(counts, (cases + 1) / 2, count)];
    found.median = cases % 2 ? static_cast<double>(lower) : static_cast<double>(lower + upper) / 2;
    found.mode = mode_of(counts, count);
    found.cases = cases;
    return found;
}

}  // namespace tabkit::summary
