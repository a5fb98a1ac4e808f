#include "sav.hpp"

#include "columns.hpp"

namespace tabkit::sav {
namespace {

constexpr size_t WORD = 8;
constexpr uint64_t ONES = 0x0101010101010101, SEVENS = 0x7F7F7F7F7F7F7F7F;

// 0x80 in every byte of ``word`` that is ``code``.
constexpr uint64_t matches(uint64_t word, uint8_t code) {
    const uint64_t differing = word ^ ONES * code;
    return ~(((differing & SEVENS) + SEVENS) | differing | SEVENS);
}

inline size_t count_raws(uint64_t codes) { return (matches(codes, RAW) >> 7) * ONES >> 56; }

}  // namespace

Expanded expand(const char* data, size_t size, const char* table, char* out) {
    const char *const start = out, *const end = data + size;
    const char* octet = data;
    while (static_cast<size_t>(end - octet) >= WORD) {
        const auto codes = load<uint64_t>(octet);
        const char* raw = octet + WORD;
        const size_t raws = count_raws(codes);
        if (raws > static_cast<size_t>(end - raw) / WORD) break;
        const bool ended = matches(codes, END) != 0;
        const char* const next = raw + raws * WORD;
        for (size_t i = 0; i < WORD; ++i) {
            const auto code = static_cast<uint8_t>(codes >> 8 * i);
            if (code == END) break;
            // Both places can be read: no branch on the code is needed.
            const bool is_raw = code == RAW;
            store(out, load<uint64_t>(is_raw ? raw : table + code * WORD));
            raw += is_raw * WORD;
            out += (code != SKIP) * WORD;
        }
        octet = next;
        if (ended)
            return {static_cast<size_t>(out - start) / WORD, static_cast<size_t>(octet - data),
                    true};
    }
    return {static_cast<size_t>(out - start) / WORD, static_cast<size_t>(octet - data), false};
}

}  // namespace tabkit::sav
