#include "prefix_code.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace tabkit::deflate {
namespace {

constexpr size_t LENGTH_CODES = 19;
constexpr int LONGEST_LENGTH_CODE = 7;

// Returns false where one is longer than ``longest``.
template <size_t N>
bool try_lengths(const std::array<uint32_t, N>& counts, int longest, std::array<uint8_t, N>& out) {
    out.fill(0);
    std::vector<std::pair<uint64_t, int>> heap;  // count, node
    std::vector<int> parents(2 * N, -1);
    const auto later = [](const auto& a, const auto& b) { return a > b; };
    for (size_t i = 0; i < N; ++i)
        if (counts[i] != 0) heap.emplace_back(counts[i], static_cast<int>(i));
    if (heap.empty()) heap.emplace_back(1, 0);
    if (heap.size() == 1) {
        out[heap[0].second] = 1;
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
        out[i] = static_cast<uint8_t>(length);
    }
    return true;
}

uint32_t reversed(uint32_t code, int length) {
    uint32_t found = 0;
    for (int i = 0; i < length; ++i) found |= ((code >> i) & 1) << (length - 1 - i);
    return found;
}

}  // namespace

Symbol length_symbol(size_t length) {
    constexpr uint16_t BASES[] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43,
                                  51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    constexpr uint8_t EXTRA[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3,
                                 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    size_t i = 28;
    while (BASES[i] > length) --i;
    return {static_cast<uint16_t>(257 + i), {static_cast<uint32_t>(length - BASES[i]), EXTRA[i]}};
}

template <size_t N>
std::array<Bits, N> prefix_code(std::array<uint32_t, N> counts, int longest) {
    std::array<uint8_t, N> lengths;
    while (!try_lengths(counts, longest, lengths))  // flatter counts have shorter codes
        for (auto& count : counts) count = count == 0 ? 0 : count / 4 + 1;
    std::array<uint32_t, LONGEST_CODE + 2> next{};
    for (const uint8_t length : lengths) next[length + 1] += length != 0;
    uint32_t code = 0;
    for (size_t length = 1; length < next.size(); ++length) {
        code = (code + next[length]) << 1;
        next[length] = code;
    }
    std::array<Bits, N> found{};
    for (size_t i = 0; i < N; ++i)
        if (lengths[i] != 0) found[i] = {reversed(next[lengths[i]]++, lengths[i]), lengths[i]};
    return found;
}

template std::array<Bits, LITERALS> prefix_code(std::array<uint32_t, LITERALS>, int);
template std::array<Bits, DISTANCES> prefix_code(std::array<uint32_t, DISTANCES>, int);

void open_block(BitWriter& writer, const std::array<Bits, LITERALS>& literals,
                const std::array<Bits, DISTANCES>& distances) {
    constexpr uint8_t ORDER[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    struct Run {
        uint8_t symbol;
        Bits extra;
    };
    std::vector<uint8_t> lengths;
    for (const Bits& each : literals) lengths.push_back(each.count);
    for (const Bits& each : distances) lengths.push_back(each.count);
    std::vector<Run> runs;
    std::array<uint32_t, LENGTH_CODES> counts{};
    for (size_t i = 0; i < lengths.size();) {
        uint32_t zeros = 0;
        while (i + zeros < lengths.size() && lengths[i + zeros] == 0 && zeros < 138) ++zeros;
        if (zeros >= 11) runs.push_back({18, {zeros - 11, 7}});
        else if (zeros >= 3) runs.push_back({17, {zeros - 3, 3}});
        else runs.push_back({lengths[i], {}});
        i += zeros >= 3 ? zeros : 1;
        ++counts[runs.back().symbol];
    }
    const auto code = prefix_code(counts, LONGEST_LENGTH_CODE);
    writer.put(0b100, 3);  // not the last block, codes of its own
    writer.put(LITERALS - 257, 5);
    writer.put(DISTANCES - 1, 5);
    writer.put(LENGTH_CODES - 4, 4);
    for (const uint8_t symbol : ORDER) writer.put(code[symbol].count, 3);
    for (const Run& run : runs) writer.put(code[run.symbol], run.extra);
}

}  // namespace tabkit::deflate
