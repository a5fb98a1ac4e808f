// Natural numbers of up to 1280 bits: enough for any double over any power of ten.
#pragma once

#include <cstdint>

#include "powers.hpp"

namespace tabkit {

class Natural {
 public:
    explicit Natural(uint64_t value) : limbs_{value} {}

    Natural& operator*=(uint64_t factor) {
        uint64_t carry = 0;
        for (int i = 0; i < size_; ++i) {
            const uint128 product = static_cast<uint128>(limbs_[i]) * factor + carry;
            limbs_[i] = static_cast<uint64_t>(product);
            carry = static_cast<uint64_t>(product >> 64);
        }
        if (carry != 0) limbs_[size_++] = carry;
        return *this;
    }

    Natural& operator<<=(int bits) {
        for (; bits >= 32; bits -= 32) *this *= uint64_t{1} << 32;
        return *this *= uint64_t{1} << bits;
    }

    Natural& operator-=(const Natural& other) {
        uint64_t borrow = 0;
        for (int i = 0; i < size_; ++i) {
            const uint128 taken =
                static_cast<uint128>(i < other.size_ ? other.limbs_[i] : 0) + borrow;
            borrow = limbs_[i] < taken;
            limbs_[i] -= static_cast<uint64_t>(taken);
        }
        while (size_ > 1 && limbs_[size_ - 1] == 0) --size_;
        return *this;
    }

    friend Natural operator+(Natural sum, const Natural& other) {
        while (sum.size_ < other.size_) sum.limbs_[sum.size_++] = 0;
        uint64_t carry = 0;
        for (int i = 0; i < sum.size_; ++i) {
            const uint128 part = static_cast<uint128>(sum.limbs_[i]) +
                                 (i < other.size_ ? other.limbs_[i] : 0) + carry;
            sum.limbs_[i] = static_cast<uint64_t>(part);
            carry = static_cast<uint64_t>(part >> 64);
        }
        if (carry != 0) sum.limbs_[sum.size_++] = carry;
        return sum;
    }

    friend bool operator<(const Natural& a, const Natural& b) {
        if (a.size_ != b.size_) return a.size_ < b.size_;
        for (int i = a.size_ - 1; i >= 0; --i) {
            if (a.limbs_[i] != b.limbs_[i]) return a.limbs_[i] < b.limbs_[i];
        }
        return false;
    }

 private:
    static constexpr int LIMBS = 20;
    uint64_t limbs_[LIMBS];  // least significant first; the last of size_ is not zero, if size_ > 1
    int size_ = 1;
};

// number mod divisor stays in ``number``; the quotient is at most ten.
template <typename Number>
int take_digit(Number& number, const Number& divisor) {
    int digit = 0;
    for (; !(number < divisor); ++digit) number -= divisor;
    return digit;
}

inline int take_digit(uint128& number, const uint128& divisor) {
    // The top bits of both give a digit that is right or one too small.
    const auto top = static_cast<uint64_t>(divisor >> 64);
    const int shift = top == 0 ? 28 : 92 - __builtin_clzll(top);
    const auto guess =
        static_cast<uint64_t>(number >> shift) / (static_cast<uint64_t>(divisor >> shift) + 1);
    int digit = static_cast<int>(guess);
    number -= divisor * guess;
    for (; !(number < divisor); ++digit) number -= divisor;
    return digit;
}

}  // namespace tabkit
