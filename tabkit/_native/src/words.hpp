// deflate for columns of few distinct numbers, as answers to questions are: matches are looked for
// among whole numbers only, which is faster than byte by byte and finds longer ones.
// Source: RFC 1951.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tabkit::words {

// Bytes that compressing ``count`` numbers takes at most.
size_t room(size_t count);

// Compresses ``count`` numbers of ``width`` bytes (4 or 8) as one block that is not the last, and a
// sync flush. Returns the end; null where there are more than MOST different numbers.
constexpr size_t MOST = 255;
char* deflate(const char* data, size_t count, size_t width, char* out);

}  // namespace tabkit::words
