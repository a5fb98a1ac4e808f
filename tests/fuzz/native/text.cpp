// Numbers, dates and texts of any bits into a UNF's normal form, tab text and R's vectors.
#include <string>

#include "decimal_text.hpp"
#include "input.hpp"
#include "tab.hpp"
#include "unf.hpp"
#include "xdr.hpp"

namespace {

using namespace tabkit;

void grow(Sink& sink, size_t bytes) {
    auto& text = *static_cast<std::vector<char>*>(sink.owner);
    const auto written = static_cast<size_t>(sink.at - text.data());
    text.resize(written + bytes + text.size() / 2);
    sink.at = text.data() + written;
    sink.end = text.data() + text.size();
}

void check_doubles(const std::vector<char>& data, int digits, NumberText shape) {
    const size_t count = data.size() / 8;
    const Values<double> values{data.data()};
    std::vector<char> out(count * unf::number_room(digits) + unf::SPARE_ROOM);
    unf::write_numbers(values, Validity{nullptr, 0}, count, digits, out.data());
    for (size_t i = 0; i < count; ++i) {
        std::vector<char> cell(number_room(shape));
        char* end = shape == NumberText::JAVA
                        ? write_float<NumberText::JAVA>(values[i], cell.data())
                    : shape == NumberText::DECIMAL
                        ? write_float<NumberText::DECIMAL>(values[i], cell.data())
                        : write_float<NumberText::SHORTEST>(values[i], cell.data());
        const double back = std::strtod(std::string(cell.data(), end).c_str(), nullptr);
        const double value = values[i];
        if (value - value == 0) fuzz::require(std::memcmp(&back, &value, sizeof back) == 0);
    }
}

void check_moments(const std::vector<char>& data, const Moment& moment) {
    for (size_t i = 0; i < data.size() / 8; ++i) {
        std::vector<char> cell(MOMENT_ROOM);
        const int64_t count = Values<int64_t>{data.data()}[i];
        const bool is_date = moment.kind == Moment::Kind::DATE;  // days have 32 bits
        write_moment(moment, is_date ? static_cast<int32_t>(count) : count, 'T', cell.data());
    }
}

void check_texts(const std::vector<char>& data, size_t pieces, size_t characters) {
    std::vector<int32_t> places{0};
    for (size_t i = 1; i <= pieces; ++i)
        places.push_back(static_cast<int32_t>(data.size() * i / pieces));
    const auto* offsets = reinterpret_cast<const char*>(places.data());
    const Texts<int32_t> texts{{offsets}, data.data()};
    const Validity all{nullptr, 0};
    std::vector<char> out(data.size() + pieces * unf::MISSING_SIZE + unf::SPARE_ROOM);
    unf::write_texts(texts, all, pieces, characters, out.data());
    std::vector<char> vectors(data.size() + pieces * xdr::TEXT_HEAD);
    char* end = vectors.data();
    xdr::write_texts(texts, all, pieces, end);

    tab::Column column{};
    column.kind = tab::Kind::TEXT;
    column.validity = all;
    column.values = offsets;
    column.data = data.data();
    tab::Escapes escapes;
    fuzz::require(tab::make_escapes("\\\"\t\n\r", escapes));
    std::vector<char> lines;
    Sink sink{lines.data(), lines.data(), grow, &lines};
    tab::write_lines({column}, pieces, escapes, sink);
    size_t ends = 0;
    for (const char* at = lines.data(); at != sink.at; ++at) ends += *at == '\n';
    fuzz::require(ends == pieces);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
    fuzz::Input all(input, size);
    const auto digits = static_cast<int>(1 + all.number(unf::MAX_DIGITS));
    const auto shape = static_cast<NumberText>(all.number(3));
    const Moment moment{static_cast<Moment::Kind>(all.number(3)),
                        static_cast<int>(3 * all.number(4)), all.number(2) != 0};
    const size_t pieces = 1 + all.number(9), characters = 1 + all.number(40);
    const std::vector<char> data = all.rest();
    if (data.empty()) return 0;  // the border to Python gives no null pointers
    check_doubles(data, digits, shape);
    check_moments(data, moment);
    check_texts(data, pieces, characters);
    return 0;
}
