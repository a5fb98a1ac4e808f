#include "powers.hpp"

#include <array>

namespace tabkit {
namespace {

// A fixed-size natural number, least significant limb first: enough for 5**343 and for
// 2**1087 / 5**343 with 128 significant bits.
constexpr int LIMBS = 17;
using Natural = std::array<uint64_t, LIMBS>;

constexpr void times_five(Natural& number) {
    uint64_t carry = 0;
    for (uint64_t& limb : number) {
        const uint128 product = static_cast<uint128>(limb) * 5 + carry;
        limb = static_cast<uint64_t>(product);
        carry = static_cast<uint64_t>(product >> 64);
    }
}

// Cut quotients nest: floor(floor(a / 5) / 5) == floor(a / 25), so each power is exact.
constexpr void divide_by_five(Natural& number) {
    uint64_t rest = 0;
    for (int i = LIMBS - 1; i >= 0; --i) {
        const uint128 part = static_cast<uint128>(rest) << 64 | number[i];
        number[i] = static_cast<uint64_t>(part / 5);
        rest = static_cast<uint64_t>(part % 5);
    }
}

constexpr Power top_bits(const Natural& number) {
    int top = LIMBS - 1;
    while (number[top] == 0) --top;
    const uint64_t next = top > 0 ? number[top - 1] : 0, last = top > 1 ? number[top - 2] : 0;
    Power power{number[top], next};
    for (int bit = 63; power.high >> 63 == 0; --bit) {
        power.high = power.high << 1 | power.low >> 63;
        power.low = power.low << 1 | (last >> bit & 1);
    }
    return power;
}

constexpr PowerTable make_table() {
    PowerTable table{};
    Natural five{};
    five[0] = 1;
    for (int n = 0; n <= MAX_POWER; ++n, times_five(five)) {
        table.powers[n - MIN_POWER] = top_bits(five);
    }
    Natural fifth{};
    fifth[LIMBS - 1] = uint64_t{1} << 63;
    for (int n = -1; n >= MIN_POWER; --n) {
        divide_by_five(fifth);
        table.powers[n - MIN_POWER] = top_bits(fifth);
    }
    return table;
}

}  // namespace

constexpr PowerTable POWER_TABLE = make_table();

}  // namespace tabkit
