// Python's function for the cells of delimited text.
#include <cstring>

#include "csv.hpp"
#include "python.hpp"

namespace tabkit::python {
namespace {

char ascii_character(const char* text, const char* name, bool may_lack) {
    const size_t size = std::strlen(text);
    const bool is_fit = size == 1 ? static_cast<uint8_t>(text[0]) < 0x80 : size == 0 && may_lack;
    if (!is_fit) refuse(std::string("the ") + name + " is not one ASCII character");
    return text[0];
}

template <typename T>
PyObject* bytes_of(const std::vector<T>& values) {
    return checked(PyBytes_FromStringAndSize(reinterpret_cast<const char*>(values.data()),
                                             static_cast<Py_ssize_t>(values.size() * sizeof(T))));
}

PyObject* tokenize(PyObject* arguments) {
    PyObject* given;
    const char *delimiter, *quote, *escape;
    int strays, final, force;
    parse(arguments, "Osssppp", &given, &delimiter, &quote, &escape, &strays, &final, &force);
    const csv::Dialect dialect{ascii_character(delimiter, "delimiter", false),
                               ascii_character(quote, "quote", true),
                               ascii_character(escape, "escape", true), strays != 0};
    const Buffer source(given);
    Bytes text(checked_room(1, source.size(), csv::SPARE_ROOM));
    char* start = text.begin();
    csv::Cells cells;
    {
        const WithoutLock released;
        cells = csv::tokenize(source.data(), source.size(), dialect, final != 0, force != 0, start);
    }
    Reference all_text(text.finish(start + cells.text_size)), ends(bytes_of(cells.ends)),
        counts(bytes_of(cells.counts)), blank(bytes_of(cells.blank)),
        row_ends(bytes_of(cells.row_ends));
    return checked(Py_BuildValue(
        "OOOOOnnnnO", all_text.get(), ends.get(), counts.get(), blank.get(), row_ends.get(),
        static_cast<Py_ssize_t>(cells.used), static_cast<Py_ssize_t>(cells.trailing),
        static_cast<Py_ssize_t>(cells.strays), static_cast<Py_ssize_t>(cells.stray_at),
        cells.unclosed ? Py_True : Py_False));
}

}  // namespace

PyMethodDef CSV_METHODS[] = {
    {"tokenize", guarded<tokenize>, METH_VARARGS,
     "tokenize(source, delimiter, quote, escape, strays, final, force)\n--\n\n"
     "Split the whole rows of delimited text into cells."},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace tabkit::python
