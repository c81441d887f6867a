// SPDX-License-Identifier: Apache-2.0
//
// schedule_input: the half of an input that is a schedule, and the way to bytes and back.
//
// Every byte means something wherever it is, and any bytes are an input; what is missing is zero:
//
//     1 byte    strategy: fuzz_strategies[]
//     1 byte    depth of pct; rate of preemptions of random, 0: drawn from the seed
//     8 bytes   seed, the lowest byte first
//
// and then, for strategy replay, as often as there are more:
//
//     6 bytes   a switch: thread, thread that goes on, point in 4 bytes
//
// or for the others:
//
//     1 byte    how many segments
//     13 bytes  each of them: its kind, of fuzz_segment(); hand-offs of the run before it in 4 bytes; seed in 8
//     and more  what segments of fresh and hold are told (cx_told)
//
// Threads are numbers: 0 is main, 1 to 3 are its children. At a segment the run goes on with a strategy and a seed of
// its own (harness/exec/handoffs.h): two inputs that differ in their last segment are the same run up to there.
#ifndef CX_FUZZ_SCHEDULE_INPUT_H
#define CX_FUZZ_SCHEDULE_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "harness/exec/channel.h"
#include "harness/prng.h"

#define FUZZ_SWITCHES_MAX 64
#define FUZZ_SWITCH_BYTES 6
#define FUZZ_SWITCH_THREADS 4
#define FUZZ_DEPTHS 6
#define FUZZ_RATES (CX_RATE_MAX + 1u)
#define FUZZ_SEGMENTS_MAX (CX_SEGMENTS_MAX - 1) // beside the beginning
#define FUZZ_SEGMENT_BYTES 13
#define FUZZ_SCHEDULE_BYTES 10 // without switches and segments
#define FUZZ_KNOWN_BYTES (CX_TOLD_BITS / 8)
#define FUZZ_SCHEDULE_BYTES_MAX (FUZZ_SCHEDULE_BYTES + 1 + FUZZ_SEGMENTS_MAX * FUZZ_SEGMENT_BYTES + FUZZ_KNOWN_BYTES)
_Static_assert(FUZZ_SWITCHES_MAX *FUZZ_SWITCH_BYTES < FUZZ_KNOWN_BYTES, "switches fit");

struct fuzz_switch {
    uint8_t thread;
    uint8_t to;
    uint32_t point;
};

struct fuzz_schedule {
    uint8_t strategy; // index into fuzz_strategies[]
    uint8_t depth;    // random: rate
    uint64_t seed;
    uint32_t segments_count;
    struct cx_segment segments[FUZZ_SEGMENTS_MAX]; // as cx_segments has them
    uint8_t known[FUZZ_KNOWN_BYTES];               // by the seed; zero unless one of them goes by it
    uint32_t switches_count;
    struct fuzz_switch switches[FUZZ_SWITCHES_MAX];
};

#define FUZZ_STRATEGIES 5
extern const uint32_t fuzz_strategies[FUZZ_STRATEGIES]; // enum cx_strategy_kind

// Any bytes; fields are brought into their ranges, so that what is read and written again stays the same.
void fuzz_schedule_read(struct fuzz_schedule *schedule, const uint8_t *data, size_t size);
// Returns the number of bytes, at most FUZZ_SCHEDULE_BYTES_MAX.
size_t fuzz_schedule_write(const struct fuzz_schedule *schedule, uint8_t *data);
// The switches as a plan, which has room for FUZZ_SWITCHES_MAX. Returns how many.
uint32_t fuzz_schedule_plan(const struct fuzz_schedule *schedule, struct cx_deviation *plan);
// The segments, the beginning included where random has a rate.
void fuzz_schedule_segments(const struct fuzz_schedule *schedule, struct cx_segments *segments);
// A segment is of strategy fresh or hold.
int fuzz_schedule_is_told(const struct fuzz_schedule *schedule);
// The switches of a plan, to be followed as they are. 0, or -1: there are too many, or of other threads.
int fuzz_schedule_from_plan(struct fuzz_schedule *schedule, const struct cx_deviation *plan, size_t count);
// Copy as many bytes of an input as there is room for; returns how many.
size_t fuzz_bytes_fit(const uint8_t *bytes, size_t size, uint8_t *out, size_t room);
// A segment with nothing but its strategy, in the order below.
struct cx_segment fuzz_segment(uint32_t kind);
uint32_t fuzz_segment_kind(const struct cx_segment *segment);

