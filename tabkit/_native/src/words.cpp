#include "words.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "columns.hpp"

namespace tabkit::words {
namespace {

constexpr size_t WINDOW_BYTES = 32768, LONGEST_BYTES = 256;  // 258 is no multiple of a number
constexpr size_t LITERALS = 286, DISTANCES = 30, END = 256, LENGTH_CODES = 19;
constexpr int LONGEST_CODE = 15, LONGEST_LENGTH_CODE = 7;
constexpr int CANDIDATES = 4;     // earlier places that are tried
constexpr size_t GOOD_ENOUGH = 8;  // numbers that end the search
constexpr size_t HASH_BITS = 14, CONTEXT = 4;  // numbers that must be the same to be tried
constexpr size_t WORST_TOKEN = 6;  // bytes

// A literal byte, or a match; both in bytes.
struct Token {
    uint16_t length;    // 0 for a literal
    uint16_t distance;  // the byte of a literal
};

// Numbers as one byte each, in the order in which they first occur.
class Alphabet {
 public:
    explicit Alphabet(size_t width) : width_(width) { slots_.fill(EMPTY); }

    // Returns false where there are too many.
    bool number(const char* data, size_t count, uint8_t* ids) {
        for (size_t i = 0; i < count; ++i) {
            uint64_t word = 0;
            std::memcpy(&word, data + i * width_, width_);
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

 private:
    static constexpr size_t SLOT_BITS = 10, SLOTS = size_t{1} << SLOT_BITS;
    static constexpr uint16_t EMPTY = 0xFFFF;
    size_t width_, used_ = 0;
    std::array<uint16_t, SLOTS> slots_;
    std::array<uint64_t, MOST> words_{};
};

// How many numbers from ``a`` and ``b`` on are the same, at most ``limit``.
inline size_t same(const uint8_t* a, const uint8_t* b, size_t limit) {
    size_t length = 0;
    for (; length + 8 <= limit; length += 8) {
        uint64_t x, y;
        std::memcpy(&x, a + length, 8);
        std::memcpy(&y, b + length, 8);
        if (x != y) break;
    }
    while (length < limit && a[length] == b[length]) ++length;
    return length;
}

class Matcher {
 public:
    Matcher(const uint8_t* ids, size_t count, size_t width)
        : ids_(ids), count_(count), window_(WINDOW_BYTES / width),
          longest_(LONGEST_BYTES / width), heads_(size_t{1} << HASH_BITS, -1), before_(count) {
        last_.fill(-1);
    }

    struct Match {
        size_t length = 0, distance = 0;
    };

    Match find(size_t at) const {
        Match best;
        const size_t limit = std::min(count_ - at, longest_);
        consider(at, last_[ids_[at]], limit, best);
        if (at + CONTEXT > count_) return best;
        int32_t place = heads_[hash(at)];
        for (int tries = CANDIDATES; tries > 0 && place >= 0; --tries) {
            if (at - place > window_ || best.length >= GOOD_ENOUGH) break;
            consider(at, place, limit, best);
            place = before_[place];
        }
        return best;
    }

    void pass(size_t from, size_t to) {
        for (size_t at = from; at < to; ++at) {
            last_[ids_[at]] = static_cast<int32_t>(at);
            if (at + CONTEXT > count_) continue;
            int32_t& head = heads_[hash(at)];
            before_[at] = head;
            head = static_cast<int32_t>(at);
        }
    }

 private:
    void consider(size_t at, int32_t place, size_t limit, Match& best) const {
        if (place < 0 || at - place > window_) return;
        if (best.length > 0 && (best.length >= limit ||
                                ids_[place + best.length] != ids_[at + best.length]))
            return;
        const size_t length = same(ids_ + at, ids_ + place, limit);
        if (length > best.length) best = {length, at - place};
    }

    size_t hash(size_t at) const {
        uint32_t context;
        std::memcpy(&context, ids_ + at, CONTEXT);
        return (context * 2654435761u) >> (32 - HASH_BITS);
    }

    const uint8_t* ids_;
    size_t count_, window_, longest_;
    std::vector<int32_t> heads_, before_;
    std::array<int32_t, 256> last_;
};

// A prefix code: lengths by Huffman's method, limited by flattening the counts until they fit.
template <size_t N>
struct Code {
    std::array<uint8_t, N> lengths{};
    std::array<uint16_t, N> bits{};

    void build(std::array<uint32_t, N> counts, int longest) {
        while (!try_lengths(counts, longest))
            for (auto& count : counts) count = count == 0 ? 0 : count / 4 + 1;
        std::array<uint16_t, 17> next{};
        for (const uint8_t length : lengths) next[length + 1] += length != 0;
        uint16_t code = 0;
        for (size_t length = 1; length < 17; ++length) {
            code = static_cast<uint16_t>((code + next[length]) << 1);
            next[length] = code;
        }
        for (size_t i = 0; i < N; ++i)
            if (lengths[i] != 0) bits[i] = reversed(next[lengths[i]]++, lengths[i]);
    }

 private:
    bool try_lengths(const std::array<uint32_t, N>& counts, int longest) {
        lengths.fill(0);
        std::vector<std::pair<uint64_t, int>> heap;  // count, node
        std::vector<int> parents(2 * N, -1);
        const auto later = [](const auto& a, const auto& b) { return a > b; };
        for (size_t i = 0; i < N; ++i)
            if (counts[i] != 0) heap.emplace_back(counts[i], static_cast<int>(i));
        if (heap.empty()) heap.emplace_back(1, 0);
        if (heap.size() == 1) {
            lengths[heap[0].second] = 1;
            return true;
        }
        std::make_heap(heap.begin(), heap.end(), later);
        int node = N;
        const auto take = [&] {
            std::pop_heap(heap.begin(), heap.end(), later);
            const auto least = heap.back();
            heap.pop_back();
            return least;
        };
        while (heap.size() > 1) {
            const auto a = take(), b = take();
            parents[a.second] = parents[b.second] = node;
            heap.emplace_back(a.first + b.first, node++);
            std::push_heap(heap.begin(), heap.end(), later);
        }
        for (size_t i = 0; i < N; ++i) {
            if (counts[i] == 0) continue;
            int length = 0;
            for (int up = parents[i]; up >= 0; up = parents[up]) ++length;
            if (length > longest) return false;
            lengths[i] = static_cast<uint8_t>(length);
        }
        return true;
    }

    static uint16_t reversed(uint32_t code, int length) {
        uint32_t found = 0;
        for (int i = 0; i < length; ++i) found |= ((code >> i) & 1) << (length - 1 - i);
        return static_cast<uint16_t>(found);
    }
};

class BitWriter {
 public:
    explicit BitWriter(char* out) : out_(out) {}

    void put(uint64_t bits, int count) {
        held_ |= bits << filled_;
        filled_ += count;
        if (filled_ < 32) return;
        store(out_, static_cast<uint32_t>(held_));
        out_ += 4;
        held_ >>= 32;
        filled_ -= 32;
    }

    // An empty stored block: what follows begins at a whole byte.
    char* flush() {
        put(0, 3);
        for (; filled_ > 0; filled_ -= 8, held_ >>= 8) *out_++ = static_cast<char>(held_);
        std::memcpy(out_, "\0\0\xFF\xFF", 4);
        return out_ + 4;
    }

 private:
    char* out_;
    uint64_t held_ = 0;
    int filled_ = 0;
};

struct Symbol {
    uint16_t symbol = 0;
    uint8_t extra_bits = 0;
    uint16_t extra = 0;
};

Symbol length_symbol(size_t length) {
    constexpr uint16_t BASES[] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43,
                                  51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    constexpr uint8_t EXTRA[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3,
                                 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    size_t i = 28;
    while (BASES[i] > length) --i;
    return {static_cast<uint16_t>(257 + i), EXTRA[i], static_cast<uint16_t>(length - BASES[i])};
}

Symbol distance_symbol(size_t distance) {
    const auto rest = static_cast<uint32_t>(distance - 1);
    if (rest < 4) return {static_cast<uint16_t>(rest), 0, 0};
    const int top = 31 - __builtin_clz(rest);
    const int bits = top - 1;
    const auto symbol = static_cast<uint16_t>(2 * top + ((rest >> bits) & 1));
    return {symbol, static_cast<uint8_t>(bits),
            static_cast<uint16_t>(rest & ((1u << bits) - 1))};
}

std::vector<Token> tokens_of(const char* data, const uint8_t* ids, size_t count, size_t width) {
    std::vector<Token> tokens;
    tokens.reserve(count / 2 + MOST * width);
    Matcher matcher(ids, count, width);
    for (size_t at = 0; at < count;) {
        const auto match = matcher.find(at);
        if (match.length == 0) {
            for (size_t i = 0; i < width; ++i)
                tokens.push_back({0, static_cast<uint8_t>(data[at * width + i])});
        } else {
            tokens.push_back({static_cast<uint16_t>(match.length * width),
                              static_cast<uint16_t>(match.distance * width - 1)});
        }
        const size_t step = std::max(match.length, size_t{1});
        matcher.pass(at, at + step);
        at += step;
    }
    return tokens;
}

void write_lengths(BitWriter& writer, const Code<LITERALS>& literals,
                   const Code<DISTANCES>& distances) {
    constexpr uint8_t ORDER[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    struct Run {
        uint8_t symbol, extra_bits, extra;
    };
    std::vector<uint8_t> lengths(literals.lengths.begin(), literals.lengths.end());
    lengths.insert(lengths.end(), distances.lengths.begin(), distances.lengths.end());
    std::vector<Run> runs;
    std::array<uint32_t, LENGTH_CODES> counts{};
    for (size_t i = 0; i < lengths.size();) {
        size_t zeros = 0;
        while (i + zeros < lengths.size() && lengths[i + zeros] == 0 && zeros < 138) ++zeros;
        if (zeros >= 11) runs.push_back({18, 7, static_cast<uint8_t>(zeros - 11)});
        else if (zeros >= 3) runs.push_back({17, 3, static_cast<uint8_t>(zeros - 3)});
        else runs.push_back({lengths[i], 0, 0});
        i += zeros >= 3 ? zeros : 1;
        ++counts[runs.back().symbol];
    }
    Code<LENGTH_CODES> code;
    code.build(counts, LONGEST_LENGTH_CODE);
    writer.put(LITERALS - 257, 5);
    writer.put(DISTANCES - 1, 5);
    writer.put(LENGTH_CODES - 4, 4);
    for (const uint8_t symbol : ORDER) writer.put(code.lengths[symbol], 3);
    for (const Run& run : runs) {
        writer.put(code.bits[run.symbol], code.lengths[run.symbol]);
        writer.put(run.extra, run.extra_bits);
    }
}

}  // namespace

size_t room(size_t count) { return (count + MOST * 8) * WORST_TOKEN + 1024; }

char* deflate(const char* data, size_t count, size_t width, char* out) {
    std::vector<uint8_t> ids(count + 8);
    if (!Alphabet(width).number(data, count, ids.data())) return nullptr;
    const auto tokens = tokens_of(data, ids.data(), count, width);
    std::array<Symbol, LONGEST_BYTES + 1> lengths;
    for (size_t length = 3; length <= LONGEST_BYTES; ++length)
        lengths[length] = length_symbol(length);
    std::array<uint32_t, LITERALS> literal_counts{};
    std::array<uint32_t, DISTANCES> distance_counts{};
    literal_counts[END] = 1;
    for (const Token& token : tokens) {
        if (token.length == 0) {
            ++literal_counts[token.distance];
        } else {
            ++literal_counts[lengths[token.length].symbol];
            ++distance_counts[distance_symbol(token.distance + size_t{1}).symbol];
        }
    }
    Code<LITERALS> literals;
    Code<DISTANCES> distances;
    literals.build(literal_counts, LONGEST_CODE);
    distances.build(distance_counts, LONGEST_CODE);
    BitWriter writer(out);
    writer.put(0b100, 3);  // not the last, codes of its own
    write_lengths(writer, literals, distances);
    for (const Token& token : tokens) {
        if (token.length == 0) {
            writer.put(literals.bits[token.distance], literals.lengths[token.distance]);
            continue;
        }
        const Symbol& length = lengths[token.length];
        writer.put(literals.bits[length.symbol], literals.lengths[length.symbol]);
        writer.put(length.extra, length.extra_bits);
        const Symbol distance = distance_symbol(token.distance + size_t{1});
        writer.put(distances.bits[distance.symbol], distances.lengths[distance.symbol]);
        writer.put(distance.extra, distance.extra_bits);
    }
    writer.put(literals.bits[END], literals.lengths[END]);
    return writer.flush();
}

}  // namespace tabkit::words
