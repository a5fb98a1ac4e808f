#include "calendar.hpp"

#include "decimal_text.hpp"

namespace tabkit {
namespace {

constexpr int64_t DAY = 86400;

struct Quotient {
    int64_t whole, rest;
};

// Division towards minus infinity.
constexpr Quotient floor_divide(int64_t number, int64_t by) {
    const int64_t whole = number / by, rest = number % by;
    return rest < 0 ? Quotient{whole - 1, rest + by} : Quotient{whole, rest};
}

// The fraction of a second without trailing zeros, if there is one, and its point.
template <int PLACES>
inline char* write_fraction(uint64_t fraction, char* out) {
    if (fraction == 0) return out;
    out[0] = '.';
    write_digits(fraction, PLACES, out + 1);
    out += 1 + PLACES;
    while (out[-1] == '0') --out;
    return out;
}

template <int PLACES>
inline char* write_time(uint64_t count, char* out) {
    constexpr uint64_t TICKS = POWERS_64[PLACES];
    const uint64_t seconds = count / TICKS, hours = seconds / 3600;
    if (hours < 100) {
        write_pair(hours, out);
        out += 2;
    } else {
        const int places = count_digits(hours);
        write_digits(hours, places, out);
        out += places;
    }
    const auto in_hour = static_cast<uint32_t>(seconds - hours * 3600);
    out[0] = ':';
    write_pair(in_hour / 60, out + 1);
    out[3] = ':';
    write_pair(in_hour % 60, out + 4);
    return write_fraction<PLACES>(count - seconds * TICKS, out + 6);
}

struct Date {
    int64_t year;
    uint32_t month, day;
};

// Years begin in March here, so that the leap day is the last of its year.
inline Date date_of(int64_t days) {
    constexpr int64_t MARCH_0000 = 719468, CYCLE = 146097;  // days of 400 years
    const auto [cycle, rest] = floor_divide(days + MARCH_0000, CYCLE);
    const auto in_cycle = static_cast<uint32_t>(rest);
    const uint32_t in_years = in_cycle - in_cycle / 1460 + in_cycle / 36524 - in_cycle / 146096;
    const uint32_t years = in_years / 365;
    const uint32_t day = in_cycle - (365 * years + years / 4 - years / 100);
    const uint32_t month = (5 * day + 2) / 153;
    return {400 * cycle + years + (month >= 10), month < 10 ? month + 3 : month - 9,
            day - (153 * month + 2) / 5 + 1};
}

inline char* write_date(int64_t days, char* out) {
    const Date date = date_of(days);
    if (date.year >= 0 && date.year < 10000) {
        const auto year = static_cast<uint32_t>(date.year);
        write_pair(year / 100, out);
        write_pair(year % 100, out + 2);
        out += 4;
    } else {
        if (date.year < 0) *out++ = '-';
        const uint64_t size = date.year < 0 ? -date.year : date.year;
        const int places = size < 10000 ? 4 : count_digits(size);
        write_digits(size, places, out);
        out += places;
    }
    out[0] = '-';
    write_pair(date.month, out + 1);
    out[3] = '-';
    write_pair(date.day, out + 4);
    return out + 6;
}

template <int PLACES>
inline char* write_timestamp(int64_t count, char separator, char* out) {
    constexpr auto TICKS = static_cast<int64_t>(POWERS_64[PLACES]);
    const auto [days, time] = floor_divide(count, DAY * TICKS);
    out = write_date(days, out);
    *out++ = separator;
    return write_time<PLACES>(static_cast<uint64_t>(time), out);
}

template <int PLACES>
inline char* write_duration(int64_t count, char* out) {
    if (count < 0) *out++ = '-';
    return write_time<PLACES>(count < 0 ? 0 - static_cast<uint64_t>(count) : count, out);
}

}  // namespace

char* write_moment(const Moment& moment, int64_t count, char separator, char* out) {
    switch (moment.kind) {
        case Moment::Kind::DATE: return write_date(count, out);
        case Moment::Kind::DURATION:
            switch (moment.places) {
                case 0: return write_duration<0>(count, out);
                case 3: return write_duration<3>(count, out);
                case 6: return write_duration<6>(count, out);
                default: return write_duration<9>(count, out);
            }
        case Moment::Kind::TIMESTAMP: break;
    }
    switch (moment.places) {
        case 0: out = write_timestamp<0>(count, separator, out); break;
        case 3: out = write_timestamp<3>(count, separator, out); break;
        case 6: out = write_timestamp<6>(count, separator, out); break;
        default: out = write_timestamp<9>(count, separator, out);
    }
    if (moment.utc) *out++ = 'Z';
    return out;
}

}  // namespace tabkit
