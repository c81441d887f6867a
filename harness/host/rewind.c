// SPDX-License-Identifier: Apache-2.0
//
// rewind: see rewind.h.
//
// The kernel tells which pages were written to since they were last protected: a write to a protected page costs one
// fault, which the kernel settles by itself. Pages stay unprotected after that, and are put back each time, until there
// are many of them: then all are protected anew. All that this file remembers lies far from all other memory, as does
// its copy of that memory; it runs on a stack of its own there while the memory is put back. Raw system calls.
//
// What is put back is private memory that can be written to, and private memory of no file whatever can be done with
// it: an allocator takes rights away from such memory, gives them, and unmaps it. Its rights and its places are put
// back before its pages are.
#include "harness/host/rewind.h"

#include "harness/sched/futex.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define PLACE 0x570000000000ul      // far from all else: of struct rewind,
#define COPY_PLACE 0x571000000000ul // of the copy of all memory,
#define PLACES_END 0x580000000000ul // and what ends both
#define COPY_BYTES_MAX 0x8000000000ul
#define RANGES_MAX 1024
#define REGIONS_MAX 4096
#define TEXT_BYTES (512u << 10)
#define STACK_BYTES (128u << 10)
#define STACK_TOUCHED (256u << 10)  // of the main thread's, so that it does not grow in a run
#define WRITTEN_MAX (1024ul * 4096) // bytes that are put back without asking whether this run wrote there
#define FD_MIN 500                  // out of the way of the program's

