// SPDX-License-Identifier: Apache-2.0
//
// input: what fuzz targets share: reading an input field by field, and the one way to say that a property is broken.
//
// A target is one file fuzz_NAME.c that defines LLVMFuzzerTestOneInput and nothing else that is visible. Its fields are
// read in the order that its opening comment gives; an input that is too short reads as zeroes.
#ifndef CX_FUZZ_INPUT_H
#define CX_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

uint8_t fuzz_input_u8(struct fuzz_input *input);

// All that is left, with a NUL behind it, as text; it may have more of them inside. The caller frees it. `*chars` may
// be NULL.
char *fuzz_input_text(struct fuzz_input *input, size_t *chars);

// End the process as a crash does, with one line that says which property does not hold.
__attribute__((noreturn)) void fuzz_broken(const char *property, const char *file, int line);

#define FUZZ_CHECK(property)                                                                                           \
    do {                                                                                                               \
        if (!(property)) {                                                                                             \
            fuzz_broken(#property, __FILE__, __LINE__);                                                                \
        }                                                                                                              \
    } while (0)

#endif
