#include "xdr.hpp"

#include <cstring>
#include <stdexcept>

#include "shortest.hpp"
#include "utf8.hpp"

namespace tabkit::xdr {
namespace {

constexpr uint64_t NA_REAL = 0x7FF00000000007A2, NOT_A_NUMBER = 0x7FF8000000000000;
constexpr uint32_t NA_INTEGER = 0x80000000;
// The type of a text (CHARSXP), and above it the code that it is in.
constexpr uint32_t NA_TEXT = 0x00000009, ASCII_TEXT = 0x00040009, UTF8_TEXT = 0x00008009;

template <typename Word>
inline char* write(Word word, char* out) {
    store(out, swap_bytes(word));
    return out + sizeof(Word);
}

inline char* write_double(double value, bool is_there, char* out) {
    const auto bits = value == value ? load<uint64_t>(&value) : NOT_A_NUMBER;
    return write(is_there ? bits : NA_REAL, out);
}

}  // namespace

template <typename T>
char* write_doubles(Values<T> values, Validity validity, size_t count, char* out) {
    for (size_t i = 0; i < count; ++i) {
        out = write_double(static_cast<double>(values[i]), validity[i], out);
    }
    return out;
}

template <typename T>
char* write_moments(Values<T> values, Validity validity, size_t count,
                    const Moment& moment, char* out) {
    const auto ticks = static_cast<double>(POWERS_64[moment.places]);
    for (size_t i = 0; i < count; ++i) {
        out = write_double(static_cast<double>(values[i]) / ticks, validity[i], out);
    }
    return out;
}

template <typename T>
char* write_integers(Values<T> values, Validity validity, size_t count, char* out) {
    bool collides = false;
    for (size_t i = 0; i < count; ++i) {
        const auto bits = static_cast<uint32_t>(static_cast<int32_t>(values[i]));
        collides |= validity[i] && bits == NA_INTEGER;
        out = write(validity[i] ? bits : NA_INTEGER, out);
    }
    return collides ? nullptr : out;
}

char* write_logicals(Validity values, Validity validity, size_t count, char* out) {
    for (size_t i = 0; i < count; ++i) {
        out = write(validity[i] ? uint32_t{values[i]} : NA_INTEGER, out);
    }
    return out;
}

template <typename Offset>
size_t write_texts(const Texts<Offset>& texts, const Validity& validity, size_t count, char*& out) {
    size_t cut = 0;
    for (size_t i = 0; i < count; ++i) {
        if (!validity[i]) {
            out = write(~uint32_t{0}, write(NA_TEXT, out));  // a length of -1
            continue;
        }
        const char* text = texts.begin(i);
        size_t size = texts.size(i);
        if (const void* end = std::memchr(text, 0, size)) {
            size = static_cast<const char*>(end) - text;
            ++cut;
        }
        if (size > INT32_MAX)
            throw std::invalid_argument("a text is longer than R's 2**31 - 1 bytes");
        out = write(is_ascii(text, size) ? ASCII_TEXT : UTF8_TEXT, out);
        out = write(static_cast<uint32_t>(size), out);
        std::memcpy(out, text, size);
        out += size;
    }
    return cut;
}

template size_t write_texts(const Texts<int32_t>&, const Validity&, size_t, char*&);
template size_t write_texts(const Texts<int64_t>&, const Validity&, size_t, char*&);
template char* write_moments(Values<int32_t>, Validity, size_t, const Moment&, char*);
template char* write_moments(Values<int64_t>, Validity, size_t, const Moment&, char*);

#define TABKIT_DOUBLES(T) \
    template char* write_doubles(Values<T>, Validity, size_t, char*);
#define TABKIT_INTEGERS(T) \
    TABKIT_DOUBLES(T)      \
    template char* write_integers(Values<T>, Validity, size_t, char*);
TABKIT_DOUBLES(double)
TABKIT_DOUBLES(float)
TABKIT_INTEGERS(int8_t)
TABKIT_INTEGERS(int16_t)
TABKIT_INTEGERS(int32_t)
TABKIT_INTEGERS(uint8_t)
TABKIT_INTEGERS(uint16_t)
TABKIT_DOUBLES(uint32_t)
TABKIT_DOUBLES(int64_t)
TABKIT_DOUBLES(uint64_t)

}  // namespace tabkit::xdr
