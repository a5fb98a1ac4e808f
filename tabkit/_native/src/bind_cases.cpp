// Python's functions for the cases of SPSS and Stata files.
#include <cstring>
#include <vector>

#include "cases.hpp"
#include "python.hpp"
#include "sav.hpp"

namespace tabkit::python {
namespace {

using cases::Missing;
using cases::Plan;
using cases::Storage;
using cases::Target;

PyObject* expand(PyObject* arguments) {
    PyObject *given, *given_table;
    parse(arguments, "OO", &given, &given_table);
    const Buffer data(given), table(given_table);
    check_values(table, 0, 256, 8);
    Bytes bytes(checked_room(sav::max_elements(data.size()), 8, 8));
    sav::Expanded expanded;
    char* start = bytes.begin();
    {
        const WithoutLock released;
        expanded = sav::expand(data.data(), data.size(), table.data(), start);
    }
    return checked(Py_BuildValue("NnO", bytes.finish(start + expanded.elements * 8),
                                 static_cast<Py_ssize_t>(expanded.used),
                                 expanded.ended ? Py_True : Py_False));
}

Storage storage_of(const std::string& format) {
    switch (format.size() == 1 ? format[0] : 0) {
        case 'c': return Storage::INT8;
        case 's': return Storage::INT16;
        case 'i': return Storage::INT32;
        case 'l':
        case 'L': return Storage::INT64;
        case 'f': return Storage::FLOAT32;
        case 'g': return Storage::FLOAT64;
        case 'u': return Storage::TEXT;
        default: refuse("no stored values have the format " + format);
    }
}

Missing missing_of(const std::string& rule) {
    if (rule == "none") return Missing::NONE;
    if (rule == "equal") return Missing::EQUAL;
    if (rule == "above") return Missing::ABOVE;
    if (rule == "codes") return Missing::CODES;
    if (rule == "empty") return Missing::EMPTY;
    refuse("no rule for missing values is called " + rule);
}

std::vector<cases::Piece> pieces_of(PyObject* given, size_t width) {
    std::vector<cases::Piece> pieces;
    for (Py_ssize_t i = 0; i < PyTuple_Size(given); ++i) {
        Py_ssize_t offset, size;
        parse(checked(PyTuple_GetItem(given, i)), "nn", &offset, &size);
        if (offset < 0 || size < 0 || static_cast<size_t>(offset) > width ||
            static_cast<size_t>(size) > width - offset) {
            refuse("a column lies outside the case");
        }
        pieces.push_back({static_cast<size_t>(offset), static_cast<size_t>(size)});
    }
    return pieces;
}

bool fits(Storage storage, Missing missing, double number) {
    constexpr double EXACT = 9007199254740992.0;
    switch (missing) {
        case Missing::NONE: return true;
        case Missing::EQUAL: return storage == Storage::FLOAT64;
        case Missing::EMPTY: return storage == Storage::TEXT;
        case Missing::CODES:
            return storage == Storage::FLOAT64 || (storage == Storage::FLOAT32 && number != number);
        case Missing::ABOVE:
            return (storage == Storage::INT8 || storage == Storage::INT16 ||
                    storage == Storage::INT32) &&
                   number > -EXACT && number < EXACT;
    }
    return false;
}

Plan plan_of(PyObject* given, size_t width) {
    const char *format, *missing;
    PyObject *pieces, *padding;
    double number;
    parse(given, "sO!sdO;a plan is (format, pieces, missing, number, padding)", &format,
          &PyTuple_Type, &pieces, &missing, &number, &padding);
    Plan plan{};
    plan.storage = storage_of(format);
    plan.missing = missing_of(missing);
    plan.number = number;
    if (!fits(plan.storage, plan.missing, number)) {
        refuse(std::string("the rule ") + missing + " is not for the format " + format);
    }
    if (plan.missing == Missing::ABOVE) plan.largest = static_cast<int64_t>(number);
    plan.pieces = pieces_of(pieces, width);
    if (plan.storage != Storage::TEXT &&
        (plan.pieces.size() != 1 || plan.pieces[0].size != cases::width_of(plan.storage))) {
        refuse("a number is one piece of its own width");
    }
    const Buffer bytes(padding);
    plan.until_nul = bytes.is_none();
    for (size_t i = 0; i < bytes.size(); ++i) {
        plan.padding[static_cast<uint8_t>(bytes.data()[i])] = true;
    }
    return plan;
}

// The memory of a column in the making.
class Room {
 public:
    Room(const Plan& plan, size_t count)
        : count_(count),
          width_(plan.storage == Storage::TEXT ? 4 : cases::width_of(plan.storage)),
          values_(checked_room(count + (plan.storage == Storage::TEXT), width_, 1)),
          validity_(plan.missing == Missing::NONE ? 1 : count / 8 + 1),
          tags_(has_tags(plan) ? count + 1 : 1),
          text_(text_room(plan, count)) {
        if (plan.missing != Missing::NONE) std::memset(validity_.begin(), 0, count / 8 + 1);
        if (has_tags(plan)) std::memset(tags_.begin(), 0, count + 1);
    }

