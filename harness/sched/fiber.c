// SPDX-License-Identifier: Apache-2.0
//
// fiber: see fiber.h.
//
// Addresses belong to a schedule's steps, so a run gets the stacks that a process of its own would give it: new ones in
// the order in which they were made, and of those that were let go the last one first, which is what glibc's cache of
// stacks does. The program's thread-local memory begins each time as its file says.
#include "harness/sched/fiber.h"

#include "harness/interpose/real.h"
#include "harness/sched/again.h"
#include "harness/sched/futex.h"

#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

#define FIBERS_MAX CX_THREADS_MAX
#define HWCAP2_FSGSBASE_BIT 2
#define INLINE_KEYS 32 // glibc's PTHREAD_KEY_2NDLEVEL_SIZE

struct cx_fiber {
    void *stack_pointer;      // scheduler token: where it goes on
    uint64_t base;            // const after init: of its thread-local memory, and its handle
    uint32_t stays;           // atomic: futex word, 1 = can be switched to
    struct cx_thread *thread; // scheduler token
    int plain;                // const after init
    int retired;              // scheduler token
};

static struct {
    struct cx_fiber fibers[FIBERS_MAX]; // scheduler token: as their fields say
    struct cx_fiber *free[FIBERS_MAX];  // scheduler token: let go in this run, the last one on top
    uint32_t free_count;                // scheduler token
    uint32_t count;                     // scheduler token: ever made
    uint32_t next;                      // scheduler token: the first one that this run has not used
    int on;                             // const after init
    const void *tls_image;              // const after init: what thread-local memory of the program's file begins as,
    size_t tls_image_bytes;             // const after init
    size_t tls_bytes;                   // const after init
    size_t tls_below;                   // const after init: so far below a thread's base
} all;
CX_LARGE(all, NULL);
uint32_t cx_again_exits;

// cx__fiber_swap saves what a call must preserve on the stack, leaves the stack pointer at its first argument, and goes
// on with the other stack and base. cx__fiber_rest saves the same, says so at its second argument, and leaves the
// kernel thread in a loop that needs no stack: that belongs to the fiber now.
__asm__(".text\n"
        ".p2align 4\n"
        ".type cx__fiber_swap, @function\n"
        "cx__fiber_swap:\n"
        "    pushq %rbp\n    pushq %rbx\n    pushq %r12\n    pushq %r13\n    pushq %r14\n    pushq %r15\n"
        "    subq $8, %rsp\n    stmxcsr (%rsp)\n    fnstcw 4(%rsp)\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    wrfsbase %rdx\n"
        "    ldmxcsr (%rsp)\n    fldcw 4(%rsp)\n    addq $8, %rsp\n"
        "    popq %r15\n    popq %r14\n    popq %r13\n    popq %r12\n    popq %rbx\n    popq %rbp\n"
        "    ret\n"
        ".size cx__fiber_swap, . - cx__fiber_swap\n"
        ".p2align 4\n"
        ".type cx__fiber_rest, @function\n"
        "cx__fiber_rest:\n"
        "    pushq %rbp\n    pushq %rbx\n    pushq %r12\n    pushq %r13\n    pushq %r14\n    pushq %r15\n"
        "    subq $8, %rsp\n    stmxcsr (%rsp)\n    fnstcw 4(%rsp)\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rdi\n"
        "    movl $1, (%rdi)\n"
        "    movl $202, %eax\n    movl $129, %esi\n    movl $1, %edx\n    syscall\n" // futex, FUTEX_WAKE_PRIVATE
        "1:  movl $34, %eax\n    syscall\n    jmp 1b\n"                              // pause
        ".size cx__fiber_rest, . - cx__fiber_rest\n");
void cx__fiber_swap(void **save, void *stack_pointer, uint64_t base);
void cx__fiber_rest(void **save, uint32_t *stays);

// The program's own part of thread-local memory, from the first file of the list.
static int find_tls(struct dl_phdr_info *info, size_t info_bytes, void *argument)
{
    (void)info_bytes;
    (void)argument;
    for (int i = 0; i < info->dlpi_phnum && info->dlpi_tls_data != NULL; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_TLS) {
            all.tls_image = (const void *)(info->dlpi_addr + header->p_vaddr);
            all.tls_image_bytes = header->p_filesz;
            all.tls_bytes = header->p_memsz;
            all.tls_below = (uintptr_t)pthread_self() - (uintptr_t)info->dlpi_tls_data;
        }
    }
    return 1;
}

