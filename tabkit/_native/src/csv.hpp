// Cells of delimited text.
// Plain twins: tabkit.read.delimited_tokens and, for quotes out of place, delimited_lexer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tabkit::csv {

// As tabkit.read.delimited_cells.Dialect has it; a character that is not used is 0.
struct Dialect {
    char delimiter, quote, escape;
    bool strays;  // a quote that opens a cell of several lines and has no proper end is text
};

// As tabkit.read.delimited_cells.Cells has them.
struct Cells {
    size_t text_size = 0;
    std::vector<int64_t> ends, counts, row_ends;
    std::vector<uint8_t> blank;
    size_t used = 0, trailing = 0, strays = 0;
    int64_t stray_at = -1;
    bool unclosed = false;
};

// Bytes to have for the text beyond the size of the source, as words are copied whole.
constexpr size_t SPARE_ROOM = 16;

// Splits the whole rows at the start of UTF-8 into cells, whose text goes to ``text``. A row is
// whole if its line end is there, or ``final`` tells that nothing follows. With ``force`` there is
// one row, which does not wait for the end of a quoted cell.
Cells tokenize(const char* source, size_t size, const Dialect& dialect, bool final, bool force,
               char* text);

}  // namespace tabkit::csv
