#include "csv.hpp"

#include <cstring>

#include "columns.hpp"

namespace tabkit::csv {
namespace {

constexpr uint64_t ONES = 0x0101010101010101, HIGHS = 0x8080808080808080;

// The lowest bit that is set stands in the first byte that is zero.
constexpr uint64_t zero_bytes(uint64_t word) { return (word - ONES) & ~word & HIGHS; }

inline bool is_line_end(char byte) { return byte == '\n' || byte == '\r'; }

class Tokenizer {
 public:
    Tokenizer(const char* source, size_t size, const Dialect& dialect, bool final, bool force,
              char* text)
        : source_(source),
          dialect_(dialect),
          is_final_(final),
          is_forced_(force),
          waits_(!final && !force),
          start_(text),
          out_(text) {
        // Without the end of the text no row after the last line end is whole.
        while (!final && size > 0 && !is_line_end(source[size - 1])) --size;
        size_ = size;
        cells_.ends.reserve(size / 8);
    }

    Cells run() {
        while (cells_.used < size_ && add_row() && !is_forced_) {
        }
        cells_.text_size = out_ - start_;
        return std::move(cells_);
    }

 private:
    bool at(size_t place, char byte) const { return place < size_ && source_[place] == byte; }

    // Adds the row behind those used; false where it is not whole, and then it leaves no trace.
    bool add_row() {
        const Mark mark{out_, cells_.ends.size(), cells_.trailing, cells_.strays, cells_.stray_at};
        has_lines_ = false;
        size_t place = cells_.used;
        do {
            if (mark.ends != cells_.ends.size()) ++place;  // over the delimiter
            if (!add_cell(place)) return undo(mark);
        } while (at(place, dialect_.delimiter));
        const size_t row_end = place;
        if (at(place, '\r')) {
            // Its LF may follow.
            if (place + 1 == size_ && !is_final_ && (waits_ || !has_lines_)) return undo(mark);
            place += at(place + 1, '\n') ? 2 : 1;
        } else if (at(place, '\n')) {
            ++place;
        } else if (waits_) {
            return undo(mark);
        }
        cells_.counts.push_back(cells_.ends.size() - mark.ends);
        cells_.blank.push_back(row_end == cells_.used);
        cells_.row_ends.push_back(row_end);
        cells_.used = place;
        return true;
    }

    struct Mark {
        char* out;
        size_t ends, trailing, strays;
        int64_t stray_at;
    };

    bool undo(const Mark& mark) {
        out_ = mark.out;
        cells_.ends.resize(mark.ends);
        cells_.trailing = mark.trailing;
        cells_.strays = mark.strays;
        cells_.stray_at = mark.stray_at;
        return false;
    }

    // Adds the cell at ``place`` and goes to its end; false where one must wait for that.
    bool add_cell(size_t& place) {
        if (dialect_.quote == 0 || !at(place, dialect_.quote)) {
            place = copy_plain(place);
        } else if (!add_quoted(place)) {
            return false;
        }
        cells_.ends.push_back(out_ - start_);
        return true;
    }

    // Copies up to a delimiter or line end, eight bytes at once; returns where that is.
    size_t copy_plain(size_t place) {
        const uint64_t delimiters = ONES * static_cast<uint8_t>(dialect_.delimiter);
        while (size_ - place >= 8) {
            const auto word = load<uint64_t>(source_ + place);
            store(out_, word);
            const uint64_t found = zero_bytes(word ^ delimiters) | zero_bytes(word ^ ONES * '\n') |
                                   zero_bytes(word ^ ONES * '\r');
            const int count = found == 0 ? 8 : __builtin_ctzll(found) >> 3;
            out_ += count;
            place += count;
            if (found != 0) return place;
        }
        while (place < size_ && source_[place] != dialect_.delimiter &&
               !is_line_end(source_[place])) {
            *out_++ = source_[place++];
        }
        return place;
    }

    bool add_quoted(size_t& place) {
        char* const before = out_;
        const size_t close = copy_inner(place + 1);
        if (close == size_) return add_unclosed(place, before);
        if (close + 1 == size_ && waits_) return false;
        const bool spans_lines = holds_line_end(place + 1, close);
        const size_t end = copy_plain(close + 1);
        if (end != close + 1) {
            if (dialect_.strays && spans_lines) return add_stray(place, before);
            ++cells_.trailing;
        }
        has_lines_ |= spans_lines;
        place = end;
        return true;
    }

    // Copies what stands within quotes; returns where the closing quote is, or size_.
    size_t copy_inner(size_t place) {
        const char quote = dialect_.quote, escape = dialect_.escape;
        const uint64_t quotes = ONES * static_cast<uint8_t>(quote);
        const uint64_t escapes = ONES * static_cast<uint8_t>(escape == 0 ? quote : escape);
        while (place < size_) {
            while (size_ - place >= 8) {
                const auto word = load<uint64_t>(source_ + place);
                if ((zero_bytes(word ^ quotes) | zero_bytes(word ^ escapes)) != 0) break;
                store(out_, word);
                out_ += 8;
                place += 8;
            }
            if (place >= size_) break;
            const char byte = source_[place];
            const bool is_pair =
                (byte == quote || (escape != 0 && byte == escape)) && at(place + 1, quote);
            if (byte == quote && !is_pair) return place;
            *out_++ = is_pair ? quote : byte;
            place += is_pair ? 2 : 1;
        }
        return size_;
    }

    bool holds_line_end(size_t from, size_t to) const {
        return std::memchr(source_ + from, '\n', to - from) != nullptr ||
               std::memchr(source_ + from, '\r', to - from) != nullptr;
    }

    bool add_unclosed(size_t& place, char* before) {
        if (waits_) return false;
        if (dialect_.strays) return add_stray(place, before);
        // All that follows is the cell; only doubled quotes are looked for.
        out_ = before;
        for (++place; place < size_; ++place) {
            *out_++ = source_[place];
            if (source_[place] == dialect_.quote && at(place + 1, dialect_.quote)) ++place;
        }
        cells_.unclosed = true;
        return true;
    }

    bool add_stray(size_t& place, char* before) {
        out_ = before;
        if (cells_.strays++ == 0) cells_.stray_at = place;
        place = copy_plain(place);
        return true;
    }

    const char* const source_;
    size_t size_;
    const Dialect dialect_;
    const bool is_final_, is_forced_, waits_;
    char* const start_;
    char* out_;
    bool has_lines_ = false;  // the row has line ends within quotes
    Cells cells_;
};

}  // namespace

Cells tokenize(const char* source, size_t size, const Dialect& dialect, bool final, bool force,
               char* text) {
    return Tokenizer(source, size, dialect, final, force, text).run();
}

}  // namespace tabkit::csv
