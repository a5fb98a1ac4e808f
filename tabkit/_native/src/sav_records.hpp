// Records of an SPSS system file's dictionary: variables (type 2), value labels (types 3 and 4).
// Plain twin: tabkit.read.spss_records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tabkit::sav {

struct Variable {
    int32_t width;  // -1 for a further element of a string
    const char* name;  // 8 bytes
    const char* label;  // null where there is none
    size_t label_size;
    int32_t missing_kind;
    const char* missing;  // 8 bytes each
    uint32_t print_format;

    size_t missing_count() const {
        return static_cast<size_t>(missing_kind < 0 ? -missing_kind : missing_kind);
    }
};

struct Label {
    const char* value;  // 8 bytes
    const char* text;
    size_t size;
};

// Labels one after the other in checked memory.
struct Labels {
    const char* begin = nullptr;
    size_t count = 0, bytes = 0;

    // Returns the label at ``at`` and moves on to the next one.
    static Label take(const char*& at);
    bool operator==(const Labels& other) const {
        return count == other.count && bytes == other.bytes &&
               std::memcmp(begin, other.begin, bytes) == 0;
    }
};

struct LabelSet {
    Labels labels;
    const char* elements;  // integers of 32 bits in the file's byte order
    size_t count;
};

// Walks over whole records that keep the format's rules, and stops before any other: that one is
// left to who can read on, or tell what is wrong with it.
class Records {
 public:
    // ``at`` is not beyond ``size``.
    Records(const char* data, size_t size, size_t at, bool is_big_endian)
        : data_(data), size_(size), at_(at), is_big_endian_(is_big_endian) {}
    bool next(Variable& found);
    bool next(LabelSet& found);
    size_t at() const { return at_; }
    int32_t integer(const char* at) const;

 private:
    // Takes so many bytes from ``at`` on; null where they are not there.
    const char* take(size_t& at, size_t count) const;
    // Takes a number that must not be negative.
    bool take_count(size_t& at, size_t& count) const;
    bool take_kind(size_t& at, int32_t kind) const;

    const char* data_;
    size_t size_, at_;
    bool is_big_endian_;
};

}  // namespace tabkit::sav
