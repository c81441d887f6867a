// SPDX-License-Identifier: Apache-2.0
//
// A process goes back to what it was: static, heap and stack memory, pages that were given back, the end of the heap,
// mappings and the addresses that come next are those of the first time. What cannot be put back is said.
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/host/rewind.h"

#define TURNS 6
#define SKIPPED 77
#define BYTES (64u * 4096)
#define MANY (2048u * 4096) // more than is put back without asking

// Shared with the process that goes back, and never put back.
static struct story {
    int turns;
    int calls;     // of what cx_rewind_back was to call
    int otherwise; // likewise
    int same;      // turns that met what the first one met
    uintptr_t small, large, mapped, stack;
} *story;

static int in_data = 7;
static int in_bss;

static void called(void)
{
    story->calls++;
}

static void said(void)
{
    story->otherwise++;
    _exit(0);
}

static void *in_thread(void *page)
{
    *(char *)page = 3;
    return malloc(5000); // from an arena of its own
}

// Everything that a run may do to its memory.
static void change(char *heap, char *page, char *many)
{
    pthread_t thread;
    in_data++;
    in_bss++;
    memset(heap, 2, BYTES);
    memset(page, 2, 4096);
    madvise(page + 8192, 4096, MADV_DONTNEED);
    page[12288] = 9; // it was never written to
    memset(many, story->turns % 2 == 0 ? 4 : 1, MANY);
    if (pthread_create(&thread, NULL, in_thread, page) == 0) {
        pthread_join(thread, NULL);
    }
    char *end = sbrk(1 << 20);
    if (end == (void *)-1) {
        _exit(1);
    }
    memset(end, 1, 1 << 20);
}

static int are_all(const char *memory, size_t bytes, char value)
{
    for (size_t i = 0; i < bytes; i++) {
        if (memory[i] != value) {
            return 0;
        }
    }
    return 1;
}

static int pages_are_right(const char *page)
{
    return are_all(page, 4096, 1) && are_all(page + 8192, 4096, 1) && are_all(page + 12288, 4096, 0);
}

static char *map(size_t bytes)
{
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        _exit(1);
    }
    return memory;
}

static void go_back_often(void)
{
    int local = 5;
    char *heap = malloc(BYTES);
    char *page = map(16384);
    char *many = map(MANY);
    memset(heap, 1, BYTES);
    memset(page, 1, 12288);
    memset(many, 1, MANY);
    if (!cx_rewind_mark()) {
        _exit(SKIPPED);
    }
    int same = in_data == 7 && in_bss == 0 && local == 5 && are_all(heap, BYTES, 1) && pages_are_right(page) &&
               are_all(many, MANY, 1);
    uintptr_t small = (uintptr_t)malloc(40);
    uintptr_t large = (uintptr_t)malloc(1 << 20);
    uintptr_t mapped = (uintptr_t)map(4096);
    if (story->turns++ == 0) {
        story->small = small;
        story->large = large;
        story->mapped = mapped;
        story->stack = (uintptr_t)&local;
    }
    story->same += same && small == story->small && large == story->large && mapped == story->mapped &&
                   (uintptr_t)&local == story->stack;
    local++;
    change(heap, page, many);
    if (story->turns == TURNS) {
        _exit(0);
    }
    cx_rewind_back(called, called, said);
}

static void lose_a_mapping(void)
{
    char *page = map(4096);
    if (!cx_rewind_mark()) {
        _exit(SKIPPED);
    }
    story->turns++;
    munmap(page, 4096);
    cx_rewind_back(called, called, said);
}

static void change_a_protection(void)
{
    char *page = map(8192);
    if (!cx_rewind_mark()) {
        _exit(SKIPPED);
    }
    story->turns++;
    mprotect(page, 4096, PROT_READ);
    cx_rewind_back(called, called, said);
}

// Its exit code.
static int in_child(void (*body)(void))
{
    int status = 0;
    memset(story, 0, sizeof(*story));
    pid_t child = fork();
    if (child == 0) {
        body();
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_all_is_as_it_was(void **state)
{
    (void)state;
    assert_int_equal(in_child(go_back_often), 0);
    assert_int_equal(story->turns, TURNS);
    assert_int_equal(story->same, TURNS);
    assert_int_equal(story->calls, 2 * (TURNS - 1));
    assert_int_equal(story->otherwise, 0);
}

static void test_what_cannot_be_put_back_is_said(void **state)
{
    (void)state;
    void (*const bodies[])(void) = {lose_a_mapping, change_a_protection};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(in_child(bodies[i]), 0);
        assert_int_equal(story->turns, 1);
        assert_int_equal(story->calls, 1);
        assert_int_equal(story->otherwise, 1);
    }
}

int main(void)
{
    story = mmap(NULL, sizeof(*story), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (story == MAP_FAILED) {
        return 1;
    }
    if (in_child(lose_a_mapping) == SKIPPED) {
        puts("this kernel does not tell which pages were written to: Linux 6.7 does");
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_is_as_it_was),
        cmocka_unit_test(test_what_cannot_be_put_back_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
