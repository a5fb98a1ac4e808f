// SPSS bytecode: as a plain reading of the format expands it, in one piece or in two.
#include "sav.hpp"

#include "input.hpp"

namespace {

using tabkit::sav::Expanded;
using Bytes = std::vector<char>;

Bytes plainly(const Bytes& data, const Bytes& table, size_t& used, bool& ended) {
    Bytes out;
    used = 0;
    ended = false;
    while (!ended && data.size() - used >= 8) {
        size_t raws = 0;
        for (size_t i = 0; i < 8; ++i)
            raws += static_cast<uint8_t>(data[used + i]) == tabkit::sav::RAW;
        if (data.size() - used - 8 < raws * 8) break;
        size_t raw = used + 8;
        for (size_t i = 0; i < 8 && !ended; ++i) {
            const auto code = static_cast<uint8_t>(data[used + i]);
            ended = code == tabkit::sav::END;
            if (ended || code == tabkit::sav::SKIP) continue;
            const bool is_raw = code == tabkit::sav::RAW;
            const char* from = is_raw ? data.data() + raw : table.data() + code * 8;
            out.insert(out.end(), from, from + 8);
            raw += is_raw ? 8 : 0;
        }
        used += 8 + raws * 8;
    }
    return out;
}

Bytes expanded(const Bytes& data, const Bytes& table, Expanded& found) {
    Bytes out(tabkit::sav::max_elements(data.size()) * 8 + 8);
    found = tabkit::sav::expand(data.data(), data.size(), table.data(), out.data());
    out.resize(found.elements * 8);
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
    fuzz::Input all(input, size);
    Bytes table(256 * 8);
    for (size_t i = 0; i < table.size(); ++i) table[i] = static_cast<char>(i * 31 >> 3);
    const size_t cut = all.number(4096);
    const Bytes data = all.rest();

    Expanded found;
    size_t used;
    bool ended;
    const Bytes whole = expanded(data, table, found);
    fuzz::require(whole == plainly(data, table, used, ended));
    fuzz::require(found.used == used && found.ended == ended);

    const Bytes head(data.begin(), data.begin() + static_cast<long>(cut % (data.size() + 1)));
    Bytes parts = expanded(head, table, found);
    if (!found.ended) {
        const Bytes tail(data.begin() + static_cast<long>(found.used), data.end());
        const Bytes more = expanded(tail, table, found);
        parts.insert(parts.end(), more.begin(), more.end());
    }
    fuzz::require(parts == whole);
    return 0;
}
