// SPDX-License-Identifier: Apache-2.0
//
// watch: see watch.h. Everything here runs in a signal handler, on any thread: raw system calls alone, and those go
// through one instruction that the filter lets pass.
#include "harness/detect/watch.h"

#include "harness/detect/stack.h"
#include "harness/host/run.h"
#include "harness/sched/futex.h"
#include "harness/sched/sched.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <ucontext.h>

#define DIGEST_BYTES_MAX 65536
#define SCAN_WORDS_MAX 2048 // of a stack

// What a call brings in, besides its result.
enum brings {
    BRINGS_NOTHING = 0,
    BRINGS_BYTES, // as many as the result says, into argument 1
    BRINGS_STAT,  // a struct stat in argument 1 (argument 2 of newfstatat)
    BRINGS_TIME,  // two words in argument 1, or 0
};

// Where the name of the file is.
enum named {
    NAMED_NOT = 0,
    NAMED_FD,    // argument 0 is an open file
    NAMED_PATH0, // argument 0 is a path
    NAMED_PATH1,
};

static const struct {
    uint16_t number;
    uint8_t brings;
    uint8_t at; // which argument
    uint8_t named;
} calls[] = {
    {SYS_read, BRINGS_BYTES, 1, NAMED_FD},          {SYS_pread64, BRINGS_BYTES, 1, NAMED_FD},
    {SYS_recvfrom, BRINGS_BYTES, 1, NAMED_FD},      {SYS_readv, BRINGS_NOTHING, 0, NAMED_FD},
    {SYS_recvmsg, BRINGS_NOTHING, 0, NAMED_FD},     {SYS_getdents64, BRINGS_BYTES, 1, NAMED_FD},
    {SYS_open, BRINGS_NOTHING, 0, NAMED_PATH0},     {SYS_openat, BRINGS_NOTHING, 0, NAMED_PATH1},
    {SYS_readlink, BRINGS_BYTES, 1, NAMED_PATH0},   {SYS_readlinkat, BRINGS_BYTES, 2, NAMED_PATH1},
    {SYS_access, BRINGS_NOTHING, 0, NAMED_PATH0},   {SYS_stat, BRINGS_STAT, 1, NAMED_PATH0},
    {SYS_lstat, BRINGS_STAT, 1, NAMED_PATH0},       {SYS_fstat, BRINGS_STAT, 1, NAMED_FD},
    {SYS_newfstatat, BRINGS_STAT, 2, NAMED_PATH1},  {SYS_getrandom, BRINGS_BYTES, 0, NAMED_NOT},
    {SYS_getpid, BRINGS_NOTHING, 0, NAMED_NOT},     {SYS_gettid, BRINGS_NOTHING, 0, NAMED_NOT},
    {SYS_getppid, BRINGS_NOTHING, 0, NAMED_NOT},    {SYS_getcpu, BRINGS_NOTHING, 0, NAMED_NOT},
    {SYS_clock_gettime, BRINGS_TIME, 1, NAMED_NOT}, {SYS_gettimeofday, BRINGS_TIME, 0, NAMED_NOT},
    {SYS_time, BRINGS_NOTHING, 0, NAMED_NOT},       {SYS_times, BRINGS_NOTHING, 0, NAMED_NOT},
    {SYS_getrusage, BRINGS_TIME, 1, NAMED_NOT},     {SYS_execve, BRINGS_NOTHING, 0, NAMED_PATH0},
    {SYS_execveat, BRINGS_NOTHING, 0, NAMED_PATH1},
};
#define CALLS_COUNT (sizeof(calls) / sizeof(calls[0]))

static struct cx_channel *watched; // const after init: NULL where nothing is watched
static __thread int inside __attribute__((tls_model("initial-exec")));

// A system call that the filter lets pass: it knows the address behind the instruction.
long cx_watch_syscall(long number, const long *arguments);
extern const char cx_watch_syscall_over[];
__asm__(".text\n"
        ".globl cx_watch_syscall\n"
        ".hidden cx_watch_syscall\n"
        ".type cx_watch_syscall, @function\n"
        "cx_watch_syscall:\n"
        "    movq %rdi, %rax\n"
        "    movq %rsi, %r11\n"
        "    movq 0(%r11), %rdi\n"
        "    movq 8(%r11), %rsi\n"
        "    movq 16(%r11), %rdx\n"
        "    movq 24(%r11), %r10\n"
        "    movq 32(%r11), %r8\n"
        "    movq 40(%r11), %r9\n"
        "    syscall\n"
        ".globl cx_watch_syscall_over\n"
        ".hidden cx_watch_syscall_over\n"
        "cx_watch_syscall_over:\n"
        "    ret\n"
        ".size cx_watch_syscall, . - cx_watch_syscall\n");

static long call3(long number, long a, long b, long c)
{
    const long arguments[6] = {a, b, c, 0, 0, 0};
    return cx_watch_syscall(number, arguments);
}

