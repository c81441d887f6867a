// SPDX-License-Identifier: Apache-2.0
//
// frames: which frames of a C stack are the program under test, and which are only on the way.
//
// A signature must name what the program did, not the mutex, the interposer or the assertion machinery through which it
// did it. This is the one table of such functions; symbolizer.h fills frames in, signature.h and the stories read them.
#ifndef CX_DETECT_FRAMES_H
#define CX_DETECT_FRAMES_H

#include <stdint.h>

enum cx_frame_class {
    CX_FRAME_PROGRAM = 0, // CPython, the runtime, a scenario
    CX_FRAME_HARNESS,     // ours, a sanitizer's, or the C library's
    CX_FRAME_FAILURE,     // CPython's own way from a failed check to abort()
    CX_FRAME_WAITING,     // the primitive in which a thread waits: PyMutex, parking lot, semaphore
    CX_FRAME_ATOMIC,      // wrappers of single atomic operations, of reference counts and of the allocator
    CX_FRAME_UNKNOWN,     // no name
};

#define CX_SYMBOL_FRAMES_MAX 128

// One frame, inlined ones included. Texts are borrowed from the symbolizer, never NULL.
struct cx_symbol_frame {
    const char *function; // "?" when not known
    const char *file;     // shortened; "" when not known
    uint32_t line;
    uint32_t frame_class; // enum cx_frame_class
    uint64_t pc;
};

struct cx_symbol_stack {
    uint32_t count;
    uint32_t truncated;
    struct cx_symbol_frame frames[CX_SYMBOL_FRAMES_MAX];
};

// The class of a function by its name, its source file (shortened, may be empty) and the file of its module.
enum cx_frame_class cx_frame_classify(const char *function, const char *file, const char *module_path);

// Index of the first frame from `from` on whose class is in `classes` (a mask of 1 << class), or -1.
int cx_frame_first(const struct cx_symbol_stack *stack, uint32_t classes, uint32_t from);

// Name of the innermost frame that says what a thread does: of the program and no mere waiting; else of the program's
// primitives; else of its way to abort(). NULL when the program has no frame on this stack.
const char *cx_frame_telling(const struct cx_symbol_stack *stack);

// Index of that frame, or -1.
int cx_frame_telling_index(const struct cx_symbol_stack *stack);

#endif
