// The prefix codes of deflate and how they are written. Source: RFC 1951, section 3.2.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "columns.hpp"

namespace tabkit::deflate {

constexpr size_t LITERALS = 286, DISTANCES = 30, END = 256;
constexpr int LONGEST_CODE = 15;

// Bits, the first one lowest, and how many they are.
struct Bits {
    uint32_t bits = 0;
    uint8_t count = 0;
};

inline Bits joined(Bits a, Bits b) {
    return {a.bits | b.bits << a.count, static_cast<uint8_t>(a.count + b.count)};
}

// The code of a length (3 to 258) or of a distance (1 to 32768), and what follows it.
struct Symbol {
    uint16_t symbol = 0;
    Bits extra;
};

Symbol length_symbol(size_t length);

inline Symbol distance_symbol(size_t distance) {
    const auto rest = static_cast<uint32_t>(distance - 1);
    if (rest < 4) return {static_cast<uint16_t>(rest), {}};
    const int top = 31 - __builtin_clz(rest);
    const auto bits = static_cast<uint8_t>(top - 1);
    const auto symbol = static_cast<uint16_t>(2 * top + ((rest >> bits) & 1));
    return {symbol, {rest & ((1u << bits) - 1), bits}};
}

// A code for symbols that occur so often: lengths by Huffman's method, at most ``longest``.
template <size_t N>
std::array<Bits, N> prefix_code(std::array<uint32_t, N> counts, int longest);

class BitWriter {
 public:
    explicit BitWriter(char* out) : out_(out) {}

    // Up to 7 bytes behind the bits are overwritten.
    void put(uint64_t bits, int count) {
        held_ |= bits << filled_;
        filled_ += count;  // 63 at most
        store(out_, held_);
        out_ += filled_ >> 3;
        held_ >>= filled_ & ~7;
        filled_ &= 7;
    }

    void put(Bits bits) { put(bits.bits, bits.count); }

    // Both at once; a length and a distance with all that follows them have 48 bits at most.
    void put(Bits a, Bits b) { put(a.bits | uint64_t{b.bits} << a.count, a.count + b.count); }

    // An empty stored block: what follows begins at a whole byte.
    char* flush() {
        put(0, 3);
        put(0, -filled_ & 7);
        std::memcpy(out_, "\0\0\xFF\xFF", 4);
        return out_ + 4;
    }

 private:
    char* out_;
    uint64_t held_ = 0;
    int filled_ = 0;
};

// Begins a block that is not the last one, with codes of its own.
void open_block(BitWriter& writer, const std::array<Bits, LITERALS>& literals,
                const std::array<Bits, DISTANCES>& distances);

}  // namespace tabkit::deflate
