#include "words.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "columns.hpp"
#include "prefix_code.hpp"

namespace tabkit::words {
namespace {

constexpr size_t WINDOW_BYTES = 32768, LONGEST_BYTES = 256;  // 258 is no multiple of a number
constexpr size_t FEW_SEQUENCES = 16384;  // of one table: small enough for the processor's cache
constexpr size_t LONGEST_SEQUENCE = 8;
constexpr size_t PADDING = 16;     // bytes that are read behind the last number
constexpr size_t WORST_WORD = 15;  // bytes of a number of 8 bytes, each with the longest code

// Numbers as one byte each, in the order in which they first occur.
class Alphabet {
 public:
    Alphabet() { slots_.fill(EMPTY); }

    // Returns false where there are too many.
    template <typename Word>
    bool number(const char* data, size_t count, uint8_t* ids) {
        for (size_t i = 0; i < count; ++i) {
            const uint64_t word = load<Word>(data + i * sizeof(Word));
            size_t slot = (word * 0x9E3779B97F4A7C15u) >> (64 - SLOT_BITS);
            while (slots_[slot] != EMPTY && words_[slots_[slot]] != word)
                slot = (slot + 1) & (SLOTS - 1);
            if (slots_[slot] == EMPTY) {
                if (used_ == MOST) return false;
                words_[used_] = word;
                slots_[slot] = static_cast<uint16_t>(used_++);
            }
            ids[i] = static_cast<uint8_t>(slots_[slot]);
        }
        return true;
    }

    size_t size() const { return used_; }
    uint8_t byte(size_t id, size_t i) const { return words_[id] >> (8 * i) & 0xFF; }

 private:
    static constexpr size_t SLOT_BITS = 10, SLOTS = size_t{1} << SLOT_BITS;
    static constexpr uint16_t EMPTY = 0xFFFF;
    size_t used_ = 0;
    std::array<uint16_t, SLOTS> slots_;
    std::array<uint64_t, MOST> words_{};
};

// How many numbers from ``a`` and ``b`` on are the same, at most ``limit``.
inline size_t same(const uint8_t* a, const uint8_t* b, size_t limit) {
    for (size_t length = 0; length < limit; length += 8) {
        const uint64_t differ = load<uint64_t>(a + length) ^ load<uint64_t>(b + length);
        if (differ != 0) return std::min<size_t>(limit, length + __builtin_ctzll(differ) / 8);
    }
    return limit;
}

// Where each sequence of ``order`` numbers began last. A sequence is itself a number to the base of
// how many different ones there are: nothing is hashed and nothing compared.
class Places {
 public:
    Places(const uint8_t* ids, size_t count, size_t base, size_t order) : codes_(count) {
        size_t sequences = 1;
        for (size_t digit = 0; digit < order; ++digit, sequences *= base)
            for (size_t i = 0; i < count; ++i)
                codes_[i] = static_cast<uint16_t>(codes_[i] * base + ids[i + digit]);
        last_.assign(sequences, NOWHERE);
    }

    int32_t operator[](size_t at) const { return last_[codes_[at]]; }
    void pass(size_t at) { last_[codes_[at]] = static_cast<int32_t>(at); }

 private:
    static constexpr int32_t NOWHERE = -(1 << 20);  // further away than any distance
    std::vector<uint16_t> codes_;
    std::vector<int32_t> last_;
};

// A number by itself or a match; all are counted in numbers.
struct Token {
    uint16_t length;    // 0 for a number by itself
    uint16_t distance;  // which number it is
};

struct Tokens {
    Tokens(size_t most, size_t width)
        : tokens(new Token[most]), lengths(LONGEST_BYTES / width + 1),
          distances(WINDOW_BYTES / width + 1) {}

