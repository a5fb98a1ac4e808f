#include "decimal_text.hpp"

#include <cmath>
#include <cstring>

#include "columns.hpp"

namespace tabkit {
namespace {

// Whole numbers below these print as integers (in Java with ".0" added).
template <NumberText SHAPE>
constexpr double WHOLE_END = SHAPE == NumberText::SHORTEST ? 1e16
                             : SHAPE == NumberText::JAVA   ? 1e7
                                                           : 9007199254740992.0;

char* write_text(const char* text, char* out) {
    const size_t size = std::strlen(text);
    std::memcpy(out, text, size);
    return out + size;
}

template <NumberText SHAPE>
char* write_special(double value, char* out) {
    if (value != value) return write_text("NaN", out);
    if (value < 0) *out++ = '-';
    return write_text(SHAPE == NumberText::SHORTEST ? "Inf"
                      : SHAPE == NumberText::JAVA   ? "Infinity"
                                                    : "\u221E",
                      out);
}

// ``size`` digits, the first of which stands for 10**point, as Java writes "1.0E20".
char* write_java_exponent(uint64_t digits, int size, int point, char* out) {
    write_digits(digits, size, out + 1);
    out[0] = out[1];
    out[1] = '.';
    if (size == 1) out[2] = '0';
    out += size == 1 ? 3 : size + 1;
    *out++ = 'E';
    return write_integer(static_cast<int64_t>(point), out);
}

// The same as C and Python write it: "1e+20".
char* write_exponent(uint64_t digits, int size, int point, char* out) {
    write_digits(digits, size, out + 1);
    out[0] = out[1];
    out[1] = '.';
    out += size == 1 ? 1 : size + 1;
    *out++ = 'e';
    *out++ = point < 0 ? '-' : '+';
    const int power = point < 0 ? -point : point, places = power >= 100 ? 3 : 2;
    write_digits(power, places, out);
    return out + places;
}

constexpr int DIGITS_ROOM = 24;

template <NumberText SHAPE>
char* write_plain(uint64_t digits, int size, int point, char* out) {
    const int whole = point + 1;
    if (whole <= 0) {
        std::memset(out, '0', 2 - whole);
        out[1] = '.';
        write_digits(digits, size, out + 2 - whole);
        return out + 2 - whole + size;
    }
    if (size > whole) {
        char text[2 * DIGITS_ROOM];  // the rest of it is copied, but does not count
        write_digits(digits, size, text);
        std::memcpy(out, text, DIGITS_ROOM);
        out[whole] = '.';
        std::memcpy(out + whole + 1, text + whole, DIGITS_ROOM);
        return out + size + 1;
    }
    write_digits(digits, size, out);
    std::memset(out + size, '0', whole - size);
    return SHAPE == NumberText::JAVA ? write_text(".0", out + whole) : out + whole;
}

template <NumberText SHAPE>
char* write_decimal(const Decimal& number, char* out) {
    const int size = count_digits(number.digits), point = number.exponent + size - 1;
    if (SHAPE == NumberText::SHORTEST && (point < -5 || point >= 16)) {
        return write_exponent(number.digits, size, point, out);
    }
    if (SHAPE == NumberText::JAVA && (point < -3 || point >= 7)) {
        return write_java_exponent(number.digits, size, point, out);
    }
    return write_plain<SHAPE>(number.digits, size, point, out);
}

// Most numbers have few decimals. A decimal of at most 15 digits that reads back as the value is
// the only one of its length that does, so that without its zeros it is the shortest.
bool has_few_decimals(double size, Decimal& found) {
    constexpr double UNIT = 1e4, END = 1e11, LAST_BIT = 1.0 / (uint64_t{1} << 52);
    if (size >= END) return false;
    const double scaled = size * UNIT;
    const auto number = static_cast<int64_t>(scaled + 0.5);
    const auto whole = static_cast<double>(number);
    if (std::fabs(scaled - whole) > scaled * LAST_BIT || whole / UNIT != size) return false;
    found = {static_cast<uint64_t>(number), -4};
    for (; found.digits % 10 == 0; found.digits /= 10) ++found.exponent;
    return true;
}

// Whether Java's DecimalFormat takes this shortest decimal too: it does so for fractions, if they
// have no more digits than every double keeps. Subnormals and powers of two are left out.
bool is_decimal_shortest(double size, const Decimal& found) {
    constexpr double LEAST_NORMAL = 2.2250738585072014e-308, FRACTIONS_END = 9007199254740992.0;
    constexpr int SURE_DIGITS = 15;
    const bool is_power = load<uint64_t>(&size) << 12 == 0;
    return size >= LEAST_NORMAL && size < FRACTIONS_END && !is_power &&
           count_digits(found.digits) <= SURE_DIGITS;
}

template <NumberText SHAPE>
Decimal digits_of(double size) {
    Decimal found;
    if (has_few_decimals(size, found)) return found;
    if (SHAPE == NumberText::JAVA) return java_shortest(size);
    found = shortest(size);
    if (SHAPE == NumberText::SHORTEST || is_decimal_shortest(size, found)) return found;
    return decimal_format_digits(size);
}

template <NumberText SHAPE>
Decimal digits_of(float size) {
    // Of other sizes DecimalFormat is given a double, as it knows no singles.
    if (SHAPE == NumberText::DECIMAL && (static_cast<double>(size) < 1e-5 || size >= 1e9f)) {
        return digits_of<SHAPE>(static_cast<double>(size));
    }
    return SHAPE == NumberText::JAVA ? java_shortest(size) : shortest(size);
}

template <NumberText SHAPE, typename Float>
char* write_any(Float value, char* out) {
    if (std::fabs(value) < WHOLE_END<SHAPE>) {
        const auto whole = static_cast<int64_t>(value);
        if (static_cast<Float>(whole) == value) {
            if (whole == 0 && std::signbit(value)) *out++ = '-';
            out = write_integer(whole, out);
            return SHAPE == NumberText::JAVA ? write_text(".0", out) : out;
        }
    } else if (!std::isfinite(value)) {
        return write_special<SHAPE>(value, out);
    }
    if (std::signbit(value)) *out++ = '-';
    return write_decimal<SHAPE>(digits_of<SHAPE>(std::fabs(value)), out);
}

}  // namespace

char* write_integer(uint64_t value, char* out) {
    const int size = count_digits(value);
    write_digits(value, size, out);
    return out + size;
}

char* write_integer(int64_t value, char* out) {
    if (value < 0) *out++ = '-';
    return write_integer(
        value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value), out);
}

template <NumberText SHAPE>
char* write_float(double value, char* out) {
    return write_any<SHAPE>(value, out);
}

template <NumberText SHAPE>
char* write_float(float value, char* out) {
    return write_any<SHAPE>(value, out);
}

#define TABKIT_WRITE_FLOAT(SHAPE)                                 \
    template char* write_float<NumberText::SHAPE>(double, char*); \
    template char* write_float<NumberText::SHAPE>(float, char*);
TABKIT_WRITE_FLOAT(SHORTEST)
TABKIT_WRITE_FLOAT(JAVA)
TABKIT_WRITE_FLOAT(DECIMAL)

}  // namespace tabkit
