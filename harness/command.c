// SPDX-License-Identifier: Apache-2.0
//
// command: what every verb needs to fail in the same way.
#include "harness/command.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *words; // owned by the process

static void word_write(FILE *stream, const char *word)
{
    if (word[0] != '\0' && word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                             "-_./,:=+@%")] == '\0') {
        fputs(word, stream);
        return;
    }
    putc('\'', stream);
    for (const char *at = word; *at != '\0'; at++) {
        fputs(*at == '\'' ? "'\\''" : (char[]){*at, '\0'}, stream);
    }
    putc('\'', stream);
}

void cx_command_words_set(int argc, char **argv)
{
    size_t bytes = 0;
    FILE *stream = open_memstream(&words, &bytes);
    if (stream == NULL) {
        return;
    }
    fputs("constrictor", stream); // wherever it lies
    for (int i = 1; i < argc; i++) {
        putc(' ', stream);
        word_write(stream, argv[i]);
    }
    fclose(stream);
}

const char *cx_command_words(void)
{
    return words != NULL ? words : "constrictor";
}

enum cx_exit cx_command_fail(enum cx_status status, const struct cx_error *error)
{
    fflush(stdout);
    fprintf(stderr, "constrictor: %s\n", error->text[0] != '\0' ? error->text : cx_status_sentence(status));
    return cx_status_exit(status);
}

void cx_command_usage(const char *verb, const struct cx_error *error)
{
    fprintf(stderr, "constrictor %s: %s\n", verb, error->text);
    exit(argp_err_exit_status);
}
