// SPDX-License-Identifier: Apache-2.0
//
// exhaustive: stateless search with iterative preemption bounding (Musuvathi and Qadeer, "Iterative context bounding
// for systematic testing of multithreaded programs", PLDI 2007), reduced by what operations are about.
//
// A run plays a prefix of decisions and the default order after it. At each place where another thread could have gone
// on, a new prefix is made, but only if it can matter:
//
//   races   a thread is preempted before an operation only if another thread has a conflicting one (same object, not
//           both looks) later in that run (Flanagan and Godefroid, "Dynamic partial-order reduction for model checking
//           software", POPL 2005). Each run is looked at from its beginning, so a conflict that first shows in a later
//           run still adds a schedule at the earlier place. Where a thread blocks or ends, every other thread is tried:
//           those are the places at which a bounded search must be generous (Coons, Musuvathi and McKinley, "Bounded
//           partial-order reduction", OOPSLA 2013).
//   sleep   where a thread is preempted, what it would have done is explored elsewhere, and until something happens
//           that conflicts with it, letting it go on gives an equivalent of a schedule with no more preemptions
//           (Godefroid's sleep sets). With a bound only the preempted thread may sleep: to let a third one go first can
//           cost a preemption more, and the equivalent would be out of bounds. Without a bound, all earlier ones sleep.
//
// Where ours differs: prefixes come from a stack, not from the recursion of one search, so that a crew can play many of
// them at a time; what was tried where is remembered by a hash of all decisions before.
//
// What counts as a place: points before operations, not after; whether a timed wait ends early there costs as much as a
// preemption. Objects are addresses: two objects that had the same one at different times conflict, which only adds
// schedules. Plain accesses that share eight bytes conflict, too; a run with a longer access is not called explored.
// What is left out: effects through the clock, through plain memory without a lock, and through anything
// else that no operation names.
#include "harness/exec/exhaustive.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/exec/seed.h"

#define OBJECTS (1u << 14)

// Per object, who uses it in the part of a trace behind the place that is looked at, and who changes it.
struct users {
    uint64_t object; // 0: free
    uint64_t all;
    uint64_t changers;
};

// What a walk along a trace knows.
struct walk {
    struct cx_exhaustive *search;
    const struct cx_prefix *prefix;
    const struct cx_trace *trace;
    const uint64_t *rivals; // for each choice: threads with a conflicting operation later on
    struct cx_deviation path[CX_TRACE_THREADS_MAX * 16];
    uint64_t path_asleep[CX_TRACE_THREADS_MAX * 16];
    uint32_t path_count;
    uint32_t preemptions;
    uint64_t hash;
    uint64_t mask; // the part of an address that tells objects apart
    uint64_t asleep;
    uint8_t pending_op[CX_TRACE_THREADS_MAX];
    uint64_t pending_object[CX_TRACE_THREADS_MAX];
    uint64_t identity[CX_TRACE_THREADS_MAX]; // the object that stands for the thread where others join it
};

static int looks(uint8_t op)
{
    return op == CX_OP_LOAD || op == CX_OP_READ || op == CX_OP_RWLOCK_RDLOCK;
}

// Operations that are nobody's rival: what comes next decides, or only the thread's own end counts.
static int idle(uint8_t op)
{
    return op == CX_OP_NONE || op == CX_OP_AFTER || op == CX_OP_THREAD_CREATE || op == CX_OP_THREAD_START ||
           op == CX_OP_THREAD_JOIN || op == CX_OP_ACTORS || op == CX_OP_NOTE;
}

// Operations about more than their object.
static int wakes_all(uint8_t op)
{
    return op == CX_OP_COND_WAIT || op == CX_OP_YIELD || op == CX_OP_SPIN || op == CX_OP_SLEEP || op == CX_OP_PAUSE ||
           op == CX_OP_POLL || op == CX_OP_BARRIER_WAIT;
}

static struct users *users_of(struct users *table, uint64_t object)
{
    uint32_t at = (uint32_t)(cx_mix(object) % OBJECTS);
    for (uint32_t probes = 0; probes < OBJECTS; probes++) {
        if (table[at].object == object || table[at].object == 0) {
            table[at].object = object;
            return &table[at];
        }
        at = (at + 1) % OBJECTS;
    }
    return NULL;
}

