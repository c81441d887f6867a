// SPDX-License-Identifier: Apache-2.0
//
// stdio: the locks of streams. Within libc a stream is locked and let go between two points, so nobody ever waits. But
// a program that locks one itself (flockfile) holds it across points: who comes then waits in the scheduler, be it by
// flockfile or by one of the functions below. These are points only while some stream is locked so. What else of libc
// waits for such a lock (fscanf, perror, fclose, ...) waits in the kernel, and is named when the run's time is up.
#include "harness/interpose/interpose.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static uint32_t locked; // scheduler token: streams that controlled threads have locked themselves

// How often its holder has locked it: the second word of glibc's lock.
static int depth_of(const FILE *stream)
{
    return ((const int *)(const void *)stream->_lock)[1];
}

static void wait_for(FILE *stream, const void *caller)
{
    struct cx_thread *self = cx_self;
    if (self == NULL || cx_lock_owner(stream) == self) {
        return;
    }
    cx_step(self, CX_OP_MUTEX_LOCK, stream, caller);
    while (cx_lock_owner(stream) != NULL) {
        cx_block(self, CX_OP_MUTEX_LOCK, stream, CX_NO_DEADLINE, caller);
    }
}

void flockfile(FILE *stream)
{
    void (*real)(FILE *) = (void (*)(FILE *))cx_real_libc("flockfile");
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        real(stream);
        return;
    }
    cx_step(self, CX_OP_MUTEX_LOCK, stream, CX_CALLER);
    while (cx_lock_owner(stream) != NULL && cx_lock_owner(stream) != self) {
        cx_block(self, CX_OP_MUTEX_LOCK, stream, CX_NO_DEADLINE, CX_CALLER);
    }
    real(stream);
    locked += cx_lock_owner(stream) == NULL;
    cx_lock_acquired(stream, self);
    cx_step_after(self, stream, CX_CALLER);
}

int ftrylockfile(FILE *stream)
{
    int (*real)(FILE *) = (int (*)(FILE *))cx_real_libc("ftrylockfile");
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        return real(stream);
    }
    if (cx_lock_owner(stream) != NULL && cx_lock_owner(stream) != self) {
        cx_step_look(self, CX_OP_MUTEX_TRYLOCK, stream, CX_CALLER);
    } else {
        cx_step(self, CX_OP_MUTEX_TRYLOCK, stream, CX_CALLER);
    }
    int error = real(stream);
    if (error == 0) {
        locked += cx_lock_owner(stream) == NULL;
        cx_lock_acquired(stream, self);
    }
    cx_step_after(self, stream, CX_CALLER);
    return error;
}

void funlockfile(FILE *stream)
{
    void (*real)(FILE *) = (void (*)(FILE *))cx_real_libc("funlockfile");
    struct cx_thread *self = cx_self;
    if (self == NULL) {
        real(stream);
        return;
    }
    cx_step(self, CX_OP_MUTEX_UNLOCK, stream, CX_CALLER);
    real(stream);
    if (cx_lock_owner(stream) == self && depth_of(stream) == 0) {
        locked--;
        cx_lock_released(stream);
        cx_wake_all(stream, 1);
    }
    cx_step_after(self, stream, CX_CALLER);
}

// A function of a stream that is libc's own but for the wait: its type, name, parameters, the stream, and arguments.
// libc keeps no frame pointers, so its caller is looked for on the stack (harness/detect/watch.c): no frame of ours may
// stand there, and no trace of a call that we have made before.
#define CX_STREAM(type, name, parameters, stream, arguments)                                                           \
    static type(*real_##name) parameters; /* const after init */                                                       \
    __attribute__((constructor(102))) static void load_##name(void)                                                    \
    {                                                                                                                  \
        real_##name = (type(*) parameters)cx_real_libc(#name);                                                         \
    }                                                                                                                  \
    type name parameters                                                                                               \
    {                                                                                                                  \
        if (__builtin_expect(real_##name == NULL, 0)) {                                                                \
            load_##name();                                                                                             \
        }                                                                                                              \
        if (__builtin_expect(locked != 0, 0)) {                                                                        \
            wait_for(stream, CX_CALLER);                                                                               \
        }                                                                                                              \
        __attribute__((musttail)) return real_##name arguments;                                                        \
    }

CX_STREAM(int, puts, (const char *text), stdout, (text))
CX_STREAM(int, fputs, (const char *restrict text, FILE *restrict stream), stream, (text, stream))
CX_STREAM(int, fputc, (int byte, FILE *stream), stream, (byte, stream))
#undef putc
CX_STREAM(int, putc, (int byte, FILE *stream), stream, (byte, stream))
#undef putchar
CX_STREAM(int, putchar, (int byte), stdout, (byte))
CX_STREAM(size_t, fwrite, (const void *restrict bytes, size_t size, size_t count, FILE *restrict stream), stream,
          (bytes, size, count, stream))
CX_STREAM(size_t, fread, (void *restrict bytes, size_t size, size_t count, FILE *restrict stream), stream,
          (bytes, size, count, stream))
CX_STREAM(int, fgetc, (FILE * stream), stream, (stream))
#undef getc
CX_STREAM(int, getc, (FILE * stream), stream, (stream))
CX_STREAM(int, fflush, (FILE * stream), stream != NULL ? stream : stdout, (stream))
CX_STREAM(char *, fgets, (char *restrict line, int bytes, FILE *restrict stream), stream, (line, bytes, stream))
CX_STREAM(ssize_t, getline, (char **restrict line, size_t *restrict bytes, FILE *restrict stream), stream,
          (line, bytes, stream))
CX_STREAM(int, vfprintf, (FILE *restrict stream, const char *restrict format, va_list list), stream,
          (stream, format, list))
CX_STREAM(int, __vfprintf_chk, (FILE *restrict stream, int flag, const char *restrict format, va_list list), stream,
          (stream, flag, format, list))

int vprintf(const char *restrict format, va_list list)
{
    return vfprintf(stdout, format, list);
}

// With `last` as the last named parameter, what `call` says of `list`.
#define CX_LISTED(last, call)                                                                                          \
    va_list list;                                                                                                      \
    va_start(list, last);                                                                                              \
    int result = call;                                                                                                 \
    va_end(list);                                                                                                      \
    return result

int printf(const char *restrict format, ...)
{
    CX_LISTED(format, vfprintf(stdout, format, list));
}

int fprintf(FILE *restrict stream, const char *restrict format, ...)
{
    CX_LISTED(format, vfprintf(stream, format, list));
}

int __printf_chk(int flag, const char *restrict format, ...)
{
    CX_LISTED(format, __vfprintf_chk(stdout, flag, format, list));
}

int __fprintf_chk(FILE *restrict stream, int flag, const char *restrict format, ...)
{
    CX_LISTED(format, __vfprintf_chk(stream, flag, format, list));
}