int cx_fibers_begin(void)
{
    if ((getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE_BIT) == 0) {
        return 0;
    }
    dl_iterate_phdr(find_tls, NULL);
    all.fibers[0] = (struct cx_fiber){.base = (uint64_t)pthread_self()};
    all.count = all.next = 1;
    all.on = 1;
    return 1;
}

int cx_fibers_on(void)
{
    return all.on;
}

void cx_fibers_again(void)
{
    all.free_count = 0;
    all.next = 1;
}

struct cx_fiber *cx_fiber_main(void)
{
    return &all.fibers[0];
}

struct cx_fiber *cx_fiber_take(struct cx_thread *thread)
{
    struct cx_fiber *fiber = NULL;
    if (all.free_count > 0) {
        fiber = all.free[--all.free_count];
    }
    while (fiber == NULL && all.next < all.count) {
        fiber = &all.fibers[all.next++];
        fiber = fiber->retired ? NULL : fiber;
    }
    if (fiber == NULL) {
        return NULL;
    }
    char *tls = (char *)fiber->base - all.tls_below;
    if (all.tls_bytes > 0) {
        memcpy(tls, all.tls_image, all.tls_image_bytes);
        memset(tls + all.tls_image_bytes, 0, all.tls_bytes - all.tls_image_bytes);
    }
    fiber->thread = thread;
    return fiber;
}

struct cx_fiber *cx_fiber_new(struct cx_thread *thread, int plain)
{
    if (all.count == FIBERS_MAX) {
        return NULL;
    }
    struct cx_fiber *fiber = &all.fibers[all.count++];
    all.next = all.count;
    *fiber = (struct cx_fiber){.thread = thread, .plain = plain, .retired = !plain};
    return fiber;
}

void cx_fiber_drop(struct cx_fiber *fiber)
{
    fiber->retired = 1;
}

void cx_fiber_await(struct cx_fiber *fiber, pthread_t handle)
{
    while (__atomic_load_n(&fiber->stays, __ATOMIC_ACQUIRE) == 0) {
        cx_futex_wait(&fiber->stays, 0);
    }
    fiber->base = (uint64_t)handle;
}

pthread_t cx_fiber_handle(const struct cx_fiber *fiber)
{
    return (pthread_t)fiber->base;
}

void cx_fiber_stay(struct cx_fiber *fiber)
{
    // A signal here would need the stack that is the fiber's from now on.
    uint64_t every = ~0ULL;
    cx_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&every, 0, sizeof(every), 0, 0);
    cx__fiber_rest(&fiber->stack_pointer, &fiber->stays);
}

struct cx_thread *cx_fiber_thread(const struct cx_fiber *fiber)
{
    return fiber->thread;
}

int cx_fiber_reusable(const struct cx_thread *self)
{
    if (!self->fiber->plain || self->keeps) {
        return 0;
    }
    // One value is ours (thread.c).
    uint32_t values = 0;
    for (pthread_key_t key = 0; key < INLINE_KEYS; key++) {
        values += pthread_getspecific(key) != NULL;
    }
    return values <= 1;
}

void cx_fiber_retire(struct cx_fiber *fiber)
{
    fiber->retired = 1;
}

void cx_fiber_let_go(struct cx_fiber *fiber)
{
    if (!fiber->retired) {
        all.free[all.free_count++] = fiber;
    }
}

void cx_fiber_switch(struct cx_fiber *self, struct cx_fiber *next)
{
    cx__fiber_swap(&self->stack_pointer, next->stack_pointer, next->base);
}

void cx_again_at_exit(void)
{
    cx_again_exits++;
    if (cx_self != NULL) {
        cx_self->keeps = 1;
    }
}

int cx_again_last;

void cx_again_unfit(const char *what)
{
    if (!all.on) {
        cx_again_last = 1;
        return;
    }
    struct cx_batch *batch = &cx_sched.channel->batch;
    snprintf(batch->unfit, sizeof(batch->unfit), "%s", what);
    cx_finish(CX_OUTCOME_ERROR, what, "");
}
