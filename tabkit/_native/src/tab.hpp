// Lines of an archival table from a block of columns.
// Plain twin: tabkit.write.cells and tabkit.write.tab.
#pragma once

#include <cstddef>
#include <vector>

#include "calendar.hpp"
#include "columns.hpp"
#include "decimal_text.hpp"
#include "sink.hpp"

namespace tabkit::tab {

enum class Kind {
    INT8,
    INT16,
    INT32,
    INT64,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    FLOAT32,
    FLOAT64,
    BOOLEAN,
    SHORT_MOMENT,
    MOMENT,  // counts of 32 and 64 bits
    TEXT,
    LARGE_TEXT,
};

struct Column {
    Kind kind;
    NumberText shape;  // of floats
    bool bare;         // text without quotes and escapes
    Moment moment;
    Validity validity;
    const char* values;  // from the first case on: numbers, or the offsets of texts
    const char* data;    // of texts
    Validity bits;       // of booleans
};

// Characters that get a backslash: 0 or the letter behind the backslash.
struct Escapes {
    char letters[256];
};

// Source: design, section 3; a character other than \ " TAB LF CR is no escape.
bool make_escapes(const char* characters, Escapes& escapes);

void write_lines(const std::vector<Column>& columns, size_t rows, const Escapes& escapes,
                 Sink& sink);

}  // namespace tabkit::tab