    std::unique_ptr<Token[]> tokens;
    size_t count = 0;
    std::array<uint32_t, MOST> alone{};         // how often each number stands by itself
    std::vector<uint32_t> lengths, distances;  // how often each occurs
};

// The last place where the longest sequence of three lengths began, then as long as it goes on.
void match(const uint8_t* ids, size_t count, size_t base, size_t width, Tokens& found) {
    size_t order = 1, sequences = base;
    for (; order < 2 || (sequences * base <= FEW_SEQUENCES && order < LONGEST_SEQUENCE); ++order)
        sequences *= base;
    const size_t orders[] = {order, (order + 1) / 2, 1};
    Places places[] = {{ids, count, base, orders[0]},
                       {ids, count, base, orders[1]},
                       {ids, count, base, orders[2]}};
    const size_t window = WINDOW_BYTES / width, longest = LONGEST_BYTES / width;
    Token* token = found.tokens.get();
    uint32_t *const lengths = found.lengths.data(), *const distances = found.distances.data();
    for (size_t at = 0; at < count;) {
        size_t known = 0, distance = 0, length = 1;
        for (size_t i = 0; i < 3; ++i) {
            distance = at - places[i][at];
            known = orders[i];
            if (distance <= window) break;
        }
        if (distance > window) {
            ++found.alone[ids[at]];
            *token++ = {0, ids[at]};
        } else {
            const size_t limit = std::min(count - at, longest);
            const uint8_t* const here = ids + at + known;
            length = limit <= known ? limit : known + same(here, here - distance, limit - known);
            ++lengths[length];
            ++distances[distance];
            *token++ = {static_cast<uint16_t>(length), static_cast<uint16_t>(distance)};
        }
        for (const size_t end = at + length; at < end; ++at)
            for (Places& each : places) each.pass(at);
    }
    found.count = token - found.tokens.get();
}

using Symbols = std::vector<deflate::Symbol>;

// The symbols of all lengths or distances of so many numbers.
Symbols symbols_of(deflate::Symbol (*symbol_of)(size_t), size_t most, size_t width) {
    Symbols found(1);
    for (size_t bytes = width; bytes <= most; bytes += width) found.push_back(symbol_of(bytes));
    return found;
}

// The bits of each length or distance that occurs, with what follows them.
template <size_t N>
std::vector<deflate::Bits> spelled(const std::vector<uint32_t>& counts, const Symbols& symbols,
                                   const std::array<deflate::Bits, N>& code) {
    std::vector<deflate::Bits> found(counts.size());
    for (size_t i = 1; i < counts.size(); ++i)
        if (counts[i] != 0) found[i] = joined(code[symbols[i].symbol], symbols[i].extra);
    return found;
}

char* write(const Tokens& found, const Alphabet& alphabet, size_t width, char* out) {
    static const Symbols LENGTHS[] = {symbols_of(deflate::length_symbol, LONGEST_BYTES, 4),
                                      symbols_of(deflate::length_symbol, LONGEST_BYTES, 8)};
    static const Symbols WAYS[] = {symbols_of(deflate::distance_symbol, WINDOW_BYTES, 4),
                                   symbols_of(deflate::distance_symbol, WINDOW_BYTES, 8)};
    const Symbols &length_symbols = LENGTHS[width / 8], &distance_symbols = WAYS[width / 8];
    std::array<uint32_t, deflate::LITERALS> literal_counts{};
    std::array<uint32_t, deflate::DISTANCES> distance_counts{};
    literal_counts[deflate::END] = 1;
    for (size_t id = 0; id < alphabet.size(); ++id)
        for (size_t i = 0; i < width; ++i)
            literal_counts[alphabet.byte(id, i)] += found.alone[id];
    for (size_t i = 1; i < found.lengths.size(); ++i)
        literal_counts[length_symbols[i].symbol] += found.lengths[i];
    for (size_t i = 1; i < found.distances.size(); ++i)
        distance_counts[distance_symbols[i].symbol] += found.distances[i];
    const auto literals = deflate::prefix_code(literal_counts, deflate::LONGEST_CODE);
    const auto distances = deflate::prefix_code(distance_counts, deflate::LONGEST_CODE);
    const auto of_length = spelled(found.lengths, length_symbols, literals);
    const auto of_distance = spelled(found.distances, distance_symbols, distances);
    deflate::BitWriter writer(out);
    open_block(writer, literals, distances);
    for (const Token* token = found.tokens.get(); token != found.tokens.get() + found.count;
         ++token) {
        if (token->length != 0) {
            writer.put(of_length[token->length], of_distance[token->distance]);
            continue;
        }
        for (size_t i = 0; i < width; ++i) writer.put(literals[alphabet.byte(token->distance, i)]);
    }
    writer.put(literals[deflate::END]);
    return writer.flush();
}

}  // namespace

size_t room(size_t count) { return count * WORST_WORD + 1024; }

char* deflate(const char* data, size_t count, size_t width, char* out) {
    std::vector<uint8_t> ids(count + PADDING);
    Alphabet alphabet;
    const bool few = width == 8 ? alphabet.number<uint64_t>(data, count, ids.data())
                                : alphabet.number<uint32_t>(data, count, ids.data());
    if (!few) return nullptr;
    Tokens found(count, width);
    match(ids.data(), count, std::max<size_t>(alphabet.size(), 1), width, found);
    return write(found, alphabet, width, out);
}

}  // namespace tabkit::words
