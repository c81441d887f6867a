// SPDX-License-Identifier: Apache-2.0
//
// A process goes back to what it was: static, heap and stack memory, pages that were given back, the end of the heap,
// mappings and the addresses that come next are those of the first time, and so are rights, and memory that was
// unmapped. What cannot be put back is said.
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

// Pages of one mapping, by what a run does to them; between them others, to which it does nothing. All but the fresh
// ones, which nobody has written to, have a 1 in every byte.
enum {
    CLOSED, // no rights any more
    READ_ONLY = 2,
    CLOSED_FRESH = 4,
    GONE = 6,
    GONE_FRESH = 8,
    REPLACED = 10, // unmapped and mapped again, and written to
    REPLACED_FRESH = 12,
    FILE_HERE = 14, // a file in its place
    OPENED = 16,    // nobody could read or write it, and now all can, and it is written to
    OPENED_FRESH = 18,
    PAGES = 20,
};

static char *page_at(char *memory, int page)
{
    return memory + page * 4096L;
}

static int is_fresh(int page)
{
    return page == CLOSED_FRESH || page == GONE_FRESH || page == REPLACED_FRESH || page == OPENED_FRESH;
}

static int is_closed(int page)
{
    return page == OPENED || page == OPENED_FRESH;
}

static void replace(char *page, int flags, int fd)
{
    munmap(page, 4096);
    if (mmap(page, 4096, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0) != page) {
        _exit(1);
    }
}

static void harm(char *memory)
{
    FILE *file = tmpfile();
    if (file == NULL || ftruncate(fileno(file), 4096) != 0) {
        _exit(1);
    }
    mprotect(page_at(memory, CLOSED), 4096, PROT_NONE);
    mprotect(page_at(memory, READ_ONLY), 4096, PROT_READ);
    mprotect(page_at(memory, CLOSED_FRESH), 4096, PROT_NONE);
    munmap(page_at(memory, GONE), 4096);
    munmap(page_at(memory, GONE_FRESH), 4096);
    replace(page_at(memory, REPLACED), MAP_PRIVATE | MAP_ANONYMOUS, -1);
    replace(page_at(memory, REPLACED_FRESH), MAP_PRIVATE | MAP_ANONYMOUS, -1);
    replace(page_at(memory, FILE_HERE), MAP_SHARED, fileno(file));
    mprotect(page_at(memory, OPENED), 4096, PROT_READ | PROT_WRITE);
    mprotect(page_at(memory, OPENED_FRESH), 4096, PROT_READ | PROT_WRITE);
    for (int page = REPLACED; page < PAGES; page += 2) {
        memset(page_at(memory, page), 3, 4096);
    }
    fclose(file);
}

// What can be done with a page, as the kernel sees it: reading it into a pipe, or a byte from one.
static int can(char *page, int writing)
{
    int ends[2];
    char byte = 0;
    if (pipe(ends) != 0 || write(ends[1], &byte, 1) != 1) {
        _exit(1);
    }
    int done = writing ? read(ends[0], page, 1) == 1 : write(ends[1], page, 1) == 1;
    close(ends[0]);
    close(ends[1]);
    return done;
}

static int is_as_it_was(char *memory, int page)
{
    char *at = page_at(memory, page);
    if (is_closed(page)) {
        if (can(at, 0)) {
            return 0;
        }
        mprotect(at, 4096, PROT_READ | PROT_WRITE);
    }
    return are_all(at, 4096, is_fresh(page) ? 0 : 1) && can(at, 1);
}

static void go_back_to_rights_and_places(void)
{
    char *memory = map(PAGES * 4096L);
    for (int page = 0; page < PAGES; page++) {
        if (!is_fresh(page)) {
            memset(page_at(memory, page), 1, 4096);
        }
        if (is_closed(page)) {
            mprotect(page_at(memory, page), 4096, PROT_NONE);
        }
    }
    if (!cx_rewind_mark()) {
        _exit(SKIPPED);
    }
    int same = 1;
    for (int page = 0; page < PAGES; page++) {
        same &= is_as_it_was(memory, page);
    }
    story->same += same;
    if (++story->turns == TURNS) {
        _exit(0);
    }
    harm(memory);
    cx_rewind_back(called, called, said);
}

// Private, and of a file.
static char *map_file(void)
{
    FILE *file = tmpfile();
    if (file == NULL || ftruncate(fileno(file), 8192) != 0) {
        _exit(1);
    }
    char *memory = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, fileno(file), 0);
    if (memory == MAP_FAILED) {
        _exit(1);
    }
    fclose(file);
    return memory;
}

static void mark_in_first_turn(void)
{
    if (!cx_rewind_mark()) {
        _exit(SKIPPED);
    }
    if (story->turns++ > 0) {
        _exit(1);
    }
}

static void lose_a_file(void)
{
    char *memory = map_file();
    mark_in_first_turn();
    munmap(memory, 4096);
    cx_rewind_back(called, called, said);
}

static void open_a_file(void)
{
    char *memory = map_file();
    mark_in_first_turn();
    mprotect(memory, 4096, PROT_READ | PROT_WRITE);
    cx_rewind_back(called, called, said);
}

static void change_a_file(void)
{
    char *memory = map_file();
    mark_in_first_turn();
    replace(memory, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    mprotect(memory, 4096, PROT_READ);
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

static void test_rights_and_places_are_put_back(void **state)
{
    (void)state;
    assert_int_equal(in_child(go_back_to_rights_and_places), 0);
    assert_int_equal(story->turns, TURNS);
    assert_int_equal(story->same, TURNS);
    assert_int_equal(story->otherwise, 0);
}

static void test_what_cannot_be_put_back_is_said(void **state)
{
    (void)state;
    void (*const bodies[])(void) = {lose_a_file, open_a_file, change_a_file};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
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
    if (in_child(lose_a_file) == SKIPPED) {
        puts("this kernel does not tell which pages were written to: Linux 6.7 does");
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_is_as_it_was),
        cmocka_unit_test(test_rights_and_places_are_put_back),
        cmocka_unit_test(test_what_cannot_be_put_back_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
