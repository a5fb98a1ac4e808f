// Fixed-width cases, as SPSS and Stata store them, become Arrow columns.
// Plain twins: tabkit.read.spss_columns and tabkit.read.stata_cases.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "columns.hpp"

namespace tabkit::cases {

enum class Storage { INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, TEXT };

// Which cells are missing.
enum class Missing {
    NONE,
    EQUAL,  // the number ``number`` (SPSS)
    ABOVE,  // integers above ``largest``: the first is ".", then come ".a", ".b" and so on (Stata)
    CODES,  // floats that are one of 27 codes, or ``number`` (Stata)
    EMPTY,  // empty texts (Stata)
};

constexpr int TAGS = 27;  // . and .a to .z

// Consecutive bytes of a case.
struct Piece {
    size_t offset, size;
};

// How a column is taken from a case.
struct Plan {
    Storage storage;
    Missing missing;
    double number;
    int64_t largest;
    std::vector<Piece> pieces;  // one of a number; those of a text are joined
    // A text is cut at its first NUL, or loses these bytes at its end.
    bool until_nul;
    bool padding[256];
};

// Where a column goes; bits begin as zeros.
struct Target {
    char* values;  // numbers in the machine's byte order; of texts their offsets, int32
    uint8_t* validity;
    int8_t* tags;  // 1 for ".a" and so on, else 0; only for ABOVE and CODES
    char* text;
    size_t missing_count = 0, tag_count = 0, text_size = 0;
    bool is_ascii = true, is_utf8 = true;
};

size_t width_of(Storage storage);

// Decodes ``count`` cases of ``width`` bytes, one target a plan.
void decode(const char* data, size_t width, size_t count, bool big_endian,
            const std::vector<Plan>& plans, std::vector<Target>& targets);

}  // namespace tabkit::cases
