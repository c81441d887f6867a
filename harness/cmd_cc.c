// SPDX-License-Identifier: Apache-2.0
//
// cmd_cc: `constrictor cc` and `constrictor c++`: clang with our instrumentation, as a compiler that any build system
// can be given (CC="constrictor cc").
//
// Everything is compiled so that atomic operations are calls, and every program that is linked gets the scheduler, the
// interposers and a runner's main in front of its own. A program made so runs as usual when it is started by hand. A
// shared object gets the instrumentation alone: it finds the calls in the program that loads it.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/command.h"
#include "harness/exec/targets.h"

#define CX_CC_WORDS_MAX 60 // that we add

// What a compiler is asked for, as far as it matters here.
struct request {
    int links;  // ends with a program or a shared object
    int shared; // a shared object
    int tsan;   // the real detector, too
    int access; // plain accesses can be points
    int plus;   // has a source of C++
    int linker; // the user has chosen one
    const char *refused;
};

static int one_of(const char *word, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (strcmp(word, *list) == 0) {
            return 1;
        }
    }
    return 0;
}

static int has_suffix(const char *word, const char *const *suffixes)
{
    const char *dot = strrchr(word, '.');
    return dot != NULL && one_of(dot, suffixes);
}

// Options whose value is the next word.
static int takes_value(const char *word)
{
    static const char *const options[] = {
        "-o",       "-I",        "-D",         "-U",  "-L",    "-l",        "-x",       "-include", "-imacros",
        "-isystem", "-iquote",   "-idirafter", "-MF", "-MT",   "-MQ",       "-Xlinker", "-Xclang",  "-Xassembler",
        "-mllvm",   "-T",        "-u",         "-z",  "-e",    "-target",   "--param",  "-A",       "-Xpreprocessor",
        "-iprefix", "-isysroot", "-rpath",     "-h",  "-arch", "-aux-info", NULL};
    return one_of(word, options);
}

static struct request request_read(int argc, char **argv)
{
    static const char *const no_link[] = {"-c", "-S", "-E", "-M", "-MM", "-fsyntax-only", "-r", "--precompile", NULL};
    static const char *const refused[] = {"-static", "-static-pie", "--static", NULL};
    static const char *const plus[] = {".cc", ".cp", ".cxx", ".cpp", ".c++", ".C", ".CPP", ".ii", NULL};
    struct request request = {.links = 1};
    int inputs = 0;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (takes_value(word)) {
            i++;
        } else if (word[0] != '-' || strcmp(word, "-") == 0) {
            inputs++;
            request.plus |= has_suffix(word, plus);
        } else if (one_of(word, no_link)) {
            request.links = 0;
        } else if (one_of(word, refused)) {
            request.refused = word;
        }
        request.shared |= strcmp(word, "-shared") == 0;
        request.tsan |= strcmp(word, "--tsan") == 0;
        request.access |= strcmp(word, "--access") == 0;
        request.linker |= strncmp(word, "-fuse-ld=", 9) == 0;
    }
    request.links &= inputs > 0; // else it is a question, such as --version
    return request;
}

struct words {
    char **list;
    size_t count;
};

static void add(struct words *words, const char *word)
{
    words->list[words->count++] = strdup(word);
}

static void add_all(struct words *words, const char *const *list)
{
    for (; *list != NULL; list++) {
        add(words, *list);
    }
}

static void add_instrumentation(struct words *words, const struct request *request)
{
    static const char *const always[] = {"-fsanitize=thread", "-fno-omit-frame-pointer", "-mno-omit-leaf-frame-pointer",
                                         "-Wno-unused-command-line-argument", NULL};
    static const char *const ours[] = {"-mllvm", "-tsan-instrument-func-entry-exit=0", "-fno-sanitize-link-runtime",
                                       NULL};
    static const char *const atomics_only[] = {"-mllvm", "-tsan-instrument-memory-accesses=0", "-mllvm",
                                               "-tsan-instrument-memintrinsics=0", NULL};
    add_all(words, always);
    if (!request->tsan) {
        add_all(words, ours);
    }
    if (!request->tsan && !request->access) {
        add_all(words, atomics_only);
    }
}

static void add_links(struct words *words, const struct request *request)
{
    static const char *const program[] = {"-Wl,--build-id=sha1", "-Wl,--export-dynamic", NULL};
    static const char *const libraries[] = {"-lpthread", "-ldl", "-lm", NULL};
    if (!request->linker) {
        add(words, "-fuse-ld=lld");
    }
    if (request->shared) {
        add(words, "-Wl,-z,undefs"); // what is ours is in the program
        return;
    }
    add_all(words, program);
    // As words for the linker: after an `-x c` they would be taken for C files.
    add(words, "-Wl,--whole-archive");
    add(words, "-Xlinker");
    add(words, cx_targets_subject_file(request->tsan ? "libconstrictor-tsan.a" : "libconstrictor.a"));
    add(words, "-Wl,--no-whole-archive");
    if (request->tsan) {
        char wraps[PATH_MAX];
        snprintf(wraps, sizeof(wraps), "-Wl,@%s", cx_targets_subject_file("wrap.txt"));
        add(words, wraps);
    }
    add_all(words, libraries);
    if (request->plus) {
        add(words, "-lstdc++"); // `cc prog.cpp`; c++ adds it itself, and twice does no harm
    }
}

static enum cx_exit compile(int argc, char **argv, int plus)
{
    struct request request = request_read(argc, argv);
    struct cx_error error = {0};
    if (request.refused != NULL) {
        cx_error_set(&error, CX_ERR_USAGE, "%s: a program under control needs the dynamic loader", request.refused);
        return cx_command_fail(CX_ERR_USAGE, &error);
    }
    if (request.links && access(cx_targets_subject_file("libconstrictor.a"), R_OK) != 0) {
        cx_error_set(&error, CX_ERR_ENVIRONMENT, "there is no %s: `cmake --build` makes it",
                     cx_targets_subject_file("libconstrictor.a"));
        return cx_command_fail(CX_ERR_ENVIRONMENT, &error);
    }
    struct words words = {.list = calloc((size_t)argc + CX_CC_WORDS_MAX, sizeof(*words.list))};
    if (words.list == NULL) {
        return CX_EXIT_ENVIRONMENT;
    }
    add(&words, plus ? "clang++-19" : "clang-19");
    add_instrumentation(&words, &request);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--tsan") != 0 && strcmp(argv[i], "--access") != 0) {
            add(&words, argv[i]);
        }
    }
    if (request.links) {
        add_links(&words, &request);
    }
    execvp(words.list[0], words.list);
    cx_error_system(&error, "cannot start %s", words.list[0]);
    return cx_command_fail(CX_ERR_ENVIRONMENT, &error);
}

enum cx_exit cx_cmd_cc(int argc, char **argv)
{
    return compile(argc, argv, 0);
}

enum cx_exit cx_cmd_cxx(int argc, char **argv)
{
    return compile(argc, argv, 1);
}
