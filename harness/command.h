// SPDX-License-Identifier: Apache-2.0
//
// command: the table of the command's verbs. One file per verb (cmd_<verb>.c) defines one function of this form; its
// argv[0] is the verb.
#ifndef CX_COMMAND_H
#define CX_COMMAND_H

#include "harness/status.h"

// X(verb, function, what it does)
#define CX_COMMAND_MAP(X)                                                                                              \
    X("list", cx_cmd_list, "show the scenarios and where they apply")                                                  \
    X("run", cx_cmd_run, "play scenarios, or a program, under many schedules and report what breaks")                  \
    X("exec", cx_cmd_exec, "the same with a Python program, or with any program as it is")                             \
    X("cc", cx_cmd_cc, "compile and link C for control, as a compiler does; c++ for C++")                              \
    X("c++", cx_cmd_cxx, "the same for C++")                                                                           \
    X("fuzz", cx_cmd_fuzz, "let a fuzz target search, and file what it finds")                                         \
    X("gate", cx_cmd_gate, "compare two CPython builds, scenario by scenario")                                         \
    X("soak", cx_cmd_soak, "explore for hours to weeks; stopped or killed, it goes on where it was")                   \
    X("replay", cx_cmd_replay, "play a schedule file again, step by step")                                             \
    X("shrink", cx_cmd_shrink, "reduce a schedule file to the switches that matter")                                   \
    X("explain", cx_cmd_explain, "tell the story of a schedule file")                                                  \
    X("races", cx_cmd_races, "order the two accesses of a reported race both ways and say what comes of it")           \
    X("report", cx_cmd_report, "write results for people and for other programs")                                      \
    X("merge", cx_cmd_merge, "join the results of several campaigns into one store")                                   \
    X("diverge", cx_cmd_diverge, "name the first step at which two runs of a schedule differ, and why")                \
    X("target", cx_cmd_target, "list, add, remove and describe CPython builds")

#define CX_COMMAND_DECLARE(verb, function, summary) enum cx_exit function(int argc, char **argv);
CX_COMMAND_MAP(CX_COMMAND_DECLARE)
#undef CX_COMMAND_DECLARE

// Remember the words of the command line; and all of them as one text, quoted as a shell wants them. Borrowed.
void cx_command_words_set(int argc, char **argv);
const char *cx_command_words(void);

// Print "constrictor: <reason>" on standard error and return the exit code of the status.
enum cx_exit cx_command_fail(enum cx_status status, const struct cx_error *error);

// A usage error from an argp parser: prints the reason and "see constrictor VERB --help", and ends the process.
__attribute__((noreturn)) void cx_command_usage(const char *verb, const struct cx_error *error);

#endif
