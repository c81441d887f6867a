// SPDX-License-Identifier: Apache-2.0
//
// main: the constrictor command. It finds the verb; everything else is in cmd_<verb>.c. It links no Python: runners do.
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "harness/command.h"
#include "harness/exec/interrupt.h"
#include "harness/names.h"

#ifndef CONSTRICTOR_VERSION
#define CONSTRICTOR_VERSION "0.1.0"
#endif

#define CX_ENTRY(verb, function, summary) {verb, function, summary},
static const struct {
    const char *verb;
    enum cx_exit (*function)(int argc, char **argv);
    const char *summary;
} commands[] = {CX_COMMAND_MAP(CX_ENTRY)};
#undef CX_ENTRY

#define CX_COMMANDS_COUNT (sizeof(commands) / sizeof(commands[0]))

static void help_print(FILE *stream)
{
    fprintf(stream, "usage: constrictor COMMAND [OPTION...] [ARGUMENT...]\n"
                    "Squeeze CPython until it breaks, and show exactly how.\n\n");
    for (size_t i = 0; i < CX_COMMANDS_COUNT; i++) {
        fprintf(stream, "  %-8s  %s\n", commands[i].verb, commands[i].summary);
    }
    fprintf(stream,
            "\n`constrictor COMMAND --help` shows the options of a command; --version the version.\n"
            "Exit codes: 0 nothing unexpected, 1 unexpected findings, 2 usage, 3 environment (target missing,\n"
            "preflight failed, runner lost), 4 nothing ran or nothing explored, 5 a soak whose canaries were not\n"
            "found, 130 interrupted.\n");
}

static int verb_unknown(const char *verb)
{
    struct cx_names names = {0};
    for (size_t i = 0; i < CX_COMMANDS_COUNT; i++) {
        cx_names_add(&names, commands[i].verb);
    }
    char nearest[200];
    cx_names_nearest(&names, verb, nearest, sizeof(nearest));
    cx_names_fini(&names);
    fprintf(stderr, "constrictor: unknown command \"%s\"%s%s; `constrictor --help` shows all\n", verb,
            nearest[0] != '\0' ? ": nearest are " : "", nearest);
    return CX_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    argp_err_exit_status = CX_EXIT_USAGE;
    if (argc < 2) {
        help_print(stderr);
        return CX_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        help_print(stdout);
        return CX_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("constrictor %s\n", CONSTRICTOR_VERSION);
        return CX_EXIT_OK;
    }
    for (size_t i = 0; i < CX_COMMANDS_COUNT; i++) {
        if (strcmp(argv[1], commands[i].verb) == 0) {
            cx_command_words_set(argc, argv);
            char name[40];
            snprintf(name, sizeof(name), "constrictor %s", argv[1]);
            argv[1] = name; // argp's messages begin with it
            cx_interrupt_init();
            setvbuf(stdout, NULL, _IOLBF, 0);
            return (int)commands[i].function(argc - 1, argv + 1);
        }
    }
    return verb_unknown(argv[1]);
}
