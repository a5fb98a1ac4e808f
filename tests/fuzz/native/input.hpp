// What a fuzz target takes from its input, piece by piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace fuzz {

class Input {
 public:
    Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}

    // A number below ``end``; 0 when nothing is left.
    size_t number(size_t end) {
        uint32_t value = 0;
        const size_t taken = size_ < sizeof value ? size_ : sizeof value;
        std::memcpy(&value, data_, taken);
        skip(taken);
        return end == 0 ? 0 : value % end;
    }

    // Memory of exactly ``size`` bytes, so that the sanitizer sees a read beyond it.
    std::vector<char> bytes(size_t size) {
        const size_t taken = size_ < size ? size_ : size;
        std::vector<char> all(size);
        if (taken != 0) std::memcpy(all.data(), data_, taken);
        skip(taken);
        return all;
    }

    std::vector<char> rest() { return bytes(size_); }

 private:
    void skip(size_t count) {
        data_ += count;
        size_ -= count;
    }

    const uint8_t* data_;
    size_t size_;
};

inline void require(bool condition) {
    if (!condition) std::abort();
}

}  // namespace fuzz
