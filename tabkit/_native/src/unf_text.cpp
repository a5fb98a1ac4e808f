// Text, dates and times in the normal form of UNF 6.
#include <cstring>

#include "calendar.hpp"
#include "unf.hpp"

namespace tabkit::unf {
namespace {

constexpr uint8_t LAST_BLANK = 0x20;  // Java's String.trim takes all characters up to this one

inline bool is_blank(const char* text, size_t size) {
    for (size_t i = 0; i < size; ++i) {
        if (static_cast<uint8_t>(text[i]) > LAST_BLANK) return false;
    }
    return true;
}

inline char* copy(const char* text, size_t size, char* out) {
    if (size < 8) {
        for (size_t i = 0; i < size; ++i) out[i] = text[i];
    } else {
        size_t i = 0;
        for (; i + 8 <= size; i += 8) store(out + i, load<uint64_t>(text + i));
        store(out + size - 8, load<uint64_t>(text + size - 8));
    }
    return out + size;
}

// Copies the first ``characters`` UTF-16 units; half of a pair becomes "?".
char* copy_units(const char* text, size_t size, size_t characters, char* out) {
    size_t units = 0, end = 0;
    for (; end < size; ++end) {
        const auto byte = static_cast<uint8_t>(text[end]);
        if ((byte & 0xC0) == 0x80) continue;  // not the first byte of a character
        if (units == characters) break;
        units += byte >= 0xF0 ? 2 : 1;
        if (units > characters) {
            out = copy(text, end, out);
            *out++ = '?';
            return out;
        }
    }
    return copy(text, end, out);
}

inline char* write_text(const char* text, size_t size, size_t characters, char* out) {
    if (size != 0 && static_cast<uint8_t>(text[0]) <= LAST_BLANK && is_blank(text, size)) {
        size = size <= characters ? 0 : characters - 1;
    }
    // No text has more UTF-16 units than bytes.
    out = size <= characters ? copy(text, size, out) : copy_units(text, size, characters, out);
    std::memcpy(out, "\n", 2);
    return out + 2;
}

}  // namespace

template <typename Offset>
char* write_texts(const Texts<Offset>& texts, const Validity& validity, size_t count,
                  size_t characters, char* out) {
    for (size_t i = 0; i < count; ++i) {
        out = validity[i] ? write_text(texts.begin(i), texts.size(i), characters, out)
                          : write_missing(out);
    }
    return out;
}

template char* write_texts(const Texts<int32_t>&, const Validity&, size_t, size_t, char*);
template char* write_texts(const Texts<int64_t>&, const Validity&, size_t, size_t, char*);

template <typename T>
char* write_moments(const Values<T>& values, const Validity& validity, size_t count,
                    const Moment& moment, char* out) {
    for (size_t i = 0; i < count; ++i) {
        if (!validity[i]) {
            out = write_missing(out);
            continue;
        }
        out = write_moment(moment, values[i], 'T', out);
        std::memcpy(out, "\n", 2);
        out += 2;
    }
    return out;
}

template char* write_moments(const Values<int32_t>&, const Validity&, size_t, const Moment&, char*);
template char* write_moments(const Values<int64_t>&, const Validity&, size_t, const Moment&, char*);

}  // namespace tabkit::unf