    Target target() {
        Target target{};
        target.values = values_.begin();
        target.validity = reinterpret_cast<uint8_t*>(validity_.begin());
        target.tags = reinterpret_cast<int8_t*>(tags_.begin());
        target.text = text_.begin();
        return target;
    }

    // (missing, validity, values, data, tags, code)
    PyObject* finish(const Plan& plan, const Target& target) {
        const bool is_text = plan.storage == Storage::TEXT;
        Reference validity(given(validity_, target.missing_count > 0, (count_ + 7) / 8));
        Reference values(given(values_, true, (count_ + is_text) * width_));
        Reference text(given(text_, is_text, target.text_size));
        Reference tags(given(tags_, target.tag_count > 0, count_));
        const char* code = target.is_ascii ? "ascii" : target.is_utf8 ? "utf-8" : "";
        return checked(Py_BuildValue("nNNNNs", static_cast<Py_ssize_t>(target.missing_count),
                                     validity.release(), values.release(), text.release(),
                                     tags.release(), is_text ? code : ""));
    }

 private:
    static bool has_tags(const Plan& plan) {
        return plan.missing == Missing::ABOVE || plan.missing == Missing::CODES;
    }

    // Offsets of texts have 32 bits.
    static size_t text_room(const Plan& plan, size_t count) {
        size_t width = 0;
        if (plan.storage != Storage::TEXT) return 1;
        for (const cases::Piece& piece : plan.pieces) width += piece.size;
        if (width != 0 && count > size_t{INT32_MAX} / width) refuse("too many cases at once");
        return width * count + 1;
    }

    static PyObject* given(Bytes& bytes, bool is_wanted, size_t size) {
        if (!is_wanted) Py_RETURN_NONE;
        return bytes.finish(bytes.begin() + size);
    }

    size_t count_, width_;
    Bytes values_, validity_, tags_, text_;
};

PyObject* decode_cases(PyObject* arguments) {
    PyObject *given, *given_plans;
    Py_ssize_t width, count;
    int big_endian;
    parse(arguments, "OnnpO", &given, &width, &count, &big_endian, &given_plans);
    const Reference items(checked(PySequence_Tuple(given_plans)));
    if (width < 1 || count < 0) refuse("cases have at least 1 byte and no negative number");
    const Buffer data(given);
    check_values(data, 0, static_cast<size_t>(count), static_cast<size_t>(width));
    std::vector<Plan> plans;
    std::vector<Room> rooms;
    std::vector<Target> targets;
    for (Py_ssize_t i = 0; i < PyTuple_Size(items.get()); ++i) {
        plans.push_back(plan_of(PyTuple_GetItem(items.get(), i), static_cast<size_t>(width)));
        rooms.emplace_back(plans.back(), static_cast<size_t>(count));
        targets.push_back(rooms.back().target());
    }
    {
        const WithoutLock released;
        cases::decode(data.data(), width, count, big_endian != 0, plans, targets);
    }
    Reference columns(checked(PyList_New(0)));
    for (size_t i = 0; i < plans.size(); ++i) {
        const Reference column(rooms[i].finish(plans[i], targets[i]));
        if (PyList_Append(columns.get(), column.get()) != 0) throw Failure{};
    }
    return columns.release();
}

}  // namespace

PyMethodDef CASES_METHODS[] = {
    {"expand", guarded<expand>, METH_VARARGS,
     "expand(data, table)\n--\n\nExpand SPSS bytecode; return (elements, used, ended)."},
    {"decode_cases", guarded<decode_cases>, METH_VARARGS,
     "decode_cases(data, width, count, big_endian, plans)\n--\n\n"
     "Return the columns of fixed-width cases."},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace tabkit::python
