#include "cases.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "utf8.hpp"

namespace tabkit::cases {
namespace {

// Cases are taken in pieces that fit a processor's first cache, so that each is fetched once.
constexpr size_t TILE_BYTES = 24 * 1024;

template <typename T>
struct Bits;
template <>
struct Bits<int8_t> {
    using Type = uint8_t;
};
template <>
struct Bits<int16_t> {
    using Type = uint16_t;
};
template <>
struct Bits<int32_t> {
    using Type = uint32_t;
};
template <>
struct Bits<int64_t> {
    using Type = uint64_t;
};
template <>
struct Bits<float> {
    using Type = uint32_t;
    static constexpr uint32_t FIRST = 0x7F000000, STEP = 1 << 11;
};
template <>
struct Bits<double> {
    using Type = uint64_t;
    static constexpr uint64_t FIRST = 0x7FE0000000000000, STEP = uint64_t{1} << 40;
};

inline uint8_t swap_bytes(uint8_t value) { return value; }

template <typename T, bool SWAP>
inline T read(const char* from) {
    auto bits = load<typename Bits<T>::Type>(from);
    if constexpr (SWAP && sizeof bits > 1) bits = tabkit::swap_bytes(bits);
    return load<T>(&bits);
}

// What is asked of a plan for each number: kept apart, as the compiler cannot know that writing a
// column leaves the plan as it is.
struct Rule {
    double number;
    int64_t largest;
};

// The place of a float among Stata's 27 codes, if it is one: they are STEP apart.
template <typename T>
inline bool is_code(T value, int& place) {
    const auto distance = load<typename Bits<T>::Type>(&value) - Bits<T>::FIRST;  // may wrap around
    place = static_cast<int>(distance / Bits<T>::STEP);
    return distance < Bits<T>::STEP * TAGS && distance % Bits<T>::STEP == 0;
}

template <Missing MISSING, typename T>
inline bool is_missing(T value, const Rule& rule) {
    if constexpr (MISSING == Missing::EQUAL) return value == rule.number;
    if constexpr (MISSING == Missing::ABOVE && std::is_integral_v<T>) return value > rule.largest;
    if constexpr (MISSING == Missing::CODES && std::is_floating_point_v<T>) {
        int place;
        return is_code(value, place) || value == rule.number;
    }
    return false;
}

// The tag of a number that is missing; 0 for none.
template <Missing MISSING, typename T>
inline int tag_of(T value, const Rule& rule) {
    int place = 0;
    if constexpr (MISSING == Missing::ABOVE && std::is_integral_v<T>) {
        const uint64_t distance = static_cast<uint64_t>(value) - rule.largest - 1;
        place = distance < TAGS ? static_cast<int>(distance) : 0;
    }
    if constexpr (MISSING == Missing::CODES && std::is_floating_point_v<T>) {
        if (!is_code(value, place)) place = 0;
    }
    return place;
}

// Some consecutive cases, the first of which is the ``first`` of the column.
struct Tile {
    const char* data;
    size_t width, first, count;
};

// Copies ``count`` numbers, at most 8, and returns a bit for each that is missing.
template <typename T, bool SWAP, Missing MISSING>
inline unsigned copy_numbers(const char* from, size_t width, size_t count, const Rule& rule,
                             char* to) {
    unsigned missing = 0;
    for (size_t i = 0; i < count; ++i) {
        const T value = read<T, SWAP>(from + i * width);
        store(to + i * sizeof(T), value);
        missing |= static_cast<unsigned>(is_missing<MISSING>(value, rule)) << i;
    }
    return missing;
}

template <typename T, Missing MISSING>
void set_tags(unsigned missing, const char* values, const Rule& rule, int8_t* tags, size_t& count) {
    for (; missing != 0; missing &= missing - 1) {
        const int i = __builtin_ctz(missing);
        const int tag = tag_of<MISSING>(load<T>(values + i * sizeof(T)), rule);
        if (tag > 0) {
            tags[i] = static_cast<int8_t>(tag);
            ++count;
        }
    }
}

template <typename T, bool SWAP, Missing MISSING>
void decode_numbers(const Tile& tile, const Plan& plan, Target& target) {
    const Rule rule{plan.number, plan.largest};
    const char* from = tile.data + plan.pieces[0].offset;
    for (size_t done = 0; done < tile.count; done += 8, from += 8 * tile.width) {
        const size_t row = tile.first + done, count = std::min<size_t>(8, tile.count - done);
        char* to = target.values + row * sizeof(T);
        // The usual count is spelled out, as its loop can be unrolled.
        const unsigned missing =
            count == 8 ? copy_numbers<T, SWAP, MISSING>(from, tile.width, 8, rule, to)
                       : copy_numbers<T, SWAP, MISSING>(from, tile.width, count, rule, to);
        if constexpr (MISSING == Missing::NONE) continue;
        target.validity[row >> 3] = static_cast<uint8_t>(~missing & ((1u << count) - 1));
        if (missing == 0) continue;
        target.missing_count += __builtin_popcount(missing);
        if constexpr (MISSING != Missing::EQUAL) {
            set_tags<T, MISSING>(missing, to, rule, target.tags + row, target.tag_count);
        }
    }
}

template <typename T, bool SWAP>
void decode_numbers(const Tile& tile, const Plan& plan, Target& target) {
    switch (plan.missing) {
        case Missing::EQUAL: return decode_numbers<T, SWAP, Missing::EQUAL>(tile, plan, target);
        case Missing::ABOVE: return decode_numbers<T, SWAP, Missing::ABOVE>(tile, plan, target);
        case Missing::CODES: return decode_numbers<T, SWAP, Missing::CODES>(tile, plan, target);
        default: return decode_numbers<T, SWAP, Missing::NONE>(tile, plan, target);
    }
}

size_t without_padding(const char* text, size_t size, const bool* padding) {
    constexpr uint64_t BLANKS = 0x2020202020202020;
    if (padding[' ']) {
        while (size >= 8 && load<uint64_t>(text + size - 8) == BLANKS) size -= 8;
    }
    while (size > 0 && padding[static_cast<uint8_t>(text[size - 1])]) --size;
    return size;
}

size_t used_size(const char* text, size_t size, const Plan& plan) {
    if (!plan.until_nul) return without_padding(text, size, plan.padding);
    const void* end = std::memchr(text, 0, size);
    return end == nullptr ? size : static_cast<const char*>(end) - text;
}

// Appends one text and returns its size.
size_t append_text(const char* from, const Plan& plan, char* to) {
    if (plan.pieces.size() == 1) {
        const Piece piece = plan.pieces[0];
        const size_t size = used_size(from + piece.offset, piece.size, plan);
        std::memcpy(to, from + piece.offset, size);
        return size;
    }
    size_t size = 0;
    for (const Piece piece : plan.pieces) {
        std::memcpy(to + size, from + piece.offset, piece.size);
        size += piece.size;
    }
    return used_size(to, size, plan);
}

void decode_texts(const Tile& tile, const Plan& plan, Target& target) {
    const size_t start = target.text_size;
    const char* from = tile.data;
    for (size_t i = 0; i < tile.count; ++i, from += tile.width) {
        const size_t size = append_text(from, plan, target.text + target.text_size);
        target.text_size += size;
        const size_t row = tile.first + i;
        store(target.values + (row + 1) * sizeof(int32_t), static_cast<int32_t>(target.text_size));
        if (plan.missing == Missing::EMPTY) {
            target.validity[row >> 3] |= static_cast<uint8_t>((size != 0) << (row & 7));
            target.missing_count += size == 0;
        }
    }
    target.is_ascii &= is_ascii(target.text + start, target.text_size - start);
    if (target.is_ascii || !target.is_utf8) return;
    for (size_t row = tile.first; row < tile.first + tile.count; ++row) {
        const Texts<int32_t> texts{{target.values}, target.text};
        target.is_utf8 &= is_utf8(texts.begin(row), texts.size(row));
    }
}

template <bool SWAP>
void decode_column(const Tile& tile, const Plan& plan, Target& target) {
    switch (plan.storage) {
        case Storage::INT8: return decode_numbers<int8_t, SWAP>(tile, plan, target);
        case Storage::INT16: return decode_numbers<int16_t, SWAP>(tile, plan, target);
        case Storage::INT32: return decode_numbers<int32_t, SWAP>(tile, plan, target);
        case Storage::INT64: return decode_numbers<int64_t, SWAP>(tile, plan, target);
        case Storage::FLOAT32: return decode_numbers<float, SWAP>(tile, plan, target);
        case Storage::FLOAT64: return decode_numbers<double, SWAP>(tile, plan, target);
        case Storage::TEXT: return decode_texts(tile, plan, target);
    }
}

}  // namespace

size_t width_of(Storage storage) {
    switch (storage) {
        case Storage::INT8: return 1;
        case Storage::INT16: return 2;
        case Storage::INT32:
        case Storage::FLOAT32: return 4;
        case Storage::INT64:
        case Storage::FLOAT64: return 8;
        case Storage::TEXT: return 0;
    }
    return 0;
}

void decode(const char* data, size_t width, size_t count, bool big_endian,
            const std::vector<Plan>& plans, std::vector<Target>& targets) {
    for (size_t i = 0; i < plans.size(); ++i) {
        if (plans[i].storage == Storage::TEXT) store(targets[i].values, int32_t{0});
    }
    // A multiple of eight, so that each tile has its own bytes of validity bits.
    const size_t rows = std::max<size_t>(8, TILE_BYTES / std::max<size_t>(width, 1) & ~size_t{7});
    for (size_t first = 0; first < count; first += rows) {
        const Tile tile{data + first * width, width, first, std::min(rows, count - first)};
        for (size_t i = 0; i < plans.size(); ++i) {
            if (big_endian)
                decode_column<true>(tile, plans[i], targets[i]);
            else
                decode_column<false>(tile, plans[i], targets[i]);
        }
    }
}

}  // namespace tabkit::cases
