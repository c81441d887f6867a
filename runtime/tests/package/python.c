// SPDX-License-Identifier: Apache-2.0
//
// python: the interpreter that the targets lack. They are a libpython.a and no program; the test of the extension
// module needs one that runs a script and imports shared objects.
#include <Python.h>

int main(int argc, char **argv)
{
    return Py_BytesMain(argc, argv);
}
