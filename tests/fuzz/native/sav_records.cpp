// Records of an SPSS dictionary: any bytes, from any place, in either byte order; and the same in
// two parts, the second from where the first ended.
#include "sav_records.hpp"

#include "input.hpp"

namespace {

using namespace tabkit::sav;
using Memory = std::vector<char>;

// Reads every byte that a record points to; the sanitizer sees one outside.
size_t touched(const char* begin, size_t size) {
    size_t sum = 0;
    for (size_t i = 0; i < size; ++i) sum = sum * 31 + static_cast<uint8_t>(begin[i]);
    return sum;
}

size_t touched(const Variable& found) {
    fuzz::require(found.width >= -1 && found.width <= 255 && found.missing_count() <= 3);
    const size_t label = found.label == nullptr ? 1 : touched(found.label, found.label_size);
    return label * 7 + touched(found.name, 8) * 5 + touched(found.missing, found.missing_count() * 8);
}

size_t touched(const LabelSet& found) {
    const char* at = found.labels.begin;
    size_t sum = touched(found.elements, found.count * 4);
    for (size_t i = 0; i < found.labels.count; ++i) {
        const Label label = Labels::take(at);
        sum = sum * 3 + touched(label.value, 8) + touched(label.text, label.size);
    }
    fuzz::require(at == found.labels.begin + found.labels.bytes);
    fuzz::require(found.labels == found.labels);
    return sum;
}

struct Walked {
    std::vector<size_t> sums;
    size_t at;
};

template <typename Record>
Walked walk(const Memory& data, size_t size, size_t at, bool is_big) {
    const Memory window(data.begin(), data.begin() + static_cast<long>(size));  // ends where it ends
    Records records(window.data(), window.size(), at, is_big);
    Walked walked;
    for (Record found; records.next(found);) walked.sums.push_back(touched(found));
    walked.at = records.at();
    fuzz::require(walked.at >= at && walked.at <= size);
    return walked;
}

template <typename Record>
void check(const Memory& data, size_t cut, size_t at, bool is_big) {
    const Walked whole = walk<Record>(data, data.size(), at, is_big);
    Walked parts = walk<Record>(data, cut < at ? at : cut, at, is_big);
    const Walked rest = walk<Record>(data, data.size(), parts.at, is_big);
    parts.sums.insert(parts.sums.end(), rest.sums.begin(), rest.sums.end());
    fuzz::require(parts.sums == whole.sums && rest.at == whole.at);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
    fuzz::Input all(input, size);
    const bool is_big = all.number(2) != 0;
    const size_t cut = all.number(4096), at = all.number(16);
    const Memory data = all.rest();
    if (at > data.size()) return 0;
    check<Variable>(data, cut % (data.size() + 1), at, is_big);
    check<LabelSet>(data, cut % (data.size() + 1), at, is_big);
    return 0;
}