static uint64_t digest_of(const void *memory, size_t bytes)
{
    const unsigned char *at = memory;
    uint64_t digest = bytes;
    for (size_t i = 0; i < bytes && i < DIGEST_BYTES_MAX; i++) {
        // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): the kernel has filled it
        digest = (digest ^ at[i]) * 0x100000001b3ULL;
    }
    return cx_prng_mix(digest);
}

static uint64_t brought(size_t at, const long *arguments, long result)
{
    const void *memory = (const void *)arguments[calls[at].at];
    if (result < 0 || memory == NULL) {
        return 0;
    }
    if (calls[at].brings == BRINGS_BYTES) {
        return digest_of(memory, (size_t)result);
    }
    if (calls[at].brings == BRINGS_TIME) {
        return digest_of(memory, 2 * sizeof(long));
    }
    if (calls[at].brings == BRINGS_STAT) {
        const struct stat *info = memory; // without the time of the last access: looking changes it
        const uint64_t parts[] = {info->st_ino, info->st_mode, (uint64_t)info->st_size, (uint64_t)info->st_mtim.tv_sec,
                                  (uint64_t)info->st_mtim.tv_nsec};
        return digest_of(parts, sizeof(parts));
    }
    return 0;
}

static void name_of(size_t at, const long *arguments, char *text, size_t text_bytes)
{
    text[0] = '\0';
    const char *path = (const char *)arguments[calls[at].named == NAMED_PATH1];
    int empty = calls[at].named == NAMED_PATH1 && path != NULL && path[0] == '\0'; // the file that is open itself
    if (calls[at].named == NAMED_FD || empty) {
        char link[32];
        snprintf(link, sizeof(link), "/proc/self/fd/%ld", arguments[0]);
        long got = call3(SYS_readlink, (long)link, (long)text, (long)text_bytes - 1);
        text[got > 0 ? got : 0] = '\0';
    } else if (calls[at].named != NAMED_NOT) {
        // Byte by byte: what lies behind the end may not be readable.
        size_t i = 0;
        while (i + 1 < text_bytes && cx_memory_read(path + i, text + i, 1) && text[i] != '\0') {
            i++;
        }
        text[i] = '\0';
    }
}

// True where a call returns to: the bytes before it are one.
static int behind_call(uint64_t address)
{
    unsigned char code[7];
    if (!cx_memory_read((const void *)(uintptr_t)(address - sizeof(code)), code, sizeof(code))) {
        return 0;
    }
    int direct = code[2] == 0xe8;
    int indirect = 0; // ff /2 with all its lengths
    for (size_t i = 0; i + 1 < sizeof(code); i++) {
        indirect |= code[i] == 0xff && ((code[i + 1] >> 3) & 7) == 2;
    }
    return direct || indirect;
}

// A place in the program, rather than in the C library.
static int of_program(uint64_t address)
{
    const struct cx_identity *identity = &watched->identity;
    for (uint32_t i = 0; i < identity->modules_count && i < CX_MODULES_MAX; i++) {
        if (address >= identity->modules[i].start && address < identity->modules[i].end) {
            const char *path = identity->modules[i].path;
            return strstr(path, "/libc.") == NULL && strstr(path, "/ld-") == NULL && behind_call(address);
        }
    }
    return 0;
}

// The C library keeps no frame pointers: what it was called from is looked for between here and the last known frame.
static void walk(struct cx_stack *stack, const ucontext_t *where)
{
    uint64_t at = (uint64_t)where->uc_mcontext.gregs[REG_RSP];
    uint64_t frame = (uint64_t)where->uc_mcontext.gregs[REG_RBP];
    uint64_t caller = 0;
    uint64_t word = 0;
    for (size_t i = 0; i < SCAN_WORDS_MAX && caller == 0 && at < frame; i++, at += sizeof(word)) {
        if (cx_memory_read((const void *)(uintptr_t)at, &word, sizeof(word)) && of_program(word)) {
            caller = word;
        }
    }
    cx_stack_walk(stack, caller, (const void *)(uintptr_t)frame);
    uint32_t moved = stack->count < CX_FRAMES_MAX ? stack->count : CX_FRAMES_MAX - 1;
    for (uint32_t i = moved; i > 0; i--) {
        stack->pcs[i] = stack->pcs[i - 1];
    }
    stack->pcs[0] = (uint64_t)where->uc_mcontext.gregs[REG_RIP];
    stack->count = moved + 1;
}

static struct cx_input *input_add(uint32_t call, uint64_t value, const ucontext_t *where)
{
    struct cx_result *result = &watched->result;
    uint64_t number = __atomic_fetch_add(&result->inputs_count, 1, __ATOMIC_RELAXED);
    struct cx_input *input = &watched->inputs[number % CX_INPUTS_MAX];
    input->step = result->log_steps;
    input->value = value;
    input->digest = 0;
    input->thread = cx_self != NULL ? cx_self->key : 0;
    input->call = call;
    input->text[0] = '\0';
    walk(&input->stack, where);
    return input;
}

