#include "tab.hpp"

namespace tabkit::tab {
namespace {

// Room for any cell but text, with its separator.
size_t fixed_room(const std::vector<Column>& columns) {
    size_t room = 1;
    for (const Column& column : columns) {
        const bool is_float = column.kind == Kind::FLOAT32 || column.kind == Kind::FLOAT64;
        room += is_float ? number_room(column.shape) : MOMENT_ROOM;
    }
    return room;
}

constexpr uint64_t ONES = 0x0101010101010101, HIGHS = 0x8080808080808080;

constexpr uint64_t zero_bytes(uint64_t word) { return (word - ONES) & ~word & HIGHS; }

// Whether a byte of the word is a control character, a quote or a backslash.
constexpr bool may_need_escape(uint64_t word) {
    const uint64_t controls = (word - ONES * 0x20) & ~word & HIGHS;
    return controls | zero_bytes(word ^ ONES * '"') | zero_bytes(word ^ ONES * '\\');
}

inline char* escape_byte(char byte, const Escapes& escapes, char* out) {
    const char letter = escapes.letters[static_cast<uint8_t>(byte)];
    *out = '\\';
    out += letter != 0;
    *out++ = letter != 0 ? letter : byte;
    return out;
}

char* write_quoted(const char* text, size_t size, const Escapes& escapes, char* out) {
    *out++ = '"';
    for (; size >= 8; size -= 8, text += 8) {
        const auto word = load<uint64_t>(text);
        if (may_need_escape(word)) {
            for (int i = 0; i < 8; ++i) out = escape_byte(text[i], escapes, out);
        } else {
            store(out, word);
            out += 8;
        }
    }
    for (; size > 0; --size, ++text) out = escape_byte(*text, escapes, out);
    *out++ = '"';
    return out;
}

template <typename T>
inline T value(const Column& column, size_t row) {
    return load<T>(column.values + row * sizeof(T));
}

template <typename Float>
inline char* write_number(const Column& column, size_t row, char* out) {
    const auto number = value<Float>(column, row);
    switch (column.shape) {
        case NumberText::JAVA: return write_float<NumberText::JAVA>(number, out);
        case NumberText::DECIMAL: return write_float<NumberText::DECIMAL>(number, out);
        default: return write_float<NumberText::SHORTEST>(number, out);
    }
}

// ``room`` is what must be left for the cells behind.
template <typename Offset>
char* write_text(const Column& column, size_t row, size_t room, const Escapes& escapes, char* out,
                 Sink& sink) {
    const auto start = value<Offset>(column, row), end = value<Offset>(column, row + 1);
    const char* text = column.data + start;
    const auto size = static_cast<size_t>(end - start);
    sink.at = out;
    sink.reserve((column.bare ? size : 2 * size + 2) + room);
    if (!column.bare) return write_quoted(text, size, escapes, sink.at);
    if (size != 0) std::memcpy(sink.at, text, size);
    return sink.at + size;
}

inline char* write_cell(const Column& column, size_t row, size_t room, const Escapes& escapes,
                        char* out, Sink& sink) {
    switch (column.kind) {
        case Kind::FLOAT64: return write_number<double>(column, row, out);
        case Kind::FLOAT32: return write_number<float>(column, row, out);
        case Kind::TEXT: return write_text<int32_t>(column, row, room, escapes, out, sink);
        case Kind::LARGE_TEXT: return write_text<int64_t>(column, row, room, escapes, out, sink);
        case Kind::INT8: return write_integer(int64_t{value<int8_t>(column, row)}, out);
        case Kind::INT16: return write_integer(int64_t{value<int16_t>(column, row)}, out);
        case Kind::INT32: return write_integer(int64_t{value<int32_t>(column, row)}, out);
        case Kind::INT64: return write_integer(value<int64_t>(column, row), out);
        case Kind::UINT8: return write_integer(uint64_t{value<uint8_t>(column, row)}, out);
        case Kind::UINT16: return write_integer(uint64_t{value<uint16_t>(column, row)}, out);
        case Kind::UINT32: return write_integer(uint64_t{value<uint32_t>(column, row)}, out);
        case Kind::UINT64: return write_integer(value<uint64_t>(column, row), out);
        case Kind::BOOLEAN: *out = column.bits[row] ? '1' : '0'; return out + 1;
        case Kind::SHORT_MOMENT:
            return write_moment(column.moment, value<int32_t>(column, row), ' ', out);
        case Kind::MOMENT:
            return write_moment(column.moment, value<int64_t>(column, row), ' ', out);
    }
    return out;
}

}  // namespace

bool make_escapes(const char* characters, Escapes& escapes) {
    escapes = {};
    for (; *characters != 0; ++characters) {
        const char* known = "\\\\\"\"\tt\nn\rr";  // each with its letter
        while (*known != 0 && *known != *characters) known += 2;
        if (*known == 0) return false;
        escapes.letters[static_cast<uint8_t>(*known)] = known[1];
    }
    return true;
}

void write_lines(const std::vector<Column>& columns, size_t rows, const Escapes& escapes,
                 Sink& sink) {
    const size_t room = fixed_room(columns);
    for (size_t row = 0; row < rows; ++row) {
        sink.reserve(room);
        char* out = sink.at;
        for (const Column& column : columns) {
            if (column.validity[row]) out = write_cell(column, row, room, escapes, out, sink);
            *out++ = '\t';
        }
        if (columns.empty()) ++out;
        out[-1] = '\n';
        sink.at = out;
    }
}

}  // namespace tabkit::tab
