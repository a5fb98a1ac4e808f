// Python's function for lines of an archival table.
#include <vector>

#include "python.hpp"
#include "tab.hpp"

namespace tabkit::python {
namespace {

using tab::Column;
using tab::Kind;

// Bytes of a value of fixed width and its kind; width 0 stands for no such format.
struct Fixed {
    Kind kind;
    size_t width;
};

Fixed fixed_kind(const std::string& format) {
    switch (format.size() == 1 ? format[0] : 0) {
        case 'g': return {Kind::FLOAT64, 8};
        case 'f': return {Kind::FLOAT32, 4};
        case 'c': return {Kind::INT8, 1};
        case 's': return {Kind::INT16, 2};
        case 'i': return {Kind::INT32, 4};
        case 'l': return {Kind::INT64, 8};
        case 'C': return {Kind::UINT8, 1};
        case 'S': return {Kind::UINT16, 2};
        case 'I': return {Kind::UINT32, 4};
        case 'L': return {Kind::UINT64, 8};
        default: return {Kind::INT8, 0};
    }
}

Column make_column(const Array& array, const std::string& style) {
    Column column{};
    column.validity = array.validity();
    if (style == "bare")
        column.bare = true;
    else if (style == "java")
        column.shape = NumberText::JAVA;
    else if (style == "decimal")
        column.shape = NumberText::DECIMAL;
    else if (style != "quoted" && style != "shortest")
        refuse("no style of cells is called " + style);
    if (array.format == "u" || array.format == "U") {
        const bool is_large = array.format == "U";
        column.kind = is_large ? Kind::LARGE_TEXT : Kind::TEXT;
        column.values =
            is_large ? array.texts<int64_t>().offsets.data : array.texts<int32_t>().offsets.data;
        column.data = array.data_bytes.data();
        return column;
    }
    if (array.format == "b") {
        column.kind = Kind::BOOLEAN;
        column.bits = array.bits();
        return column;
    }
    Fixed fixed = fixed_kind(array.format);
    if (fixed.width == 0) {
        const MomentFormat found = moment_format(array.format);
        if (found.width == 0) refuse("no cells have the format " + array.format);
        column.moment = found.moment;
        fixed = {found.width == 4 ? Kind::SHORT_MOMENT : Kind::MOMENT, found.width};
    }
    column.kind = fixed.kind;
    column.values = check_values(array.value_bytes, array.offset, array.count, fixed.width);
    return column;
}

PyObject* tab_lines(PyObject* arguments) {
    PyObject* given;
    Py_ssize_t rows;
    const char* escaped;
    parse(arguments, "Ons", &given, &rows, &escaped);
    const Reference items(checked(PySequence_Tuple(given)));
    if (rows < 0) refuse("a negative number of rows");
    tab::Escapes escapes;
    if (!tab::make_escapes(escaped, escapes)) refuse("only \\ \" TAB LF CR can be escaped");
    std::vector<Array> arrays;
    std::vector<Column> columns;
    for (Py_ssize_t i = 0; i < PyTuple_Size(items.get()); ++i) {
        PyObject* array;
        const char* style;
        parse(PyTuple_GetItem(items.get(), i), "O!s;a column is (array, style)", &PyTuple_Type,
              &array, &style);
        arrays.push_back(Array::from(array));
        if (arrays.back().count != static_cast<size_t>(rows)) refuse("columns of different length");
        columns.push_back(make_column(arrays.back(), style));
    }
    constexpr size_t TYPICAL_CELL = 6;
    Bytes bytes(checked_room(rows, TYPICAL_CELL * columns.size() + 1, 1024));
    char* end;
    {
        WithoutLock released;
        Sink sink = bytes.sink(released);
        tab::write_lines(columns, static_cast<size_t>(rows), escapes, sink);
        end = sink.at;
    }
    return bytes.finish(end);
}

}  // namespace

PyMethodDef TAB_METHODS[] = {
    {"tab_lines", guarded<tab_lines>, METH_VARARGS,
     "tab_lines(columns, rows, escaped)\n--\n\n"
     "Return the lines of an archival table."},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace tabkit::python