// For each choice of the trace, the threads other than its own with a conflicting operation later on. NULL without
// memory, or with more objects than there is room for.
static uint64_t *rivals_find(const struct cx_trace *trace, uint64_t mask)
{
    struct users *table = calloc(OBJECTS, sizeof(*table));
    uint64_t *rivals = calloc((size_t)trace->count + 1, sizeof(*rivals));
    int lost = table == NULL || rivals == NULL;
    for (uint32_t i = trace->count; !lost && i-- > 0;) {
        const struct cx_choice *choice = &trace->choices[i];
        uint64_t self = 1ULL << choice->thread;
        struct users *users = choice->object != 0 ? users_of(table, choice->object & mask) : NULL;
        lost = choice->object != 0 && users == NULL;
        if (users == NULL) {
            continue;
        }
        if (!idle(choice->op)) {
            rivals[i] = (looks(choice->op) ? users->changers : users->all) & ~self;
        }
        // The point after an operation stands for an operation that was begun before and ended here.
        users->all |= choice->op == CX_OP_THREAD_JOIN || choice->op == CX_OP_THREAD_START ? 0 : self;
        users->changers |= idle(choice->op) || looks(choice->op) ? 0 : self;
    }
    free(table);
    if (lost) {
        free(rivals);
        rivals = NULL;
    }
    return rivals;
}

static void stack_push(struct cx_exhaustive *search, struct cx_exhaustive_stack *stack, struct cx_prefix *prefix)
{
    if (stack->count == stack->room) {
        size_t room = stack->room == 0 ? 64 : 2 * stack->room;
        struct cx_prefix **list =
            realloc(stack->list, room * sizeof(*list)); // NOLINT(bugprone-sizeof-expression): pointers
        if (list == NULL) {
            search->incomplete = 1;
            free(prefix);
            return;
        }
        stack->list = list;
        stack->room = room;
    }
    stack->list[stack->count++] = prefix;
}

// The node with this hash, made if it is new. NULL without memory.
static struct cx_exhaustive_node *node_of(struct cx_exhaustive *search, uint64_t hash)
{
    if (2 * (search->nodes_count + 1) > search->nodes_room) {
        size_t room = search->nodes_room == 0 ? 1024 : 2 * search->nodes_room;
        struct cx_exhaustive_node *nodes = calloc(room, sizeof(*nodes));
        if (nodes == NULL) {
            return NULL;
        }
        for (size_t i = 0; i < search->nodes_room; i++) {
            size_t at = search->nodes[i].hash & (room - 1);
            while (search->nodes[i].hash != 0 && nodes[at].hash != 0) {
                at = (at + 1) & (room - 1);
            }
            if (search->nodes[i].hash != 0) {
                nodes[at] = search->nodes[i];
            }
        }
        free(search->nodes);
        search->nodes = nodes;
        search->nodes_room = room;
    }
    size_t at = hash & (search->nodes_room - 1);
    while (search->nodes[at].hash != 0 && search->nodes[at].hash != hash) {
        at = (at + 1) & (search->nodes_room - 1);
    }
    search->nodes_count += search->nodes[at].hash == 0;
    search->nodes[at].hash = hash;
    return &search->nodes[at];
}

static uint16_t default_of(const struct cx_choice *choice, uint32_t threads_count)
{
    if (choice->kind == CX_CHOICE_PICK) {
        return 0;
    }
    uint32_t at = choice->thread;
    for (uint32_t i = 1; choice->kind == CX_CHOICE_BLOCK && i < threads_count; i++) {
        at = at + 1 >= threads_count ? 0 : at + 1;
        if (at != choice->thread && (choice->runnable >> at & 1) != 0) {
            return (uint16_t)at;
        }
    }
    return choice->thread;
}

static struct cx_deviation deviation_to(const struct walk *walk, const struct cx_choice *choice, uint32_t next)
{
    int pick = choice->kind == CX_CHOICE_PICK;
    return (struct cx_deviation){
        .point = choice->point,
        .object = choice->object,
        .thread = walk->trace->threads[choice->thread].key,
        .choice = pick ? next : walk->trace->threads[next].key,
        .kind = pick ? CX_DEVIATION_PICK : CX_DEVIATION_SWITCH,
        .op = choice->op,
        .preemption = choice->kind == CX_CHOICE_POINT,
    };
}

// What it costs to let `next` go on here.
static uint32_t cost_of(const struct cx_choice *choice, uint32_t next)
{
    if (choice->kind == CX_CHOICE_PICK || next == choice->thread) {
        return 0;
    }
    return choice->kind == CX_CHOICE_POINT || (choice->timed >> next & 1) != 0;
}

