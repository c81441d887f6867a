// SPDX-License-Identifier: Apache-2.0
//
// exec: a process becomes another program, which is under no control. If it was forked under control, its parent has to
// know, for it waits (family.h). libc's functions call each other by private names, so each of them is here.
#include "harness/interpose/family.h"
#include "harness/interpose/interpose.h"

#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

// The arguments of an execl, from `first` on, as the array `words`; `list` then stands behind their NULL.
#define GATHER(first, list, words)                                                                                     \
    size_t count = 1;                                                                                                  \
    va_list counting;                                                                                                  \
    va_start(counting, first);                                                                                         \
    while (va_arg(counting, char *) != NULL) {                                                                         \
        count++;                                                                                                       \
    }                                                                                                                  \
    va_end(counting);                                                                                                  \
    char *words[count + 1];                                                                                            \
    va_list list;                                                                                                      \
    va_start(list, first);                                                                                             \
    words[0] = (char *)(first);                                                                                        \
    for (size_t i = 1; i <= count; i++) {                                                                              \
        words[i] = va_arg(list, char *);                                                                               \
    }

int execve(const char *path, char *const arguments[], char *const environment[])
{
    int (*real_execve)(const char *, char *const[], char *const[]) = cx_real_libc("execve");
    cx_family_exec_begins();
    int result = real_execve(path, arguments, environment);
    cx_family_exec_failed();
    return result;
}

int execv(const char *path, char *const arguments[])
{
    return execve(path, arguments, environ);
}

int execvpe(const char *file, char *const arguments[], char *const environment[])
{
    int (*real_execvpe)(const char *, char *const[], char *const[]) = cx_real_libc("execvpe");
    cx_family_exec_begins();
    int result = real_execvpe(file, arguments, environment);
    cx_family_exec_failed();
    return result;
}

int execvp(const char *file, char *const arguments[])
{
    return execvpe(file, arguments, environ);
}

int fexecve(int fd, char *const arguments[], char *const environment[])
{
    int (*real_fexecve)(int, char *const[], char *const[]) = cx_real_libc("fexecve");
    cx_family_exec_begins();
    int result = real_fexecve(fd, arguments, environment);
    cx_family_exec_failed();
    return result;
}

int execveat(int folder, const char *path, char *const arguments[], char *const environment[], int flags)
{
    int (*real_execveat)(int, const char *, char *const[], char *const[], int) = cx_real_libc("execveat");
    cx_family_exec_begins();
    int result = real_execveat(folder, path, arguments, environment, flags);
    cx_family_exec_failed();
    return result;
}

int execl(const char *path, const char *first, ...)
{
    GATHER(first, list, words)
    va_end(list);
    return execve(path, words, environ);
}

int execlp(const char *file, const char *first, ...)
{
    GATHER(first, list, words)
    va_end(list);
    return execvpe(file, words, environ);
}

int execle(const char *path, const char *first, ...)
{
    GATHER(first, list, words)
    char *const *environment = va_arg(list, char *const *);
    va_end(list);
    return execve(path, words, environment);
}
