// The module tabkit._native.core: what it holds is described in core.pyi.
#include "python.hpp"

namespace {

int add_methods(PyObject* module) {
    using namespace tabkit::python;
    for (PyMethodDef* methods :
         {UNF_METHODS, TAB_METHODS, CASES_METHODS, CSV_METHODS, NUMBER_METHODS, XDR_METHODS,
          R_TEXT_METHODS, SUMMARY_METHODS, OBJECT_METHODS, SAV_METHODS}) {
        if (PyModule_AddFunctions(module, methods) != 0) return -1;
    }
    return 0;
}

PyModuleDef_Slot SLOTS[] = {
    {Py_mod_exec, reinterpret_cast<void*>(add_methods)},
    {0, nullptr},
};

PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT,
    "tabkit._native.core",
    "Compiled kernels of tabkit; each has a plain Python twin.",
    0,
    nullptr,
    SLOTS,
    nullptr,
    nullptr,
    nullptr,
};

}  // namespace

PyMODINIT_FUNC PyInit_core() { return PyModuleDef_Init(&MODULE); }
