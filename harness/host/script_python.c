// SPDX-License-Identifier: Apache-2.0
//
// script_python: see script_python.h. An exception that nobody catches is what a failed assertion is in C: it ends the
// main thread with exit status 1, but another thread in silence. Both are noted, by type and place and without what
// differs between runs; programs that set hooks of their own get what they set.
#include <Python.h>

#include "harness/host/script_python.h"

#include "harness/host/subject.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

PyStatus cx_script_configure(PyConfig *config, const struct cx_subject_info *subject)
{
    PyStatus status = PyStatus_Ok();
    const char *word = subject->words;
    int module = subject->kind == CX_SUBJECT_MODULE;
    config->parse_argv = 0;
    config->user_site_directory = 0;
    config->pathconfig_warnings = 0;
    for (uint32_t i = 0; i < subject->words_count && !PyStatus_Exception(status); i++) {
        wchar_t *wide = Py_DecodeLocale(word, NULL);
        if (wide == NULL) {
            return PyStatus_NoMemory();
        }
        if (i == 0) {
            status = PyConfig_SetString(config, module ? &config->run_module : &config->run_filename, wide);
        }
        if (!PyStatus_Exception(status)) {
            status = PyWideStringList_Append(&config->argv, i == 0 && module ? L"-m" : wide);
        }
        PyMem_RawFree(wide);
        word += strlen(word) + 1;
    }
    return status;
}

// True if a word of the command line, or the module itself, is `test` or lies in that package.
static int names_tests(const struct cx_subject_info *subject)
{
    const char *word = subject->words;
    for (uint32_t i = 0; i < subject->words_count; i++) {
        if (strncmp(word, "test.", 5) == 0 || (i == 0 && strcmp(word, "test") == 0)) {
            return 1;
        }
        if (i == 0 && strcmp(word, "unittest") != 0) {
            return 0;
        }
        word += strlen(word) + 1;
    }
    return 0;
}

int cx_script_tests(const struct cx_subject_info *subject, const char *stdlib, char folder[PATH_MAX])
{
    char path[PATH_MAX];
    folder[0] = '\0';
    if (subject->kind != CX_SUBJECT_MODULE || !names_tests(subject)) {
        return 0;
    }
    // <cache>/src/VERSION/Lib, and <cache>/tests/VERSION.
    snprintf(path, sizeof(path), "%s/../../../tests/" PY_VERSION, stdlib);
    if (realpath(path, folder) != NULL) {
        return 0;
    }
    folder[0] = '\0';
    // Somebody may have a package of that name of his own.
    if (getenv("PYTHONPATH") != NULL || access("test", F_OK) == 0 || access("test.py", F_OK) == 0) {
        return 0;
    }
    fprintf(stderr,
            "constrictor runner: CPython's own tests are not in the cache: tools/cpython-build --tests " PY_VERSION
            " unpacks them\n");
    return -1;
}

// "AssertionError in worker, race.py": the innermost frame of the traceback.
static void describe(PyObject *type, PyObject *traceback, const char *where)
{
    const char *name = PyType_Check(type) ? ((PyTypeObject *)type)->tp_name : "exception";
    PyObject *function = NULL;
    PyObject *file = NULL;
    const char *function_text = NULL;
    const char *file_text = NULL;
    while (traceback != NULL && PyTraceBack_Check(traceback) && ((PyTracebackObject *)traceback)->tb_next != NULL) {
        traceback = (PyObject *)((PyTracebackObject *)traceback)->tb_next;
    }
    if (traceback != NULL && PyTraceBack_Check(traceback)) {
        PyCodeObject *code = PyFrame_GetCode(((PyTracebackObject *)traceback)->tb_frame);
        function = PyObject_GetAttrString((PyObject *)code, "co_qualname");
        file = PyObject_GetAttrString((PyObject *)code, "co_filename");
        function_text = function != NULL ? PyUnicode_AsUTF8(function) : NULL;
        file_text = file != NULL ? PyUnicode_AsUTF8(file) : NULL;
        Py_DECREF(code);
    }
    const char *slash = file_text != NULL ? strrchr(file_text, '/') : NULL;
    char text[300];
    snprintf(text, sizeof(text), "%s%s in %s, %s", name, where, function_text != NULL ? function_text : "?",
             slash != NULL ? slash + 1 : (file_text != NULL ? file_text : "?"));
    cx_subject_note(text);
    Py_XDECREF(function);
    Py_XDECREF(file);
    PyErr_Clear();
}

static PyObject *main_hook(PyObject *self, PyObject *arguments)
{
    (void)self;
    if (PyTuple_GET_SIZE(arguments) == 3) {
        describe(PyTuple_GET_ITEM(arguments, 0), PyTuple_GET_ITEM(arguments, 2), "");
    }
    PyObject *original = PySys_GetObject("__excepthook__");
    return original != NULL ? PyObject_CallObject(original, arguments) : Py_NewRef(Py_None);
}

