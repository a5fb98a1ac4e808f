// Source: R Internals, section 1.8 "Serialization Formats"; R 4.2, src/main/serialize.c, ReadItem.
#include "rtexts.hpp"

#include <stdexcept>

#include "utf8.hpp"

namespace tabkit::rtexts {
namespace {

constexpr uint32_t TYPE = 0xFF, CHARSXP = 9, HAS_ATTRIBUTES = 0x200;
constexpr uint32_t IS_BYTES = 1u << 13, IS_LATIN1 = 1u << 14, IS_UTF8 = 1u << 15;
constexpr size_t HEAD = 8;

}  // namespace

Walk::Walk(const char* data, size_t size, size_t at, bool is_big_endian)
    : data_(data), size_(size), at_(at), is_big_endian_(is_big_endian) {
    if (at > size) throw std::invalid_argument("the texts begin behind the end");
}

uint32_t Walk::word() const {
    const auto found = load<uint32_t>(data_ + at_);
    return is_big_endian_ ? swap_bytes(found) : found;
}

Text Walk::next() {
    if (size_ - at_ < HEAD) throw std::invalid_argument("the texts end early");
    const uint32_t flags = word();
    if ((flags & TYPE) != CHARSXP || (flags & HAS_ATTRIBUTES) != 0) {
        throw std::invalid_argument("there is something else where a text should be");
    }
    at_ += 4;
    const auto length = static_cast<int32_t>(word());
    at_ += 4;
    if (length == -1) return {flags, nullptr, 0, true};
    const auto bytes = static_cast<size_t>(length);
    if (length < 0 || bytes > size_ - at_) throw std::invalid_argument("the texts end early");
    const char* begin = data_ + at_;
    at_ += bytes;
    return {flags, begin, bytes, false};
}

Mark mark_of(const Text& text, bool native_is_utf8) {
    if (is_ascii(text.begin, text.size)) return PLAIN;
    if (text.flags & IS_LATIN1) return LATIN1;
    if (text.flags & IS_BYTES) return BYTES;
    if (text.flags & IS_UTF8) return is_utf8(text.begin, text.size) ? PLAIN : WRONG_UTF8;
    return native_is_utf8 && is_utf8(text.begin, text.size) ? PLAIN : NATIVE;
}

}  // namespace tabkit::rtexts
