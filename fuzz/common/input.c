// SPDX-License-Identifier: Apache-2.0
//
// input: see input.h.
#include "fuzz/common/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint8_t fuzz_input_u8(struct fuzz_input *input)
{
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->at++;
}

char *fuzz_input_text(struct fuzz_input *input, size_t *chars)
{
    char *text = malloc(input->left + 1);
    if (text == NULL) {
        fuzz_broken("there is memory for the input", __FILE__, __LINE__);
    }
    if (input->left > 0) {
        memcpy(text, input->at, input->left);
    }
    text[input->left] = '\0';
    if (chars != NULL) {
        *chars = input->left;
    }
    input->at += input->left;
    input->left = 0;
    return text;
}

void fuzz_broken(const char *property, const char *file, int line)
{
    fprintf(stderr, "fuzz: %s:%d: broken: %s\n", file, line, property);
    abort();
}
