// Fixed-width cases under any plan that the border to Python lets through.
#include "cases.hpp"

#include "input.hpp"

namespace {

using namespace tabkit::cases;

constexpr size_t MOST_COLUMNS = 8, MOST_WIDTH = 300;

bool fits(Storage storage, Missing missing) {
    switch (missing) {
        case Missing::NONE: return true;
        case Missing::EQUAL: return storage == Storage::FLOAT64;
        case Missing::CODES: return storage == Storage::FLOAT64;
        case Missing::EMPTY: return storage == Storage::TEXT;
        case Missing::ABOVE:
            return storage == Storage::INT8 || storage == Storage::INT16 ||
                   storage == Storage::INT32;
    }
    return false;
}

Plan take_plan(fuzz::Input& input, size_t width) {
    Plan plan{};
    plan.storage = static_cast<Storage>(input.number(7));
    plan.missing = static_cast<Missing>(input.number(5));
    if (!fits(plan.storage, plan.missing)) plan.missing = Missing::NONE;
    plan.number = static_cast<double>(input.number(300)) - 100;
    plan.largest = static_cast<int64_t>(plan.number);
    plan.until_nul = input.number(2) != 0;
    plan.padding[' '] = plan.padding[input.number(256)] = true;
    const size_t size = width_of(plan.storage);
    if (plan.storage != Storage::TEXT && size > width)
        plan.storage = Storage::INT8, plan.missing = Missing::NONE;
    if (plan.storage != Storage::TEXT) {
        const size_t own = width_of(plan.storage);
        plan.pieces.push_back({input.number(width - own + 1), own});
        return plan;
    }
    for (size_t i = input.number(4); i > 0; --i) {
        const size_t offset = input.number(width + 1);
        plan.pieces.push_back({offset, input.number(width - offset + 1)});
    }
    return plan;
}

struct Room {
    std::vector<char> values, text;
    std::vector<uint8_t> validity;
    std::vector<int8_t> tags;

    Room(const Plan& plan, size_t count)
        : values(plan.storage == Storage::TEXT ? 4 * (count + 1) : width_of(plan.storage) * count),
          validity((count + 7) / 8),
          tags(count) {
        size_t width = 0;
        for (const Piece& piece : plan.pieces) width += piece.size;
        text.reserve(1);  // the border to Python gives no null pointers
        text.resize(plan.storage == Storage::TEXT ? width * count : 0);
    }

    Target target() {
        Target target{};
        target.values = values.data();
        target.validity = validity.data();
        target.tags = tags.data();
        target.text = text.data();
        return target;
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
    fuzz::Input all(input, size);
    const size_t width = 1 + all.number(MOST_WIDTH);
    const bool big_endian = all.number(2) != 0;
    std::vector<Plan> plans;
    for (size_t i = all.number(MOST_COLUMNS); i > 0; --i) plans.push_back(take_plan(all, width));
    const std::vector<char> data = all.rest();
    const size_t count = data.size() / width;

    std::vector<Room> rooms;
    std::vector<Target> targets;
    for (const Plan& plan : plans) rooms.emplace_back(plan, count);
    for (Room& room : rooms) targets.push_back(room.target());
    decode(data.data(), width, count, big_endian, plans, targets);

    for (size_t i = 0; i < plans.size(); ++i) {
        fuzz::require(targets[i].text_size <= rooms[i].text.size());
        size_t present = 0;
        for (size_t row = 0; row < count; ++row)
            present += rooms[i].validity[row / 8] >> (row % 8) & 1;
        if (plans[i].missing != Missing::NONE)
            fuzz::require(present + targets[i].missing_count == count);
        for (const int8_t tag : rooms[i].tags) fuzz::require(tag >= 0 && tag < TAGS);
    }
    return 0;
}
