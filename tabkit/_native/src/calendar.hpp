// Text of dates and times in the proleptic Gregorian calendar.
#pragma once

#include <cstdint>

namespace tabkit {

// What counts of a column mean.
struct Moment {
    enum class Kind { DATE, TIMESTAMP, DURATION };
    Kind kind;   // days since 1970-01-01, date-time, time or duration
    int places;  // decimal places of a second that are counted: 0, 3, 6 or 9
    bool utc;    // a date-time has a "Z" behind
};

// Bytes that a moment of 64 bits may take, with a separator or terminator.
constexpr int MOMENT_ROOM = 48;

// Writes ``YYYY-MM-DD``, ``[-]HH:MM:SS[.f]`` or both with ``separator`` between. Years before 1
// have a sign, those beyond 9999 all their digits, hours may pass 24, and a fraction has no zeros
// at its end. Plain twin: tabkit.describe.moments.moment_text.
char* write_moment(const Moment& moment, int64_t count, char separator, char* out);

}  // namespace tabkit