static PyObject *thread_hook(PyObject *self, PyObject *arguments)
{
    PyObject *type = PyObject_GetAttrString(arguments, "exc_type");
    PyObject *traceback = PyObject_GetAttrString(arguments, "exc_traceback");
    if (type != NULL && traceback != NULL && !PyErr_GivenExceptionMatches(type, PyExc_SystemExit)) {
        describe(type, traceback, " that ended a thread");
    }
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    PyErr_Clear();
    return PyObject_CallOneArg(self, arguments);
}

static PyMethodDef main_hook_method = {"excepthook", main_hook, METH_VARARGS, NULL};
static PyMethodDef thread_hook_method = {"excepthook", thread_hook, METH_O, NULL};

// What a script imports at its top level, and what can be done about it before the first fork: modules of the standard
// library are imported, since compiling them anew would be most of a short run; of extension modules the file is told,
// without a part of them being run. Errors are the script's own to report, when it runs.
static const char ahead_code[] = "import ast, os, sys\n"
                                 "from importlib.machinery import PathFinder\n"
                                 "def ahead(path):\n"
                                 "    with open(path, 'rb') as file:\n"
                                 "        body = ast.parse(file.read()).body\n"
                                 "    names = [item.name for node in body if isinstance(node, ast.Import)\n"
                                 "             for item in node.names]\n"
                                 "    names += [node.module for node in body\n"
                                 "              if isinstance(node, ast.ImportFrom) and not node.level]\n"
                                 "    files = []\n"
                                 "    for name in names:\n"
                                 "        if name.partition('.')[0] in sys.stdlib_module_names:\n"
                                 "            __import__(name)\n"
                                 "        else:\n"
                                 "            folders = [os.path.dirname(path) or '.', *sys.path]\n"
                                 "            spec = PathFinder.find_spec(name, folders)\n"
                                 "            if spec and spec.origin and spec.origin.endswith('.so'):\n"
                                 "                files.append(os.path.abspath(spec.origin))\n"
                                 "    if any(name.startswith('concurrent.futures') for name in names):\n"
                                 "        import concurrent.futures.thread\n"
                                 "    return '\\n'.join(files)\n";

// An extension module that is in place before the fork has its address in the runner's list of files, so that its
// functions have names in reports.
static void load_ahead(const char *files)
{
    char path[PATH_MAX];
    while (files != NULL && files[0] != '\0') {
        size_t chars = strcspn(files, "\n");
        snprintf(path, sizeof(path), "%.*s", (int)chars, files);
        dlopen(path, RTLD_LAZY);
        files += chars + (files[chars] == '\n');
    }
}

static void look_ahead(const char *path)
{
    PyObject *globals = PyDict_New();
    PyObject *done = NULL;
    if (globals != NULL && PyDict_SetItemString(globals, "__builtins__", PyEval_GetBuiltins()) == 0) {
        done = PyRun_String(ahead_code, Py_file_input, globals, globals);
    }
    PyObject *function = done != NULL ? PyDict_GetItemString(globals, "ahead") : NULL;
    PyObject *files = function != NULL ? PyObject_CallFunction(function, "s", path) : NULL;
    if (files != NULL && PyUnicode_Check(files)) {
        load_ahead(PyUnicode_AsUTF8(files));
    }
    PyErr_Clear();
    Py_XDECREF(files);
    Py_XDECREF(done);
    Py_XDECREF(globals);
}

int cx_script_prepare(const struct cx_subject_info *subject)
{
    if (subject->kind == CX_SUBJECT_SCRIPT && !subject->from_start) {
        look_ahead(subject->words);
    }
    PyObject *threading = PyImport_ImportModule("threading");
    PyObject *original = threading != NULL ? PyObject_GetAttrString(threading, "excepthook") : NULL;
    PyObject *in_thread = original != NULL ? PyCFunction_New(&thread_hook_method, original) : NULL;
    PyObject *in_main = PyCFunction_New(&main_hook_method, NULL);
    int failed = in_thread == NULL || in_main == NULL || PySys_SetObject("excepthook", in_main) != 0 ||
                 PyObject_SetAttrString(threading, "excepthook", in_thread) != 0;
    if (failed) {
        PyErr_Print();
        fprintf(stderr, "constrictor runner: the hooks for uncaught exceptions cannot be set\n");
    }
    Py_XDECREF(threading);
    Py_XDECREF(original);
    Py_XDECREF(in_thread);
    Py_XDECREF(in_main);
    return failed ? -1 : 0;
}
