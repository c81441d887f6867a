// SPDX-License-Identifier: Apache-2.0
//
// scenario: all that the author of a scenario needs to read.
//
// A scenario is one C file that asks one question about a lifecycle. It is plain data (struct cx_scenario) and a few
// functions. One run of it goes like this, in a process of its own:
//
//   1. setup()   on the main thread, with CPython initialised and a thread state attached;
//   2. actors    every actor without CX_ACTOR_MAIN becomes a native pthread that CPython has never seen; they and the
//                main actor now race, one thread at a time, under the schedule;
//   3. main      the actor marked CX_ACTOR_MAIN (at most one) runs on the main thread, attached; it may finalize;
//   4. the host waits until every other actor has returned or is parked for ever in pause(2), which is where CPython
//                puts threads that come too late. If CPython is still initialised it detaches while it waits;
//   5. check()   on the main thread, attached if CPython is still initialised. It runs alone.
//
//     static void left(struct cx_run *run, void *state) { ... }
//     static void right(struct cx_run *run, void *state) { ... }
//     const struct cx_scenario scenario_critical_nested_swap = {
//         .summary = "two threads nest the same two sections in opposite order",
//         .builds = CX_BUILD_ANY, .state_bytes = sizeof(struct state), .setup = setup, .check = check,
//         .actors = {{"left", left}, {"right", right}}, .tags = "critical", .refs = "gh-...",
//     };
//
// Adding one: the file, and its name in scenarios/CMakeLists.txt. The path is the name: critical/nested_swap.c is
// "critical/nested_swap" and defines scenario_critical_nested_swap.
//
// No sleep, no assert(), no ambient randomness in a scenario: order comes from the scheduler alone, checks are
// CX_CHECK, numbers come from cx_choose(). A child that it forks is a part of the run: scenarios/common/forking.h.
#ifndef CX_SCENARIO_H
#define CX_SCENARIO_H

#include <stddef.h>
#include <stdint.h>

#define CX_ACTORS_MAX 12

// The run that a function belongs to. Opaque; valid for the whole run, on every thread of it.
struct cx_run;

// Builds on which a scenario makes sense: a target must match one bit of each pair.
enum cx_build {
    CX_BUILD_GIL = 1,           // the default build
    CX_BUILD_FREE_THREADED = 2, // --disable-gil
    CX_BUILD_DEBUG = 4,         // controlled, no detector
    CX_BUILD_TSAN = 8,          // controlled, under ThreadSanitizer
    CX_BUILD_ASAN = 16,         // a debug build under AddressSanitizer
    CX_BUILD_ANY = 31,
};

enum cx_actor_flag {
    CX_ACTOR_MAIN = 1, // runs on the thread that initialised CPython, attached
};

// What a run of this scenario is expected to show. Everything but PASS is for canaries: they must fail, in this way.
enum cx_expect {
    CX_EXPECT_PASS = 0,
    CX_EXPECT_CRASH,
    CX_EXPECT_RACE,
    CX_EXPECT_DEADLOCK,
    CX_EXPECT_LIVELOCK,
    CX_EXPECT_INVARIANT,
    CX_EXPECT_DIVERGED,
    CX_EXPECT_DRIFT,
    CX_EXPECT_LEAK,
    CX_EXPECT_NOTHING, // no choice to explore: `constrictor run` must refuse to call this a pass
};

// A scenario that leaves nothing behind, in no schedule: every object that it makes is gone after check().
enum cx_cycle {
    CX_CYCLE_NONE = 0,
    CX_CYCLE, // it is listed a second time, as drift/NAME: played several times in one run, and what lives compared
    CX_CYCLE_ONLY, // it is always played so (canaries)
};

// One thread's body. `count` copies are started (0 means 1); cx_actor_index() tells them apart.
struct cx_actor {
    const char *name;
    void (*body)(struct cx_run *run, void *state);
    uint32_t count;
    uint32_t flags;
};

struct cx_scenario {
    const char *summary;         // one line, lower case
    uint32_t builds;             // enum cx_build bits
    size_t state_bytes;          // zeroed memory handed to every function as `state`
    int (*prepare)(void *state); // may be NULL; before control begins: what each run begins with. 0, or -1 likewise
    int (*setup)(struct cx_run *run, void *state);  // 0, or -1: the run is a harness error, not a finding
    void (*check)(struct cx_run *run, void *state); // may be NULL
    struct cx_actor actors[CX_ACTORS_MAX];
    enum cx_expect expect;
    uint64_t steps_max;     // step bound, then livelock; 0: CX_STEPS_MAX_DEFAULT
    uint32_t wall_ms_max;   // real-time bound, then hang; 0: CX_WALL_MS_MAX_DEFAULT
    const char *tags;       // comma separated
    const char *refs;       // upstream issues
    enum cx_cycle cycle;    // builds with Py_DEBUG alone
    const char *python_min; // first CPython version that has what it needs ("3.14"), or NULL
};

#define CX_STEPS_MAX_DEFAULT 50000000u
#define CX_WALL_MS_MAX_DEFAULT 20000u

// Which copy of its actor the calling thread is, from 0. Thread state: either. Blocks: no.
uint32_t cx_actor_index(const struct cx_run *run);

// A point: the scheduler may switch here, and strategies may prefer to. `label` is static text for stories. Thread
// state: either. Blocks: no.
void cx_point(const char *label);

// A remark for the story ("Py_FinalizeEx begins"); static text. It is no point. Thread state: either. Blocks: no.
void cx_note(const char *text);

// A number in [0, n), drawn by the strategy and recorded in the schedule. n >= 1. Thread state: either. Blocks: no.
uint32_t cx_choose(uint32_t n);

// Wait until every other actor has returned or is parked for ever. For main actors that must not return before the
// others are done. Thread state: detached, or the interpreter does not need this thread. Blocks: yes.
void cx_wait_actors(struct cx_run *run);

// Initialise CPython again, as the host did, for scenarios that have finalized it. 0 with the calling thread attached,
// or -1. Thread state: none. Blocks: no.
int cx_python_start(void);

// Keep this object (a PyObject): it must have as many references when all actors are done, before check(), as it has
// now. Thread state: attached. Blocks: no.
void cx_watch(struct cx_run *run, void *object);

// True if some actor is parked for ever in pause(2). Thread state: either. Blocks: no.
int cx_any_parked(const struct cx_run *run);

// Report that invariant `expression` does not hold and end the run at once. Thread state: either. Does not return.
__attribute__((noreturn)) void cx_fail(const char *expression, const char *file, int line);

// An always-on check: a finding of kind "invariant" when it fails. Independent of NDEBUG.
#define CX_CHECK(expression)                                                                                           \
    do {                                                                                                               \
        if (!(expression)) {                                                                                           \
            cx_fail(#expression, __FILE__, __LINE__);                                                                  \
        }                                                                                                              \
    } while (0)

// The table that CMake generates from the list in scenarios/CMakeLists.txt.
struct cx_scenario_entry {
    const char *name;
    const struct cx_scenario *scenario;
};
extern const struct cx_scenario_entry cx_scenario_table[];
extern const size_t cx_scenario_count;

#endif