static void alternative_push(struct walk *walk, const struct cx_choice *choice, uint32_t next, uint64_t asleep)
{
    struct cx_exhaustive *search = walk->search;
    uint32_t preemptions = walk->preemptions + cost_of(choice, next);
    if (preemptions > search->preemptions_max) {
        search->beyond = 1;
        return;
    }
    uint32_t count = walk->path_count;
    struct cx_prefix *prefix = malloc(sizeof(*prefix) + (count + 1) * sizeof(prefix->steps[0]));
    if (prefix == NULL) {
        search->incomplete = 1;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        prefix->steps[i].deviation = walk->path[i];
        prefix->steps[i].asleep = walk->path_asleep[i];
    }
    prefix->steps[count].deviation = deviation_to(walk, choice, next);
    prefix->steps[count].asleep = asleep;
    prefix->count = count + 1;
    prefix->preemptions = preemptions;
    search->pushed++;
    stack_push(search, preemptions > search->level ? &search->later : &search->now, prefix);
}

// Make schedules of what else could have been decided here.
static void alternatives_push(struct walk *walk, uint32_t at, uint16_t fallback)
{
    const struct cx_choice *choice = &walk->trace->choices[at];
    int unbounded = walk->search->preemptions_max == CX_PREEMPTIONS_ANY;
    uint64_t others = choice->runnable | choice->timed;
    if (choice->kind == CX_CHOICE_PICK) {
        others = choice->n >= 64 ? ~0ULL : (1ULL << choice->n) - 1;
    } else if (walk->pending_op[fallback] == CX_OP_ACTORS ||
               (choice->kind == CX_CHOICE_POINT && walk->rivals[at] == 0)) {
        return; // who only waits for the others' ends looks, and waits again: everybody has a turn there
    }
    struct cx_exhaustive_node *node = node_of(walk->search, walk->hash | 1);
    if (node == NULL) {
        walk->search->incomplete = 1;
        return;
    }
    node->taken |= 1ULL << fallback;
    uint64_t sleepers = choice->kind == CX_CHOICE_PICK ? 0 : walk->asleep;
    for (uint32_t next = 0; next < 64; next++) {
        uint64_t bit = 1ULL << next;
        int vain = choice->kind != CX_CHOICE_PICK && (next == choice->thread || walk->pending_op[next] == CX_OP_ACTORS);
        if ((others & bit) == 0 || (node->taken & bit) != 0 || (sleepers & bit) != 0 || vain) {
            continue;
        }
        uint64_t asleep = 0;
        if (choice->kind != CX_CHOICE_PICK) {
            asleep = unbounded ? node->taken & choice->runnable : 0;
            asleep |= choice->kind == CX_CHOICE_POINT ? 1ULL << choice->thread : 0;
        }
        node->taken |= bit;
        alternative_push(walk, choice, next, asleep);
    }
}

// `thread` goes on with what it was about to do: whoever sleeps and would see that is awake again.
static void wake(struct walk *walk, uint32_t thread)
{
    uint8_t op = walk->pending_op[thread];
    uint64_t object = walk->pending_object[thread];
    for (uint32_t i = 0; walk->asleep != 0 && i < walk->trace->threads_count; i++) {
        int conflict =
            object != 0 && object == walk->pending_object[i] && !idle(op) && !(looks(op) && looks(walk->pending_op[i]));
        if (conflict || wakes_all(op)) {
            walk->asleep &= ~(1ULL << i);
        }
    }
}

// A thread blocks, yields or ends: who waits for its end, or for anything, is awake again.
static void end_noted(struct walk *walk, const struct cx_choice *choice)
{
    for (uint32_t i = 0; i < walk->trace->threads_count; i++) {
        int joins = choice->op == CX_OP_THREAD_EXIT && walk->pending_op[i] == CX_OP_THREAD_JOIN &&
                    walk->pending_object[i] == walk->identity[choice->thread];
        if (joins || walk->pending_op[i] == CX_OP_ACTORS || wakes_all(choice->op)) {
            walk->asleep &= ~(1ULL << i);
        }
    }
}

