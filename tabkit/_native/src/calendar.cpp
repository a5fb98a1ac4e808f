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
    const int64_t whole = number / by - (number % by < 0);
    return {whole, number - whole * by};
}

char* write_time(uint64_t count, uint64_t ticks, char* out) {
    const uint64_t seconds = count / ticks, hours = seconds / 3600;
    uint64_t fraction = count % ticks;
    const int places = hours < 100 ? 2 : count_digits(hours);
    write_digits(hours, places, out);
    out += places;
    out[0] = ':';
    write_pair(seconds / 60 % 60, out + 1);
    out[3] = ':';
    write_pair(seconds % 60, out + 4);
    out += 6;
    if (fraction == 0) return out;
    *out++ = '.';
    for (ticks /= 10; fraction != 0; ticks /= 10) {
        *out++ = static_cast<char>('0' + fraction / ticks);
        fraction %= ticks;
    }
    return out;
}

char* write_date(int64_t days, char* out) {
    // Years begin in March here, so that the leap day is the last of its year.
    const auto [cycle, in_cycle] = floor_divide(days + 719468, 146097);
    const int64_t in_years = in_cycle - in_cycle / 1460 + in_cycle / 36524 - in_cycle / 146096;
    const int64_t years = in_years / 365;
    const int64_t day = in_cycle - (365 * years + years / 4 - years / 100);
    const int64_t month = (5 * day + 2) / 153;
    const int64_t year = 400 * cycle + years + (month >= 10);
    if (year < 0) *out++ = '-';
    const uint64_t size = year < 0 ? -year : year;
    const int places = size < 10000 ? 4 : count_digits(size);
    write_digits(size, places, out);
    out += places;
    out[0] = '-';
    write_pair(month < 10 ? month + 3 : month - 9, out + 1);
    out[3] = '-';
    write_pair(day - (153 * month + 2) / 5 + 1, out + 4);
    return out + 6;
}

}  // namespace

char* write_moment(const Moment& moment, int64_t count, char separator, char* out) {
    if (moment.kind == Moment::Kind::DATE) return write_date(count, out);
    if (moment.kind == Moment::Kind::DURATION) {
        if (count < 0) *out++ = '-';
        const uint64_t size = count < 0 ? 0 - static_cast<uint64_t>(count) : count;
        return write_time(size, moment.ticks, out);
    }
    const auto [days, time] = floor_divide(count, DAY * moment.ticks);
    out = write_date(days, out);
    *out++ = separator;
    out = write_time(time, moment.ticks, out);
    if (moment.utc) *out++ = 'Z';
    return out;
}

}  // namespace tabkit
