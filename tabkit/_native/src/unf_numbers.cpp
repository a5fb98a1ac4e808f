// Numbers in the normal form of UNF 6: ``-1.234567e-8`` and a newline and a NUL.
#include <cstring>
#include <initializer_list>

#include "columns.hpp"
#include "powers.hpp"
#include "shortest.hpp"
#include "unf.hpp"

namespace tabkit::unf {
namespace {

constexpr uint64_t FRACTION_MASK = (uint64_t{1} << 52) - 1;

constexpr int MAX_EXPONENT = 324;

// Texts as little-endian words, of which the topmost byte is their size: three digits (the size is
// that without trailing zeros), and an exponent with its terminator, "e-12\n\0".
struct Spelling {
    uint32_t triples[1000];
    uint64_t tails[2 * MAX_EXPONENT + 1];
};

constexpr uint32_t make_triple(uint32_t i) {
    const uint32_t size = i % 10 ? 3 : i % 100 ? 2 : i ? 1 : 0;
    return size << 24 | ('0' + i % 10) << 16 | ('0' + i / 10 % 10) << 8 | ('0' + i / 100);
}

constexpr uint64_t make_tail(int exponent) {
    const int amount = exponent < 0 ? -exponent : exponent;
    const uint64_t sign = exponent < 0 ? '-' : '+';
    uint64_t text = 'e' | sign << 8, size = 2;
    for (int unit = 100; unit > 0; unit /= 10) {
        if (amount >= unit) text |= static_cast<uint64_t>('0' + amount / unit % 10) << 8 * size++;
    }
    text |= uint64_t{'\n'} << 8 * size++;
    return text | (size + 1) << 56;  // the NUL counts
}

constexpr Spelling make_spelling() {
    Spelling spelling{};
    for (int i = 0; i < 1000; ++i) spelling.triples[i] = make_triple(i);
    for (int i = -MAX_EXPONENT; i <= MAX_EXPONENT; ++i) {
        spelling.tails[i + MAX_EXPONENT] = make_tail(i);
    }
    return spelling;
}

constexpr Spelling SPELLING = make_spelling();

inline char* write_tail(int exponent, char* out) {
    const uint64_t tail = SPELLING.tails[exponent + MAX_EXPONENT];
    store(out, tail);
    return out + (tail >> 56);
}

// The default: one digit, a point, two triples of which trailing zeros are left out.
inline char* write_seven(bool negative, uint32_t number, int exponent, char* out) {
    const uint32_t first = number / 1000000, rest = number % 1000000, last = rest % 1000;
    const uint32_t high = SPELLING.triples[rest / 1000], low = SPELLING.triples[last];
    store(out, uint32_t{'.'} << 16 | (first + '0') << 8 | (negative ? '-' : '+'));
    store(out + 3, high);
    store(out + 6, low);
    // No branch, as the digits of data are hard to foresee.
    const size_t size = 6 + (low >> 24) - (last == 0) * (3 - (high >> 24));
    return write_tail(exponent, out + size);
}

// Any number of digits; ``number`` has at most 17 and its first stands for 10**exponent.
char* write_any(bool negative, uint64_t number, int exponent, char* out) {
    char text[20];
    int size = count_digits(number);
    for (int i = size; i-- > 0; number /= 10) text[i] = static_cast<char>('0' + number % 10);
    while (size > 1 && text[size - 1] == '0') --size;
    out[0] = negative ? '-' : '+';
    out[1] = text[0];
    out[2] = '.';
    std::memcpy(out + 3, text + 1, size - 1);
    return write_tail(exponent, out + 2 + size);
}

char* write_special(double value, char* out) {
    const char* text = value != value ? "+nan\n" : value > 0 ? "+inf\n" : "-inf\n";
    std::memcpy(out, text, 6);
    return out + 6;
}

char* write_zero(bool negative, char* out) {
    std::memcpy(out, negative ? "-0.e+\n" : "+0.e+\n", 7);
    return out + 7;
}

// The three roundings one by one.
char* write_exactly(double value, int digits, char* out) {
    Decimal decimal = java_shortest(value);
    int places = count_digits(decimal.digits);
    for (const int limit : {MAX_DIGITS, digits}) {
        if (places > limit) {
            decimal.digits = divide_half_even(decimal.digits, places - limit);
            decimal.exponent += places - limit;
            places = count_digits(decimal.digits);
        }
    }
    return write_any(value < 0, decimal.digits, decimal.exponent + places - 1, out);
}

// The number of ``digits`` places nearest to a value, and the place of its first digit.
struct Rounded {
    uint64_t number;
    int exponent;
    bool is_sure;
};

// Rounds once, where that is sure to give what the three roundings give.
//
// The shortest decimal lies within half a last place of the double, 2**-53 of it, and rounding to
// 16 digits moves it by at most 5 * 10**-16 of it: together less than 2**-50. So where the scaled
// value is farther than that from the middle between two integers, both ways round alike. The
// product is too small by at most three units in the last of its 62 to 64 bits: far less than that.
inline Rounded round_once(uint64_t bits, int digits) {
    const int binary = static_cast<int>(bits >> 52 & 0x7FF) - 1023;
    const uint64_t fraction = (bits & FRACTION_MASK) << 11 | uint64_t{1} << 63;
    int exponent = log10_of_binary(binary);
    // A value this close to a power of ten that it is misjudged rounds to that power either way.
    exponent +=
        (log2_of_power(exponent + 1) == binary) & (fraction >= power_of_ten(exponent + 1).high);
    const int scale = digits - 1 - exponent;
    const uint64_t product = multiply_high(fraction, power_of_ten(scale).high);
    const int fraction_bits = 62 - binary - log2_of_power(scale);
    const uint64_t below = product << (64 - fraction_bits);
    const uint64_t unsure = POWERS_64[digits] << 14, half = uint64_t{1} << 63;
    uint64_t number = (product >> fraction_bits) + (below >> 63);
    const bool carried = number == POWERS_64[digits];
    if (carried) number = POWERS_64[digits - 1];
    return {number, exponent + carried, below - (half - unsure) > 2 * unsure};
}

// Beyond this many digits there is hardly a value that is sure.
constexpr int MAX_SURE_DIGITS = 14;

inline char* write_rare(double value, uint64_t bits, int digits, char* out) {
    const int exponent = static_cast<int>(bits >> 52 & 0x7FF);
    if (exponent == 0x7FF) return write_special(value, out);
    if (bits << 1 == 0) return write_zero(bits >> 63, out);
    return write_exactly(value, digits, out);
}

inline bool is_normal(uint64_t bits) { return ((bits >> 52 & 0x7FF) - 1) < 0x7FE; }

}  // namespace

char* write_missing(char* out) {
    std::memset(out, 0, MISSING_SIZE);
    return out + MISSING_SIZE;
}

char* write_number(double value, int digits, char* out) {
    const uint64_t bits = load<uint64_t>(&value);
    if (is_normal(bits) && digits <= MAX_SURE_DIGITS) {
        const Rounded rounded = round_once(bits, digits);
        if (rounded.is_sure) return write_any(bits >> 63, rounded.number, rounded.exponent, out);
    }
    return write_rare(value, bits, digits, out);
}

namespace {

// How doubles of one binary exponent are scaled to seven digits and POINT binary places, by one
// product: from ``limit`` on, which stands for a power of ten, by the second factor, as the
// decimal exponent is one more there.
struct Step {
    uint64_t limit, factors[2];
    int64_t exponent;
};

constexpr int POINT = 39;  // the largest product then is just below 2**63

struct StepTable {
    Step steps[2048];
};

constexpr uint64_t NO_LIMIT = ~uint64_t{0};

// What has no seven digits (infinity, NaN, a subnormal) gets a factor that makes too large a number
// of any fraction, without an overflow.
constexpr uint64_t TOO_LARGE = uint64_t{3} << 62;

uint64_t scaling_factor(int binary, int exponent) {
    const int scale = DEFAULT_DIGITS - 1 - exponent;
    return power_of_ten(scale).high >> (62 - POINT - binary - log2_of_power(scale));
}

StepTable make_steps() {
    StepTable table{};
    for (int i = 1; i < 2047; ++i) {
        const int binary = i - 1023, exponent = log10_of_binary(binary);
        Step& step = table.steps[i];
        step = {NO_LIMIT, {scaling_factor(binary, exponent), TOO_LARGE}, exponent};
        // A value this close to a power of ten that it is misjudged rounds to that power either way.
        if (log2_of_power(exponent + 1) == binary) {
            step.limit = power_of_ten(exponent + 1).high;
            step.factors[1] = scaling_factor(binary, exponent + 1);
        }
    }
    table.steps[0] = {(uint64_t{1} << 63) + 1, {0, TOO_LARGE}, 0};  // a zero; the rest is subnormal
    table.steps[2047] = {NO_LIMIT, {TOO_LARGE, TOO_LARGE}, 0};
    return table;
}

const StepTable STEP_TABLE = make_steps();

// A double as seven digits, or found to need another way.
struct Seven {
    uint32_t number;
    int16_t exponent;
    bool is_negative, is_rare;
};

// round_once() for seven digits; the factor's cut bits make the product too small by two units at
// most, far less than what is taken for unsure.
inline Seven seven_digits(uint64_t bits) {
    const Step& step = STEP_TABLE.steps[bits >> 52 & 0x7FF];
    const uint64_t fraction = bits << 11 | uint64_t{1} << 63;
    const bool is_above = fraction >= step.limit;
    const uint64_t product = multiply_high(fraction, step.factors[is_above]);
    constexpr uint64_t HALF = uint64_t{1} << (POINT - 1);
    constexpr uint64_t LIMIT = POWERS_64[DEFAULT_DIGITS], UNSURE = (LIMIT >> (50 - POINT)) + 1;
    const uint64_t number = (product + HALF) >> POINT, below = product & (2 * HALF - 1);
    const bool is_rare = (below - (HALF - UNSURE) <= 2 * UNSURE) | (number >= LIMIT);
    return {static_cast<uint32_t>(number), static_cast<int16_t>(step.exponent + is_above),
            static_cast<bool>(bits >> 63), is_rare};
}

// Values are scaled and spelled in turns of so many: a loop that does both runs at half the speed.
constexpr size_t TURN = 64;

template <bool IS_WHOLE, typename Get>
char* write_default(Get get, const Validity& validity, size_t count, char* out) {
    Seven turn[TURN];
    for (size_t start = 0; start < count; start += TURN) {
        const size_t size = count - start < TURN ? count - start : TURN;
        for (size_t i = 0; i < size; ++i) {
            const double value = get(start + i);
            turn[i] = seven_digits(load<uint64_t>(&value));
        }
        for (size_t i = 0; i < size; ++i) {
            const Seven& seven = turn[i];
            if (!IS_WHOLE && !validity[start + i]) {
                out = write_missing(out);
            } else if (__builtin_expect(seven.is_rare, 0)) {
                const double value = get(start + i);
                out = write_rare(value, load<uint64_t>(&value), DEFAULT_DIGITS, out);
            } else {
                out = write_seven(seven.is_negative, seven.number, seven.exponent, out);
            }
        }
    }
    return out;
}

template <typename Get>
char* write_all(Get get, const Validity& validity, size_t count, int digits, char* out) {
    if (digits == DEFAULT_DIGITS) {
        return validity.bits == nullptr ? write_default<true>(get, validity, count, out)
                                        : write_default<false>(get, validity, count, out);
    }
    for (size_t i = 0; i < count; ++i) {
        out = validity[i] ? write_number(get(i), digits, out) : write_missing(out);
    }
    return out;
}

// Few different values: each is spelled once.
template <typename T>
char* write_looked_up(const Values<T>& values, const Validity& validity, size_t count, int digits,
                      char* out) {
    struct Entry {
        char text[31];
        uint8_t size;
    };
    Entry entries[256];
    for (int i = 0; i < 256; ++i) {
        char text[number_room(MAX_DIGITS) + SPARE_ROOM];
        const char* end = write_number(static_cast<T>(i), digits, text);
        std::memcpy(entries[i].text, text, sizeof entries[i].text);
        entries[i].size = static_cast<uint8_t>(end - text);
    }
    for (size_t i = 0; i < count; ++i) {
        if (validity[i]) {
            const Entry& entry = entries[static_cast<uint8_t>(values[i])];
            std::memcpy(out, entry.text, 16);
            out += entry.size;
        } else {
            out = write_missing(out);
        }
    }
    return out;
}

constexpr size_t WORTH_A_TABLE = 512;

}  // namespace

template <typename T>
char* write_numbers(const Values<T>& values, const Validity& validity, size_t count, int digits,
                    char* out) {
    if constexpr (sizeof(T) == 1) {
        if (count >= WORTH_A_TABLE) return write_looked_up(values, validity, count, digits, out);
    }
    const auto get = [values](size_t i) { return static_cast<double>(values[i]); };
    return write_all(get, validity, count, digits, out);
}

char* write_booleans(const Validity& values, const Validity& validity, size_t count, int digits,
                     char* out) {
    const auto get = [&](size_t i) { return values[i] ? 1.0 : 0.0; };
    return write_all(get, validity, count, digits, out);
}

#define TABKIT_WRITE_NUMBERS(T) \
    template char* write_numbers(const Values<T>&, const Validity&, size_t, int, char*);
TABKIT_WRITE_NUMBERS(double)
TABKIT_WRITE_NUMBERS(float)
TABKIT_WRITE_NUMBERS(int8_t)
TABKIT_WRITE_NUMBERS(int16_t)
TABKIT_WRITE_NUMBERS(int32_t)
TABKIT_WRITE_NUMBERS(int64_t)
TABKIT_WRITE_NUMBERS(uint8_t)
TABKIT_WRITE_NUMBERS(uint16_t)
TABKIT_WRITE_NUMBERS(uint32_t)
TABKIT_WRITE_NUMBERS(uint64_t)

}  // namespace tabkit::unf
