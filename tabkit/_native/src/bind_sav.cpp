// Python's functions for the dictionary of SPSS system files.
#include "python.hpp"
#include "sav_records.hpp"

namespace tabkit::python {
namespace {

constexpr size_t VALUE = 8, INTEGER = 4;

PyObject* bytes_of(const char* begin, size_t size) {
    return checked(PyBytes_FromStringAndSize(begin, static_cast<Py_ssize_t>(size)));
}

sav::Records records_from(const Buffer& window, Py_ssize_t at, int big_endian) {
    if (at < 0 || static_cast<size_t>(at) > window.size()) refuse("a place is beyond the bytes");
    return {window.data(), window.size(), static_cast<size_t>(at), big_endian != 0};
}

PyObject* variable_tuple(const sav::Variable& found, Py_ssize_t element) {
    Reference name(bytes_of(found.name, VALUE));
    Reference label(found.label == nullptr ? Py_NewRef(Py_None)
                                           : bytes_of(found.label, found.label_size));
    const Reference missing = tuple_of(found.missing_count(), [&](size_t i) {
        return bytes_of(found.missing + i * VALUE, VALUE);
    });
    const uint32_t format = found.print_format;
    return checked(Py_BuildValue("niOOiOiii", element, found.width, name.get(), label.get(),
                                 found.missing_kind, missing.get(), format >> 16 & 0xFF,
                                 format >> 8 & 0xFF, format & 0xFF));
}

void append(const Reference& list, PyObject* made) {
    const Reference item(made);
    if (PyList_Append(list.get(), item.get()) != 0) throw Failure{};
}

PyObject* sav_variables(PyObject* arguments) {
    PyObject* given;
    Py_ssize_t at, element;
    int big_endian;
    parse(arguments, "Onpn", &given, &at, &big_endian, &element);
    const Buffer window(given);
    if (element < 0) refuse("elements are counted from 0");
    sav::Records records = records_from(window, at, big_endian);
    Reference all(checked(PyList_New(0)));
    for (sav::Variable found; records.next(found); ++element) {
        if (found.width >= 0) append(all, variable_tuple(found, element));
    }
    return checked(
        Py_BuildValue("Onn", all.get(), static_cast<Py_ssize_t>(records.at()), element));
}

Reference labels_tuple(const sav::Labels& labels) {
    const char* at = labels.begin;
    return tuple_of(labels.count, [&](size_t) {
        const sav::Label label = sav::Labels::take(at);
        Reference value(bytes_of(label.value, VALUE)), text(bytes_of(label.text, label.size));
        return checked(PyTuple_Pack(2, value.get(), text.get()));
    });
}

PyObject* sav_label_sets(PyObject* arguments) {
    PyObject* given;
    Py_ssize_t at;
    int big_endian;
    parse(arguments, "Onp", &given, &at, &big_endian);
    const Buffer window(given);
    sav::Records records = records_from(window, at, big_endian);
    Reference all(checked(PyList_New(0)));
    Reference labels;  // a survey asks many questions with one scale
    sav::Labels last;
    for (sav::LabelSet found; records.next(found); last = found.labels) {
        if (labels.get() == nullptr || !(found.labels == last))
            labels = labels_tuple(found.labels);
        const Reference elements = tuple_of(found.count, [&](size_t i) {
            return checked(PyLong_FromLong(records.integer(found.elements + i * INTEGER)));
        });
        append(all, checked(PyTuple_Pack(2, labels.get(), elements.get())));
    }
    return checked(Py_BuildValue("On", all.get(), static_cast<Py_ssize_t>(records.at())));
}

}  // namespace

PyMethodDef SAV_METHODS[] = {
    {"sav_variables", guarded<sav_variables>, METH_VARARGS,
     "sav_variables(window, at, big_endian, element)\n--\n\nReturn a run of variable records."},
    {"sav_label_sets", guarded<sav_label_sets>, METH_VARARGS,
     "sav_label_sets(window, at, big_endian)\n--\n\nReturn a run of sets of value labels."},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace tabkit::python
