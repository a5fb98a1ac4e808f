// Texts of R's serialization as they lie in memory: a head of flags and length, then the bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "columns.hpp"

namespace tabkit::rtexts {

// What a text is beyond ASCII and UTF-8.
enum Mark : uint8_t { PLAIN = 0, LATIN1 = 1, BYTES = 2, NATIVE = 3, WRONG_UTF8 = 4 };

struct Text {
    uint32_t flags;
    const char* begin;
    size_t size;
    bool is_missing;
};

// Walks from text to text and throws std::invalid_argument where there is none.
class Walk {
 public:
    Walk(const char* data, size_t size, size_t at, bool is_big_endian);
    Text next();
    size_t at() const { return at_; }

 private:
    uint32_t word() const;
    const char* data_;
    size_t size_, at_;
    bool is_big_endian_;
};

Mark mark_of(const Text& text, bool native_is_utf8);

}  // namespace tabkit::rtexts
