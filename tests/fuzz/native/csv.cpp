// Delimited text: cells add up, and what is whole before a cut is that of the whole text.
#include "csv.hpp"

#include <string>

#include "input.hpp"

namespace {

using tabkit::csv::Cells;
using tabkit::csv::Dialect;

struct Found {
    Cells cells;
    std::string text;
};

Found tokenized(const std::vector<char>& source, const Dialect& dialect, bool final, bool force) {
    std::vector<char> text(source.size() + tabkit::csv::SPARE_ROOM);
    Found found;
    found.cells =
        tabkit::csv::tokenize(source.data(), source.size(), dialect, final, force, text.data());
    const Cells& cells = found.cells;
    found.text.assign(text.data(), cells.text_size);
    fuzz::require(cells.used <= source.size() && cells.text_size <= cells.used);
    fuzz::require(cells.counts.size() == cells.blank.size());
    fuzz::require(cells.counts.size() == cells.row_ends.size());
    size_t sum = 0;
    for (const int64_t count : cells.counts) sum += static_cast<size_t>(count);
    fuzz::require(sum == cells.ends.size());
    for (size_t i = 1; i < cells.ends.size(); ++i)
        fuzz::require(cells.ends[i - 1] <= cells.ends[i]);
    if (sum != 0) fuzz::require(static_cast<size_t>(cells.ends.back()) == cells.text_size);
    return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
    fuzz::Input all(input, size);
    const size_t choice = all.number(16), place = all.number(4096);
    const Dialect dialect{choice & 1 ? ';' : ',', choice & 2 ? '"' : '\0', choice & 4 ? '\\' : '\0',
                          (choice & 8) != 0};
    const std::vector<char> source = all.rest();
    const Found whole = tokenized(source, dialect, true, false);
    fuzz::require(whole.cells.used == source.size());
    tokenized(source, dialect, false, true);

    const auto cut = static_cast<long>(place % (source.size() + 1));
    Found head = tokenized({source.begin(), source.begin() + cut}, dialect, false, false);
    const auto used = static_cast<long>(head.cells.used);
    const Found tail = tokenized({source.begin() + used, source.end()}, dialect, true, false);
    head.cells.counts.insert(head.cells.counts.end(), tail.cells.counts.begin(),
                             tail.cells.counts.end());
    fuzz::require(head.text + tail.text == whole.text);
    fuzz::require(head.cells.counts == whole.cells.counts);
    return 0;
}