// Of linux/fs.h and linux/userfaultfd.h, which are older than the kernel here and there.
struct region {
    uint64_t start, end, categories;
};
struct scan {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define SCAN _IOWR('f', 16, struct scan)
#define SCAN_PROTECT 1ul
#define IS_WATCHED 1ul
#define IS_WRITTEN 2ul
#define IS_PRESENT 8ul
#define IS_SWAPPED 16ul
#define WRITES_ASYNC (1u << 15)

// One line of /proc/self/maps.
struct range {
    uint64_t start, end;
    uint64_t device, inode; // 0: of no file
    uint64_t base;          // where its file would begin; the same for all parts of a mapping
    uint32_t permissions;   // four letters
    int named;              // by the kernel: the stack, the heap, or memory of its own
    char *copy;             // NULL: not ours to put back
};

struct regions {
    uint32_t count;
    struct region list[REGIONS_MAX];
};

struct ranges {
    uint32_t count;
    struct range list[RANGES_MAX];
};

static struct rewind {
    jmp_buf mark;
    void (*before)(void);
    void (*after)(void);
    void (*otherwise)(void);
    int pagemap;
    long watcher;
    long brk;
    struct ranges ranges;
    struct ranges now;
    struct regions present;
    struct regions found;
    char text[TEXT_BYTES];
    _Alignas(16) char stack[STACK_BYTES];
} *const past = (struct rewind *)PLACE;

static void *map_at(uint64_t place, size_t bytes)
{
    long memory = cx_syscall6(SYS_mmap, (long)place, (long)bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    return memory == (long)place ? (void *)memory : NULL;
}

static uint64_t hexadecimal(const char **at)
{
    uint64_t value = 0;
    for (;; (*at)++) {
        char c = **at;
        if (c >= '0' && c <= '9') {
            value = value * 16 + (uint64_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            value = value * 16 + (uint64_t)(c - 'a' + 10);
        } else {
            return value;
        }
    }
}

// "start-end perms offset major:minor inode   path"; the decimal inode is only compared.
static void line_read(const char *at, struct range *range)
{
    range->start = hexadecimal(&at);
    at++;
    range->end = hexadecimal(&at);
    memcpy(&range->permissions, at + 1, 4);
    at += strlen(" rw-p ");
    uint64_t offset = hexadecimal(&at);
    at++;
    range->device = hexadecimal(&at) << 32;
    at++;
    range->device |= hexadecimal(&at);
    at++;
    range->inode = hexadecimal(&at);
    range->base = range->inode != 0 ? range->start - offset : 0;
    at += strspn(at, " ");
    range->named = *at == '[';
    range->copy = NULL;
}

// What is mapped now. 0 or -1.
static int maps_read(struct ranges *ranges)
{
    long fd = cx_syscall6(SYS_openat, AT_FDCWD, (long)"/proc/self/maps", O_RDONLY | O_CLOEXEC, 0, 0, 0);
    size_t bytes = 0;
    long got = fd >= 0 ? 1 : 0;
    while (got > 0 && bytes < TEXT_BYTES - 1) {
        got = cx_syscall3(SYS_read, fd, (long)(past->text + bytes), (long)(TEXT_BYTES - 1 - bytes));
        bytes += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0) {
        cx_syscall3(SYS_close, fd, 0, 0);
    }
    if (bytes == 0 || got != 0) {
        return -1;
    }
    past->text[bytes] = '\0';
    ranges->count = 0;
    for (const char *line = past->text; *line != '\0'; line = strchr(line, '\n') + 1) {
        if (ranges->count == RANGES_MAX) {
            return -1;
        }
        line_read(line, &ranges->list[ranges->count++]);
    }
    return 0;
}

static int has(const struct range *range, const char *letters, size_t at)
{
    return memcmp((const char *)&range->permissions + at, letters, strlen(letters)) == 0;
}

// Private memory that is not this file's, and can be written to, or is of no file.
static int is_ours(const struct range *range)
{
    return has(range, "p", 3) && (has(range, "rw-", 0) || (range->inode == 0 && !range->named)) &&
           (range->start < PLACE || range->start >= PLACES_END);
}

// The pages that there are among those that are watched, and are of `categories`, in order. 0 or -1.
static int scan(struct regions *regions, uint64_t categories, uint64_t flags)
{
    struct scan scan = {.size = sizeof(scan),
                        .flags = flags,
                        .end = 0x7ffffffff000ul,
                        .vec = (uint64_t)(uintptr_t)regions->list,
                        .vec_len = REGIONS_MAX,
                        .category_mask = IS_WATCHED | categories,
                        .category_anyof_mask = IS_PRESENT | IS_SWAPPED,
                        .return_mask = IS_WATCHED};
    long found = cx_syscall3(SYS_ioctl, past->pagemap, (long)SCAN, (long)&scan);
    regions->count = found > 0 ? (uint32_t)found : 0;
    return found >= 0 && found < REGIONS_MAX ? 0 : -1;
}

static long move_up(long fd)
{
    long moved = fd >= 0 ? cx_syscall3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, FD_MIN) : -1;
    if (fd >= 0) {
        cx_syscall3(SYS_close, fd, 0, 0);
    }
    return moved;
}

// Have the kernel watch writes to what is ours; what it watches already stays as it is. 0 or -1.
static int watch(const struct ranges *ranges)
{
    int error = 0;
    for (uint32_t i = 0; i < ranges->count; i++) {
        struct uffdio_register range = {.range = {ranges->list[i].start, ranges->list[i].end - ranges->list[i].start},
                                        .mode = UFFDIO_REGISTER_MODE_WP};
        error |= is_ours(&ranges->list[i]) &&
                 cx_syscall3(SYS_ioctl, past->watcher, (long)UFFDIO_REGISTER, (long)&range) != 0;
    }
    return error ? -1 : 0;
}

static int watch_begin(void)
{
    struct uffdio_api api = {.api = UFFD_API, .features = WRITES_ASYNC};
    past->watcher = move_up(cx_syscall3(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY, 0, 0));
    past->pagemap =
        (int)move_up(cx_syscall6(SYS_openat, AT_FDCWD, (long)"/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0, 0, 0));
    return past->watcher >= 0 && past->pagemap >= 0 &&
                   cx_syscall3(SYS_ioctl, past->watcher, (long)UFFDIO_API, (long)&api) == 0
               ? watch(&past->ranges)
               : -1;
}

static int copy_map(struct ranges *ranges)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < ranges->count; i++) {
        struct range *range = &ranges->list[i];
        if (is_ours(range)) {
            range->copy = (char *)(COPY_PLACE + bytes);
            bytes += range->end - range->start;
        }
    }
    return bytes < COPY_BYTES_MAX && map_at(COPY_PLACE, bytes) != NULL ? 0 : -1;
}

static int protect(uint64_t start, uint64_t end, long rights)
{
    return cx_syscall3(SYS_mprotect, (long)start, (long)(end - start), rights) == 0 ? 0 : -1;
}

static long rights_of(const struct range *range)
{
    return (has(range, "r", 0) ? PROT_READ : 0) | (has(range, "w", 1) ? PROT_WRITE : 0) |
           (has(range, "x", 2) ? PROT_EXEC : 0);
}

// A part of a range: `to_copy` or back. 0 or -1.
static int part_copy(const struct range *range, uint64_t start, uint64_t end, int to_copy)
{
    char *memory = (char *)start; // NOLINT(performance-no-int-to-ptr): an address of the kernel's
    char *copy = range->copy + (start - range->start);
    int closed = !has(range, "rw", 0);
    int error = closed ? protect(start, end, PROT_READ | PROT_WRITE) : 0;
    if (error == 0) {
        memcpy(to_copy ? copy : memory, to_copy ? memory : copy, end - start);
        error = closed ? protect(start, end, rights_of(range)) : 0;
    }
    return error;
}

// For each part of a region in turn: `to_copy` or back. 0; -1 if a part of it is not ours.
static int region_copy(const struct ranges *ranges, const struct region *region, int to_copy)
{
    uint64_t at = region->start;
    int error = 0;
    for (uint32_t i = 0; i < ranges->count && at < region->end; i++) {
        const struct range *range = &ranges->list[i];
        if (range->copy == NULL || at < range->start || at >= range->end) {
            continue;
        }
        uint64_t end = region->end < range->end ? region->end : range->end;
        error |= part_copy(range, at, end, to_copy);
        at = end;
    }
    return at == region->end ? error : -1;
}

static int copy_take(void)
{
    // Protected first: what is written from here on is put back.
    if (scan(&past->found, IS_WRITTEN, SCAN_PROTECT) != 0 || scan(&past->present, 0, 0) != 0) {
        return -1;
    }
    int error = 0;
    for (uint32_t i = 0; i < past->ranges.count; i++) {
        const struct range *range = &past->ranges.list[i];
        if (range->copy != NULL && range->inode != 0) {
            error |= region_copy(&past->ranges, &(struct region){range->start, range->end, 0}, 1);
        }
    }
    for (uint32_t i = 0; i < past->present.count; i++) {
        error |= region_copy(&past->ranges, &past->present.list[i], 1);
    }
    return error;
}

__attribute__((noinline)) static void stack_touch(void)
{
    volatile char room[STACK_TOUCHED];
    for (size_t i = 0; i < sizeof(room); i += 1024) {
        room[i] = 0;
    }
}

static int prepare(void)
{
    stack_touch();
    if (map_at(PLACE, sizeof(*past)) == NULL || maps_read(&past->ranges) != 0 || watch_begin() != 0) {
        return -1;
    }
    // Once more, with our own.
    past->brk = cx_syscall3(SYS_brk, 0, 0, 0);
    if (maps_read(&past->ranges) != 0 || copy_map(&past->ranges) != 0 || maps_read(&past->now) != 0 ||
        past->now.count != past->ranges.count + 1) {
        return -1;
    }
    return 0;
}

int cx_rewind_mark(void)
{
    if (prepare() != 0) {
        return 0;
    }
    if (setjmp(past->mark) == 0) {
        return copy_take() == 0;
    }
    return 1;
}

static int is_same(const struct range *was, const struct range *now)
{
    return was->inode == now->inode && was->device == now->device && was->base == now->base &&
           has(was, "p", 3) == has(now, "p", 3);
}

// From `start` to `end` there was `was`, and is `now`; NULL: nothing. 0, or -1 if something that is not ours is gone or
// another.
static int part_restore(const struct range *was, const struct range *now, uint64_t start, uint64_t end)
{
    long bytes = (long)(end - start);
    if (was == NULL) {
        int copy = start >= COPY_PLACE && start < PLACES_END;
        return copy || cx_syscall3(SYS_munmap, (long)start, bytes, 0) == 0 ? 0 : -1;
    }
    if (now != NULL && is_same(was, now)) {
        if (was->permissions == now->permissions) {
            return 0;
        }
        return was->copy != NULL ? protect(start, end, rights_of(was)) : -1;
    }
    if (was->copy == NULL || was->inode != 0 || was->named) {
        return -1;
    }
    long memory = cx_syscall6(SYS_mmap, (long)start, bytes, rights_of(was),
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    return memory == (long)start ? 0 : -1;
}

// The first range that ends behind `at`, from `*next` on.
static const struct range *range_behind(const struct ranges *ranges, uint32_t *next, uint64_t at)
{
    static const struct range none = {.start = UINT64_MAX, .end = UINT64_MAX};
    while (*next < ranges->count && ranges->list[*next].end <= at) {
        (*next)++;
    }
    return *next < ranges->count ? &ranges->list[*next] : &none;
}

// Take away what has been mapped since, and put back the places and the rights of what was there: part by part, for
// ranges may have been split, and may have grown together. 0 or -1.
static int maps_restore(void)
{
    uint32_t next_was = 0;
    uint32_t next_now = 0;
    uint64_t at = 0;
    if (cx_syscall3(SYS_brk, past->brk, 0, 0) != past->brk || maps_read(&past->now) != 0) {
        return -1;
    }
    for (;;) {
        const struct range *was = range_behind(&past->ranges, &next_was, at);
        const struct range *now = range_behind(&past->now, &next_now, at);
        uint64_t start = was->start < now->start ? was->start : now->start;
        start = start > at ? start : at;
        if (start == UINT64_MAX) {
            return watch(&past->ranges); // what has been mapped again, by us or by the run
        }
        int in_was = was->start <= start;
        int in_now = now->start <= start;
        uint64_t was_changes = in_was ? was->end : was->start;
        uint64_t now_changes = in_now ? now->end : now->start;
        at = was_changes < now_changes ? was_changes : now_changes;
        if (part_restore(in_was ? was : NULL, in_now ? now : NULL, start, at) != 0) {
            return -1;
        }
    }
}

// Memory that was given back to the kernel reads as zero now.
static int lost_restore(void)
{
    const struct regions *now = &past->found;
    uint32_t next = 0;
    int error = scan(&past->found, 0, 0);
    for (uint32_t i = 0; i < past->present.count; i++) {
        struct region left = past->present.list[i];
        while (left.start < left.end) {
            while (next < now->count && now->list[next].end <= left.start) {
                next++;
            }
            const struct region *there = next < now->count ? &now->list[next] : NULL;
            if (there != NULL && there->start <= left.start) {
                left.start = there->end < left.end ? there->end : left.end;
                continue;
            }
            struct region lost = left;
            lost.end = there != NULL && there->start < left.end ? there->start : left.end;
            error |= region_copy(&past->ranges, &lost, 0);
            left.start = lost.end;
        }
    }
    return error;
}

static int written_restore(void)
{
    uint64_t bytes = 0;
    int error = scan(&past->found, IS_WRITTEN, 0);
    for (uint32_t i = 0; i < past->found.count; i++) {
        bytes += past->found.list[i].end - past->found.list[i].start;
        error |= region_copy(&past->ranges, &past->found.list[i], 0);
    }
    if (bytes > WRITTEN_MAX) {
        error |= scan(&past->found, IS_WRITTEN, SCAN_PROTECT);
    }
    return error;
}

static void go_back(void)
{
    past->before();
    if (maps_restore() != 0 || lost_restore() != 0 || written_restore() != 0) {
        past->otherwise();
    }
    past->after();
    longjmp(past->mark, 1);
}

void cx_rewind_back(void (*before)(void), void (*after)(void), void (*otherwise)(void))
{
    past->before = before;
    past->after = after;
    past->otherwise = otherwise;
    char *top = past->stack + STACK_BYTES;
    __asm__ volatile("mov %0, %%rsp\n\txor %%ebp, %%ebp\n\tcall *%1\n\tud2" : : "r"(top), "r"(go_back) : "memory");
    __builtin_unreachable();
}
