// SPSS bytecode: eight codes, then the elements that have no code.
// Plain twin: tabkit.read.spss_cases.expand.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tabkit::sav {

enum Code : uint8_t { SKIP = 0, END = 252, RAW = 253 };

struct Expanded {
    size_t elements;  // written
    size_t used;      // bytes read
    bool ended;       // the code for the end of the data was met
};

// The most elements that ``size`` bytes can stand for.
constexpr size_t max_elements(size_t size) { return size; }

// Expands all octets of codes whose raw elements are in ``data`` too, which begins with one.
// ``table`` has the element of 8 bytes that each code stands for; ``out`` has room for
// max_elements(size).
Expanded expand(const char* data, size_t size, const char* table, char* out);

}  // namespace tabkit::sav