// After the step that is looked for, what comes in can no longer be its source.
static int wanted(void)
{
    uint64_t last = watched->request.stack_step;
    return cx_playing && (last == 0 || watched->result.log_steps < last);
}

static void call_take(ucontext_t *where)
{
    greg_t *registers = where->uc_mcontext.gregs;
    const long arguments[6] = {registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
                               registers[REG_R10], registers[REG_R8],  registers[REG_R9]};
    uint32_t number = (uint32_t)registers[REG_RAX];
    size_t at = 0;
    while (at < CALLS_COUNT && calls[at].number != number) {
        at++;
    }
    int nested = inside;
    inside = 1;
    char text[sizeof(watched->inputs[0].text)] = "";
    if (at < CALLS_COUNT && !nested && wanted()) {
        name_of(at, arguments, text, sizeof(text));
    }
    int leaves = number == SYS_execve || number == SYS_execveat;
    if (leaves && !nested && wanted()) {
        input_add(number, 0, where);
    }
    inside = nested; // a call that waits can be interrupted by a handler of the program
    long result = cx_watch_syscall(number, arguments);
    inside = 1;
    if (at < CALLS_COUNT && !nested && !leaves && wanted()) {
        struct cx_input *input = input_add(number, (uint64_t)result, where);
        input->digest = brought(at, arguments, result);
        memcpy(input->text, text, sizeof(input->text));
    }
    registers[REG_RAX] = result;
    inside = nested;
}

// rdtsc, or rdtscp, is at the place of a fault: do it, and step over it.
static int counter_take(ucontext_t *where)
{
    greg_t *registers = where->uc_mcontext.gregs;
    unsigned char code[3] = {0, 0, 0};
    inside = 1;
    if (!cx_memory_read((const void *)registers[REG_RIP], code, 2) || code[0] != 0x0f) {
        inside = 0;
        return 0;
    }
    int with_cpu =
        code[1] == 0x01 && cx_memory_read((const void *)(registers[REG_RIP] + 2), code + 2, 1) && code[2] == 0xf9;
    if (code[1] != 0x31 && !with_cpu) {
        inside = 0;
        return 0;
    }
    unsigned cpu = 0;
    call3(SYS_prctl, PR_SET_TSC, PR_TSC_ENABLE, 0);
    uint64_t counter = with_cpu ? __builtin_ia32_rdtscp(&cpu) : __builtin_ia32_rdtsc();
    call3(SYS_prctl, PR_SET_TSC, PR_TSC_SIGSEGV, 0);
    if (wanted()) {
        input_add(CX_INPUT_TSC, counter, where);
    }
    registers[REG_RAX] = (greg_t)(counter & 0xffffffffu);
    registers[REG_RDX] = (greg_t)(counter >> 32);
    if (with_cpu) {
        registers[REG_RCX] = cpu;
    }
    registers[REG_RIP] += with_cpu ? 3 : 2;
    inside = 0;
    return 1;
}

int cx_watch_took(int number, void *context)
{
    if (watched == NULL || (number != SIGSYS && number != SIGSEGV)) {
        return 0;
    }
    if (number == SIGSEGV) {
        return counter_take(context);
    }
    call_take(context);
    return 1;
}

int cx_watch_keeps(int number)
{
    return watched != NULL && (number == SIGSYS || number == SIGSEGV);
}

// Our one instruction and all other calls pass; those of the table end in a signal.
static size_t filter_make(struct sock_filter *filter)
{
    uint64_t over = (uint64_t)(uintptr_t)cx_watch_syscall_over;
    const uint32_t ip = offsetof(struct seccomp_data, instruction_pointer);
    const uint8_t to_allow = CALLS_COUNT + 1;
    size_t n = 0;
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, to_allow + 4);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ip);
    filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)over, 0, 2);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ip + 4);
    filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(over >> 32), to_allow, 0);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < CALLS_COUNT; i++) {
        filter[n++] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, (uint8_t)(CALLS_COUNT - i), 0);
    }
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
    return n;
}

void cx_watch_begin(struct cx_channel *channel)
{
    struct sock_filter filter[CALLS_COUNT + 16];
    const struct sock_fprog program = {.len = (unsigned short)filter_make(filter), .filter = filter};
    watched = channel;
    // Without them, the command says that nothing was watched.
    int counter = call3(SYS_prctl, PR_SET_TSC, PR_TSC_SIGSEGV, 0) == 0;
    const long arguments[6] = {PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0};
    if (cx_watch_syscall(SYS_prctl, arguments) == 0 &&
        call3(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)&program) == 0) {
        channel->result.watched = (uint32_t)counter;
    }
}