// One decision of the run. 0: from here on the run is equivalent to another one.
static int step(struct walk *walk, uint32_t at)
{
    const struct cx_choice *choice = &walk->trace->choices[at];
    if (choice->kind != CX_CHOICE_PICK) {
        walk->pending_op[choice->thread] = choice->op;
        walk->pending_object[choice->thread] = choice->object & walk->mask;
    }
    if (choice->op == CX_OP_THREAD_START) {
        walk->identity[choice->thread] = choice->object & walk->mask;
    } else if (choice->kind == CX_CHOICE_BLOCK) {
        end_noted(walk, choice);
    }
    uint16_t fallback = default_of(choice, walk->trace->threads_count);
    alternatives_push(walk, at, fallback);
    if (choice->next != fallback) {
        uint32_t given = walk->prefix != NULL ? walk->prefix->count : 0;
        if (walk->path_count >= given || walk->path_count == sizeof(walk->path) / sizeof(walk->path[0])) {
            walk->search->incomplete = 1; // the run has done what its prefix does not say
            return 0;
        }
        walk->path[walk->path_count] = deviation_to(walk, choice, choice->next);
        walk->path_asleep[walk->path_count] = walk->prefix->steps[walk->path_count].asleep;
        walk->asleep |= walk->path_asleep[walk->path_count];
        walk->path_count++;
        walk->preemptions += cost_of(choice, choice->next);
    }
    uint64_t mark = ((uint64_t)choice->thread << 48) | ((uint64_t)choice->next << 32) | ((uint64_t)choice->kind << 16);
    walk->hash = cx_mix(walk->hash ^ mark ^ choice->point);
    if (choice->kind == CX_CHOICE_PICK) {
        return 1;
    }
    if ((walk->asleep >> choice->next & 1) != 0) {
        return 0;
    }
    wake(walk, choice->next);
    return 1;
}

// Plain accesses of different sizes can share bytes: where there are any, eight bytes are one object. `*wide` is set if
// an access is about more than one of these.
static uint64_t mask_of(const struct cx_trace *trace, int *wide)
{
    uint64_t mask = UINT64_MAX;
    for (uint32_t i = 0; i < trace->count; i++) {
        const struct cx_choice *choice = &trace->choices[i];
        if (choice->op == CX_OP_READ || choice->op == CX_OP_WRITE) {
            mask = ~7ULL;
            *wide |= choice->object % 8 + choice->bytes > 8;
        }
    }
    return mask;
}

void cx_exhaustive_judge(struct cx_exhaustive *search, const struct cx_prefix *prefix, const struct cx_trace *trace)
{
    int wide = 0;
    uint64_t mask = mask_of(trace, &wide);
    uint64_t *rivals = rivals_find(trace, mask);
    struct walk *walk = calloc(1, sizeof(*walk));
    int whole = rivals != NULL && walk != NULL && !trace->dropped && trace->threads_count <= CX_TRACE_THREADS_MAX;
    if (whole) {
        walk->search = search;
        walk->prefix = prefix;
        walk->trace = trace;
        walk->rivals = rivals;
        walk->hash = 1;
        walk->mask = mask;
        int fresh = 1;
        for (uint32_t i = 0; fresh && i < trace->count; i++) {
            fresh = step(walk, i);
        }
        search->schedules += (uint64_t)fresh;
        search->cut += !fresh;
    }
    search->incomplete |= !whole || wide;
    free(walk);
    free(rivals);
}

struct cx_prefix *cx_exhaustive_next(struct cx_exhaustive *search)
{
    if (search->now.count > 0) {
        return search->now.list[--search->now.count];
    }
    if (search->later.count == 0) {
        return NULL;
    }
    struct cx_exhaustive_stack empty = search->now;
    search->now = search->later;
    search->later = empty;
    search->level++;
    return search->now.list[--search->now.count];
}

void cx_exhaustive_fini(struct cx_exhaustive *search)
{
    struct cx_exhaustive_stack *const stacks[] = {&search->now, &search->later};
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < stacks[k]->count; i++) {
            free(stacks[k]->list[i]);
        }
        free(stacks[k]->list);
    }
    free(search->nodes);
    memset(search, 0, sizeof(*search));
}

void cx_exhaustive_text(const struct cx_exhaustive *search, int over, char *text, size_t text_bytes)
{
    char cut[80] = "";
    if (search->cut > 0) {
        snprintf(cut, sizeof(cut), " (%" PRIu64 " more were equivalent to one of them)", search->cut);
    }
    if (!over || search->incomplete) {
        snprintf(text, text_bytes, "%" PRIu64 " schedules explored, NOT all: %s%s", search->schedules,
                 search->incomplete ? "a run could not be followed or traced" : "more are to be played", cut);
    } else if (!search->beyond) {
        snprintf(text, text_bytes, "all %" PRIu64 " schedules explored, whatever their preemptions%s",
                 search->schedules, cut);
    } else {
        snprintf(text, text_bytes, "all %" PRIu64 " schedules with at most %" PRIu32 " preemptions explored%s",
                 search->schedules, search->preemptions_max, cut);
    }
}
