#include "sav_records.hpp"

#include "columns.hpp"

namespace tabkit::sav {
namespace {

constexpr int32_t VARIABLE = 2, LABELS = 3, LABELLED = 4;
constexpr int32_t MAX_WIDTH = 255;
constexpr size_t VALUE = 8, INTEGER = 4;

// Bytes of a value and its label: the label's length and text fill whole words of eight.
inline size_t label_room(size_t length) { return VALUE + (length / 8 + 1) * 8; }

}  // namespace

Label Labels::take(const char*& at) {
    const auto size = load<uint8_t>(at + VALUE);
    const Label found{at, at + VALUE + 1, size};
    at += label_room(size);
    return found;
}

int32_t Records::integer(const char* at) const {
    const auto stored = load<uint32_t>(at);
    return static_cast<int32_t>(is_big_endian_ ? swap_bytes(stored) : stored);
}

const char* Records::take(size_t& at, size_t count) const {
    if (count > size_ - at) return nullptr;
    const char* taken = data_ + at;
    at += count;
    return taken;
}

bool Records::take_count(size_t& at, size_t& count) const {
    const char* taken = take(at, INTEGER);
    if (taken == nullptr || integer(taken) < 0) return false;
    count = static_cast<size_t>(integer(taken));
    return true;
}

bool Records::take_kind(size_t& at, int32_t kind) const {
    const char* taken = take(at, INTEGER);
    return taken != nullptr && integer(taken) == kind;
}

bool Records::next(Variable& found) {
    size_t at = at_;
    if (!take_kind(at, VARIABLE)) return false;
    const char* head = take(at, 5 * INTEGER + 8);
    if (head == nullptr) return false;
    const int32_t has_label = integer(head + INTEGER);
    found.width = integer(head);
    found.missing_kind = integer(head + 2 * INTEGER);
    found.print_format = static_cast<uint32_t>(integer(head + 3 * INTEGER));
    found.name = head + 5 * INTEGER;
    if (found.width < -1 || found.width > MAX_WIDTH) return false;
    if (found.missing_kind < -3 || found.missing_kind == -1 || found.missing_kind > 3) return false;
    if (has_label != 0 && has_label != 1) return false;
    found.label = nullptr;
    if (has_label == 1) {
        if (!take_count(at, found.label_size)) return false;
        found.label = take(at, (found.label_size + 3) / 4 * 4);
        if (found.label == nullptr) return false;
    }
    found.missing = take(at, found.missing_count() * VALUE);
    if (found.missing == nullptr) return false;
    at_ = at;
    return true;
}

bool Records::next(LabelSet& found) {
    size_t at = at_, count;
    if (!take_kind(at, LABELS) || !take_count(at, count)) return false;
    const size_t begin = at;
    for (size_t i = 0; i < count; ++i) {
        const char* value = take(at, VALUE + 1);
        if (value == nullptr) return false;
        const size_t rest = label_room(load<uint8_t>(value + VALUE)) - VALUE - 1;
        if (take(at, rest) == nullptr) return false;
    }
    found.labels = {data_ + begin, count, at - begin};
    if (!take_kind(at, LABELLED) || !take_count(at, found.count)) return false;
    found.elements = take(at, found.count * INTEGER);
    if (found.elements == nullptr) return false;
    at_ = at;
    return true;
}

}  // namespace tabkit::sav
