// Numbers of any bits counted, described and narrowed; few different ones through deflate and back.
#include <zlib.h>

#include <algorithm>

#include "input.hpp"
#include "moments.hpp"
#include "outline.hpp"
#include "summary.hpp"
#include "tally.hpp"
#include "words.hpp"

namespace {

using namespace tabkit;

// Repeats the words, as the answers to a question repeat, so that matches of all lengths occur.
std::vector<char> repeated(const std::vector<char>& data, size_t width, size_t kinds, size_t turns) {
    std::vector<char> words;
    for (size_t turn = 0; turn < turns; ++turn) {
        for (size_t i = 0; i < data.size() && words.size() < 300'000; ++i) {
            const uint64_t word = static_cast<uint8_t>(data[i]) % kinds * 0x123456789ABCDEFu;
            const auto* bytes = reinterpret_cast<const char*>(&word);
            words.insert(words.end(), bytes, bytes + width);
        }
    }
    return std::vector<char>(words);  // of exactly its size
}

void check_words(const std::vector<char>& words, size_t width) {
    std::vector<char> packed(words::room(words.size() / width));
    char* end = words::deflate(words.data(), words.size() / width, width, packed.data());
    if (end == nullptr) return;
    std::vector<char> back(words.size() + 1);
    z_stream stream{};
    fuzz::require(inflateInit2(&stream, -15) == Z_OK);
    stream.next_in = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_in = static_cast<uInt>(end - packed.data());
    stream.next_out = reinterpret_cast<Bytef*>(back.data());
    stream.avail_out = static_cast<uInt>(back.size());
    const int code = inflate(&stream, Z_SYNC_FLUSH);
    fuzz::require(code == Z_OK || code == Z_BUF_ERROR);
    fuzz::require(stream.total_out == words.size());
    fuzz::require(words.empty() || std::memcmp(back.data(), words.data(), words.size()) == 0);
    inflateEnd(&stream);
}

// The first numbers are codes, missing values and spans as well.
template <typename Key>
void check_outline(const tally::Tally<Key>& found, const std::vector<char>& data, int64_t cases) {
    const size_t count = std::min<size_t>(data.size() / 8, 9);
    const outline::Doubles some{Values<double>{data.data()}, count};
    for (const bool is_invalid : {false, true}) {
        const auto made = outline::outlined(found, {some, some, some, is_invalid});
        int64_t valid = 0;
        for (const int64_t each : made.valid.counts) valid += each;
        fuzz::require(valid + (is_invalid ? made.user_missing : 0) == cases);
        fuzz::require(made.frequencies.size() == count);
        for (const size_t place : made.others) fuzz::require(place < made.valid.values.size());
    }
}

template <typename Key, typename T>
void check_tally(const std::vector<char>& data, const Validity& validity) {
    const size_t count = data.size() / 8;
    const Values<T> values{data.data()};
    const auto found = tally::counted<Key>(values, validity, count);
    int64_t cases = 0;
    for (size_t i = 0; i < found.values.size(); ++i) {
        fuzz::require(i == 0 || found.values[i - 1] < found.values[i]);
        cases += found.counts[i];
    }
    fuzz::require(cases == static_cast<int64_t>(moments::survey(values, validity, count).count));
    summary::Counts counts;
    counts.values = Values<int64_t>{reinterpret_cast<const char*>(found.counts.data())};
    const auto* distinct = reinterpret_cast<const char*>(found.values.data());
    if constexpr (std::is_same_v<Key, double>)
        summary::of_doubles(Values<double>{distinct}, counts, found.values.size());
    else
        summary::of_integers(Values<int64_t>{distinct}, counts, found.values.size());
    check_outline(found, data, cases);
}

void check_narrow(const std::vector<char>& data, const Validity& validity, int64_t low) {
    const size_t count = data.size() / 8;
    std::vector<char> out(data.size() + 8);
    moments::narrow<int8_t>(Values<double>{data.data()}, validity, count, out.data());
    moments::narrow<int64_t>(Values<double>{data.data()}, validity, count, out.data());
    moments::narrow<int16_t>(Values<int64_t>{data.data()}, validity, count, out.data());
    std::vector<int64_t> bins(64);
    moments::count_values(Values<int64_t>{data.data()}, validity, count, low, bins.size(),
                          bins.data());
    moments::count_values(Values<uint64_t>{data.data()}, validity, count, low, bins.size(),
                          bins.data());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    fuzz::Input input(data, size);
    const size_t width = input.number(2) ? 8 : 4;
    const size_t kinds = 1 + input.number(256), turns = 1 + input.number(500);
    const bool has_gaps = input.number(2) != 0;
    const auto low = static_cast<int64_t>(input.number(0xFFFFFFFF)) - 0x7FFFFFFF;
    const auto rest = input.rest();
    check_words(repeated(rest, width, kinds, turns), width);
    const std::vector<char> numbers(rest.begin(), rest.begin() + rest.size() / 8 * 8);
    const Validity validity{has_gaps ? reinterpret_cast<const uint8_t*>(rest.data()) : nullptr, 0};
    check_tally<double, double>(numbers, validity);
    check_tally<double, float>(numbers, validity);
    check_tally<int64_t, int64_t>(numbers, validity);
    check_tally<int64_t, int8_t>(numbers, validity);
    check_tally<int64_t, uint64_t>(numbers, validity);
    check_narrow(numbers, validity, low);
    return 0;
}
