// Python's functions for objects of the model.
#include "python.hpp"

namespace tabkit::python {
namespace {

PyObject* fill(PyObject* arguments) {
    PyObject *object, *names, *values;
    parse(arguments, "OO!O!", &object, &PyTuple_Type, &names, &PyTuple_Type, &values);
    const Py_ssize_t count = PyTuple_GET_SIZE(names);
    if (PyTuple_GET_SIZE(values) != count) refuse("there are not as many values as names");
    for (Py_ssize_t i = 0; i < count; ++i) {
        PyObject* value = PyTuple_GET_ITEM(values, i);
        if (PyObject_GenericSetAttr(object, PyTuple_GET_ITEM(names, i), value) != 0) throw Failure{};
    }
    Py_RETURN_NONE;
}

}  // namespace

PyMethodDef OBJECT_METHODS[] = {
    {"fill", guarded<fill>, METH_VARARGS,
     "fill(object, names, values)\n--\n\nSet attributes as object.__setattr__ does."},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace tabkit::python