// Ways in which a schedule comes about: as its last segment, random with each rate or pos, or, where pairs are known,
// fresh and hold with each rate; or whole, without segments, random with each rate, pos, pct and delay.
#define FUZZ_KIND_POS FUZZ_RATES
#define FUZZ_KIND_FRESH (FUZZ_KIND_POS + 1)
#define FUZZ_KIND_HOLD (FUZZ_KIND_FRESH + CX_FRESH_RATE_MAX + 1)
#define FUZZ_KINDS_OF_SEGMENTS (FUZZ_KIND_HOLD + CX_HOLD_RATE_MAX + 1)
#define FUZZ_KINDS (FUZZ_KINDS_OF_SEGMENTS + FUZZ_RATES + 3)

// Kinds that are alike; whole but for the first three.
enum fuzz_family {
    FUZZ_FAMILY_SEGMENT,
    FUZZ_FAMILY_FRESH,
    FUZZ_FAMILY_HOLD,
    FUZZ_FAMILY_RANDOM, // with a rate that its seed draws
    FUZZ_FAMILY_FEW,    // preemptions
    FUZZ_FAMILY_MANY,
    FUZZ_FAMILY_POS,
    FUZZ_FAMILY_PCT,
    FUZZ_FAMILY_DELAY,
    FUZZ_FAMILIES
};

// What runs of a scenario have come to: nothing (0), or a finding. The last of those runs are kept.
#define FUZZ_KEPT 4
#define FUZZ_OUTCOMES_MAX 64
struct fuzz_outcome {
    uint64_t id;
    uint64_t runs;
    uint32_t scenario;
    uint32_t of_family[FUZZ_FAMILIES]; // of these runs
    struct fuzz_kept {
        struct fuzz_schedule schedule;
        uint32_t handoffs;
    } kept[FUZZ_KEPT];
};

// An operation to which few runs have come (cx_sites), and the last of them.
#define FUZZ_SITES_MAX 1024
struct fuzz_site {
    uint32_t place; // in cx_sites, and 1; 0: none
    uint32_t scenario;
    uint32_t handoffs; // that it had had by then
    struct fuzz_schedule schedule;
};

// What is known of runs that were played, so that schedules are changed where it matters.
struct fuzz_past {
    uint32_t handoffs;             // of the run that is changed; 0: nothing is known
    uint32_t fresh_at;             // its last hand-off that joined a pair that no run before had; 0: none did
    double yields[FUZZ_KINDS];     // such pairs for each hand-off of runs of each kind, the last runs counted most
    const struct cx_pairs *pairs;  // of all runs; NULL: nothing is known
    const struct fuzz_site *sites; // FUZZ_SITES_MAX; NULL where pairs are
    const struct fuzz_outcome *outcomes;
    uint32_t outcomes_count;
    uint32_t ends;                // of them, those of the scenario
    double scores[FUZZ_FAMILIES]; // how rarely, as runs of that family end, any run of the scenario does; 1 is the mean
    uint32_t scenario;            // of the run that is changed
    uint32_t idle;                // runs since one ended as none before had
};

// The way in which this schedule ends, or FUZZ_KINDS.
uint32_t fuzz_schedule_kind(const struct fuzz_schedule *schedule);
enum fuzz_family fuzz_family_of(uint32_t kind);
// So many runs that an operation is no longer one to which few have come.
uint32_t fuzz_site_often(const struct cx_sites *sites);
// One small change (schedule_change.c). `past` may be NULL.
void fuzz_schedule_change(struct cx_prng *prng, struct fuzz_schedule *schedule, const struct fuzz_past *past);

#endif
