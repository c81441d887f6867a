// SPDX-License-Identifier: Apache-2.0
//
// channel: the shared memory between the constrictor command and one runner.
//
// The command makes four files (memfd), maps the first, and starts the runner with them at fixed descriptors, no
// arguments and a fixed environment: what a runner is asked to do must not move its stack or heap, or addresses, hash
// orders and with them schedules would change from request to request. The dialogue is one byte at a time over a
// socket pair:
//
//   runner  -> command   CX_BYTE_HELLO   identity and scenario list are filled in; the runner is ready
//   command -> runner    CX_BYTE_RUN     `request` (and `plan`, or `batch`) are filled in: play it
//   runner  -> command   CX_BYTE_DONE    `result` is filled in
//   command -> runner    CX_BYTE_QUIT    leave
//
// The runner forks for every request. The child plays the run and writes its result here as it goes, so that what it
// knew survives its crash; the runner adds what only a parent can know (wait status, times). Where the request allows
// it, the child stays for further ones, and has the dialogue meanwhile. End of file on the socket means that the other
// side is gone.
//
// Locking: none. A byte on the socket hands the whole channel to the other side.
#ifndef CX_CHANNEL_H
#define CX_CHANNEL_H

#include <stdint.h>

#include "harness/exec/handoffs.h"
#include "harness/exec/points.h"
#include "harness/outcome.h"

// "CXC1", moved on by the lengths of the two vocabularies: sides that number them differently refuse to talk.
#define CX_CHANNEL_MAGIC (0x31435843u + CX_OP_COUNT * 0x10000u + CX_OUTCOME_COUNT * 0x1000000u)
#define CX_CHANNEL_FD 3 // memfd: struct cx_channel
#define CX_SOCKET_FD 4  // stream socket: the dialogue
#define CX_OUTPUT_FD 5  // memfd: standard output and error of the child, truncated before every run
#define CX_LOG_FD 6     // memfd: struct cx_step records of the last run with CX_MODE_LOG

#define CX_BYTE_HELLO 'H'
#define CX_BYTE_RUN 'R'
#define CX_BYTE_DONE 'D'
#define CX_BYTE_QUIT 'Q'

// The real-time bound of a run is kept three times, each time by somebody who is more patient. The run itself: so many
// times the bound are forgiven to it while it does not get a processor.
#define CX_WALL_PATIENCE 4
// Its runner: the most that the run allows itself, and a grace to write down what happened.
#define CX_WALL_MS_OF_RUNNER(wall_ms) ((1 + CX_WALL_PATIENCE) * (uint64_t)(wall_ms) + 5000)
// The command: the runner's counts no second in which the machine stands still.
#define CX_WALL_MS_OF_COMMAND(wall_ms) (2 * CX_WALL_MS_OF_RUNNER(wall_ms))

#define CX_FRAMES_MAX 40
#define CX_THREADS_REPORT_MAX 512
#define CX_RACES_MAX 64
#define CX_EVENTS_MAX 800
#define CX_EVENTS_FIRST 200 // of a run with more, the first ones are kept, and the last ones, which lead to its end
#define CX_LOCKS_MAX 4096
#define CX_LOCKS_FIRST 1024
#define CX_SCENARIOS_MAX 256
#define CX_DEVIATIONS_MAX (1u << 20)
#define CX_MODULES_MAX 16
#define CX_TRACE_MAX (1u << 18)
#define CX_TRACE_THREADS_MAX 64 // of a traced run: sets of threads are words
#define CX_PROFILE_MAX 512
#define CX_FOCUS_MAX 3
#define CX_COVERAGE_WORDS 256         // 64 bits each
#define CX_COVERAGE_HANDOFF_WORDS 128 // of them: pairs at switches; the others are conflicts, seen by pos alone
#define CX_SUBJECT_WORDS_BYTES 8192
#define CX_LOG_BLOCKS_MAX 4096
#define CX_LATE_MAX 16
#define CX_INPUTS_MAX 4096
#define CX_EDGES_MAX (5u << 17) // 655,360; CPython 3.14 with the scenarios has 566,816; more would share counters

enum cx_strategy_kind {
    CX_STRATEGY_NATIVE = 0, // no control: the operating system schedules
    CX_STRATEGY_RANDOM,
    CX_STRATEGY_PCT,
    CX_STRATEGY_REPLAY, // follow `plan`, the default order elsewhere
    CX_STRATEGY_POS,    // `plan` may hold priorities
    CX_STRATEGY_URW,
    CX_STRATEGY_SURW,
    CX_STRATEGY_DELAY,
    CX_STRATEGY_FEEDBACK, // from here on the command's: runs are dealt to those above
    CX_STRATEGY_PORTFOLIO,
    CX_STRATEGY_EXHAUSTIVE,
    CX_STRATEGY_RACE,  // the runner's again, for `constrictor races` alone
    CX_STRATEGY_FRESH, // the runner's, as segments alone
    CX_STRATEGY_HOLD,
};

enum cx_mode {
    CX_MODE_STRICT = 1,  // replay: a deviation that cannot be followed, or meets another operation, ends the run
    CX_MODE_LOG = 2,     // write every step to CX_LOG_FD and hash it into result.log_hash
    CX_MODE_EXPLAIN = 4, // record an event, with both stacks, at every switch and note
    CX_MODE_WATCH = 16,  // write into inputs[] what comes from outside our control (harness/detect/watch.h)
    CX_MODE_TRACE = 8,   // write every point and who could have gone on there into trace[], and the threads of the run
};

// Return addresses, innermost first, as absolute addresses of the runner's process.
struct cx_stack {
    uint32_t count;
    uint32_t truncated;
    uint64_t pcs[CX_FRAMES_MAX];
};

enum cx_deviation_kind {
    CX_DEVIATION_SWITCH = 0,   // at this point of this thread, `choice` is the key of the thread that goes on
    CX_DEVIATION_PICK = 1,     // at this thread's n-th number choice (`point`), `choice` is the number
    CX_DEVIATION_PRIORITY = 2, // plan of pos alone: this thread's n-th priority (`point`) is drawn from seed `object`
};

// One departure from the default order. A point is named by its thread and that thread's own count of points, so that
// taking one deviation away leaves the names of the others valid as long as their threads do the same things.
struct cx_deviation {
    uint64_t point;  // the thread's own count, from 1
    uint64_t object; // address that the operation is about, 0 for none; checked by strict replay
    uint32_t thread; // key, see cx_thread_key()
    uint32_t choice;
    uint8_t kind;       // enum cx_deviation_kind
    uint8_t op;         // enum cx_op; checked by strict replay
    uint8_t preemption; // 1: the thread could have gone on
    uint8_t unused[5];
};

// One step of a log. Bit for bit the same in every replay.
struct cx_step {
    uint64_t point;
    uint64_t object;
    uint32_t thread;
    uint8_t op;
    uint8_t unused[3];
    uint64_t caller; // address in the program that performs the operation
};

// Something that a run with CX_MODE_WATCH took in from outside our control.
struct cx_input {
    uint64_t step;   // steps of the log before it
    uint64_t value;  // what came back: a system call's result, the counter of rdtsc
    uint64_t digest; // of the bytes that came with it
    uint32_t thread; // key, 0: under no control
    uint32_t call;   // number of the system call, or CX_INPUT_TSC
    char text[64];   // the file's name, or empty
    struct cx_stack stack;
};
#define CX_INPUT_TSC 0xffffffffu

// One point of a run with CX_MODE_TRACE: what the thread is about to do, and what was decided there. Threads are named
// by their order of creation (`threads_made`).
struct cx_choice {
    uint64_t object;
    uint64_t runnable; // one bit for each thread that could go on, this one included
    uint64_t timed;    // one bit for each thread whose wait may end early
    uint64_t point;    // the thread's own count; of number choices for a pick
    uint16_t thread;
    uint16_t next;  // who goes on; the number of a pick
    uint16_t n;     // of a pick: of how many
    uint8_t op;     // enum cx_op
    uint8_t kind;   // enum cx_choice_kind
    uint32_t bytes; // of a plain access, from `object` on; 1 elsewhere
    uint32_t unused;
};

// One thread of such a run.
struct cx_trace_thread {
    uint32_t key;
    uint32_t parent; // index of its creator
};

enum cx_choice_kind {
    CX_CHOICE_POINT = 0, // the thread could go on
    CX_CHOICE_BLOCK,     // it blocks, yields or ends
    CX_CHOICE_PICK,
};

// How many of its operations, and of those of all threads that come from it, a strategy is to expect of a thread.
struct cx_profile {
    uint32_t thread; // key
    uint32_t events;
};

// Stands in the file of a program that `constrictor cc` linked, with the name of the target and a newline after it.
#define CX_SUBJECT_MARK "constrictor subject: "

// What a runner plays instead of its scenarios.
enum cx_subject_kind {
    CX_SUBJECT_NONE = 0, // its scenarios
    CX_SUBJECT_PROGRAM,  // itself: a program that `constrictor cc` linked
    CX_SUBJECT_PRELOAD,  // itself: any program, with our shared object loaded before it
    CX_SUBJECT_SCRIPT,   // a Python file
    CX_SUBJECT_MODULE,   // a Python module, by its name
    CX_SUBJECT_COUNT,
};

// A program that is executed itself, and no interpreter for it.
static inline int cx_subject_is_program(uint32_t kind)
{
    return kind == CX_SUBJECT_PROGRAM || kind == CX_SUBJECT_PRELOAD;
}

// Filled in by the command before the runner starts.
struct cx_subject_info {
    uint32_t kind;       // enum cx_subject_kind
    uint32_t from_start; // Python: 1: control begins with the script, 0: with its first thread
    uint32_t words_count;
    uint32_t follow_forks;              // 1: processes that it forks are followed
    char name[64];                      // of the only scenario of this runner
    char words[CX_SUBJECT_WORDS_BYTES]; // the command line, each word ended by NUL
};

struct cx_identity {
    char build_id[48];  // of the runner's file, lower-case hexadecimal
    char target[64];    // "3.14.7-ft-debug", "plain" for a runner without CPython, "subject" for a program
    char python[64];    // Py_GetVersion(), first word; empty without CPython
    uint32_t gil_build; // 1: compiled with the GIL
    uint32_t gil_on;    // 1: the GIL was on after initialisation; must equal gil_build
    uint32_t tsan;      // 1: ThreadSanitizer is linked in
    uint32_t asan;      // 1: AddressSanitizer is linked in
    uint32_t debug;     // 1: Py_DEBUG
    uint32_t accesses;  // 1: instrumented for points at plain accesses, or a program that may be
    uint32_t aslr_off;  // 1: addresses repeat from process to process
    uint32_t modules_count;
    struct {
        uint64_t start, end; // mapped range
        uint64_t bias;       // address minus bias is what the file's symbol table uses
        char path[200];
    } modules[CX_MODULES_MAX];
};

struct cx_scenario_info {
    char name[64];
    char summary[160];
    char tags[64];
    char refs[96];
    uint32_t applicable; // 0: not on this target
    uint32_t expect;     // enum cx_expect
    uint64_t steps_max;
    uint32_t wall_ms_max;
    uint32_t unused;
};

#define CX_EARLY_NS_DEFAULT 1000000000
#define CX_SPURIOUS_DEFAULT 20 // for C and C++ programs; CPython and scenarios: none

// What a strategy may do besides choosing threads. A replay needs none of it: what was done is in its plan.
struct cx_rules {
    uint64_t early_ns_max; // timed waits of at most this length may end early by choice
    uint32_t spurious;     // waiters for a condition wake up unasked at so many of 1000 decisions
    uint32_t unused;
};

// The two accesses that strategy race brings together. With one address for both, the sides are who came first and who
// came second.
struct cx_race_aim {
    uint64_t pcs[2];           // return addresses, as ThreadSanitizer reports them
    struct cx_range around[2]; // the function that performs each of them, as it was compiled; empty: not known
    uint32_t threads[2];       // who performed each of them where the race was seen: keys, 0: not known
    uint32_t first;            // 0 or 1: which of them is to happen first
    uint32_t unused;
};

struct cx_request {
    uint32_t scenario; // index into scenarios[]
    uint32_t strategy; // enum cx_strategy_kind
    uint32_t mode;     // enum cx_mode bits
    uint32_t pct_depth;
    uint64_t seed;
    uint64_t choices_expected; // length of a run in points with a choice, learned by a calibration run; 0: unknown
    uint64_t points_expected;  // pct: points that a thread other than main passes, learned from runs; 0: unknown
    uint64_t steps_max;        // 0: the scenario's
    uint32_t wall_ms_max;      // 0: the scenario's
    uint32_t plan_first;       // its place in plan[] and
    uint32_t plan_count;       // how many deviations there are for this run
    int32_t cpu;               // run pinned to this CPU, -1: not pinned
    uint32_t profile_count;    // entries in profile[]
    uint32_t resident;         // 1: the process that plays this may play further runs (harness/host/resident.h)
    struct cx_rules rules;
    uint32_t late_count;
    uint32_t late[CX_LATE_MAX]; // keys; replay: these threads run only when nothing else can
    uint64_t log_from;          // steps that the log leaves out at its beginning,
    uint64_t log_count;         // and how many it then holds at most; 0: as many as it can
    uint64_t log_block;         // log_hash is kept in log_blocks[] every so many steps; 0: it is not
    uint64_t stack_step;        // result.step_stack is taken at this step of the log, and watching ends; 0: never
    uint64_t place;             // urw, surw: of this run among all interleavings, a fraction of 2^64; 0: drawn
    struct cx_points points;
    struct cx_window window;
    struct cx_race_aim race;
    struct cx_segments segments;
    uint64_t pairs; // 1: every hand-off is entered into the channel's pairs
    uint64_t given; // so many numbers, the first that main draws, are those of the plan or 0, whatever the strategy
    uint64_t focus[CX_FOCUS_MAX]; // surw: the objects whose accesses count, 0 for none
    struct cx_profile profile[CX_PROFILE_MAX];
};

#define CX_BATCH_MAX 64
#define CX_BATCH_UNFIT_BYTES 120

enum cx_thread_status {
    CX_THREAD_RUNNABLE = 0,
    CX_THREAD_BLOCKED,
    CX_THREAD_PARKED, // for ever, in pause(2)
    CX_THREAD_EXITED,
    CX_THREAD_UNCONTROLLED, // in the report of a native run: all that is known is where it was
};

// What one thread was doing when the run ended badly.
struct cx_thread_report {
    uint32_t key;
    uint32_t holder;   // key of the thread that holds or will satisfy what this one waits for; 0: not known
    uint8_t status;    // enum cx_thread_status
    uint8_t op;        // what it waits in, enum cx_op
    uint8_t timed;     // 1: a wait with a deadline
    uint8_t current;   // 1: this thread had the token
    uint32_t expiries; // how often its timed wait ended and was entered again with nothing changed (polling)
    uint64_t object;
    uint64_t points;
    char path[48];      // "main", "main.2", "main.2.1": n-th child of its parent
    char name[48];      // actor name, or empty
    char waits_for[96]; // what the host could find out about it, or empty
    struct cx_stack stack;
};

struct cx_race_access {
    uint64_t address;
    uint32_t bytes;
    uint32_t thread; // key, 0: not known
    uint8_t write;
    uint8_t atomic;
    uint8_t unused[6];
    struct cx_stack stack;
};

struct cx_race {
    char type[40]; // ThreadSanitizer's word: "data-race", "heap-use-after-free", ...
    uint32_t accesses_count;
    uint32_t unused;
    struct cx_race_access accesses[2];
    uint64_t location; // start of the heap block or symbol, 0: not known
    struct cx_stack allocated;
};

enum cx_switch_reason {
    CX_SWITCH_PREEMPT = 0, // it could have gone on
    CX_SWITCH_BLOCK,
    CX_SWITCH_YIELD,
    CX_SWITCH_EXIT,
    CX_SWITCH_PARK,
    CX_SWITCH_NOTE, // no switch: a remark of the scenario
};

// One switch of a run with CX_MODE_EXPLAIN.
struct cx_event {
    uint64_t step; // of the whole run
    uint64_t time_ns;
    uint64_t point; // of thread `from`
    uint64_t object;
    uint32_t from;
    uint32_t to;
    uint8_t reason;    // enum cx_switch_reason
    uint8_t op;        // what `from` was about to do
    uint8_t expired;   // 1: `to` goes on because its timed wait ended
    uint8_t deviation; // 1: not the default order
    uint32_t unused;
    char note[80];
    struct cx_stack from_stack;
    struct cx_stack to_stack;
};

// A lock taken or let go in a run with CX_MODE_EXPLAIN: pthread's mutexes, write locks and spinlocks.
struct cx_lock_event {
    uint64_t step; // of the whole run
    uint64_t object;
    uint32_t thread;   // key of its holder
    uint32_t acquired; // 0: let go
};

struct cx_result {
    uint32_t outcome;  // enum cx_outcome
    uint32_t complete; // 1: the child wrote its outcome itself; 0: only its wait status is known
    int32_t wait_status;
    int32_t signal; // 0: none
    uint64_t steps;
    uint64_t choices;    // points at which more than one thread could run
    uint64_t points_max; // of the thread that passed the most points, main left out
    uint64_t switches;
    uint64_t preemptions;
    uint64_t fingerprint; // of the whole interleaving
    uint64_t log_steps;
    uint64_t log_hash;
    uint64_t time_ns;        // virtual time that passed
    uint64_t fork_ns;        // real time that fork and wait took beyond the child's own
    uint64_t wall_ns;        // real time from request to result
    uint64_t cpu_ns;         // of the child
    uint64_t begin_ns;       // real monotonic time at which the child began to play,
    uint64_t end_ns;         // and ended
    uint32_t threads_count;  // controlled threads that ever ran; 0 without control
    uint32_t threads_parked; // of them, those that wait for ever in pause(2)
    uint32_t reports_count;  // entries in threads[]
    uint32_t deviations_count;
    uint32_t deviations_dropped; // 1: more than CX_DEVIATIONS_MAX, the schedule is known by its seed alone
    uint32_t races_count;        // entries in races[]
    uint32_t races_dropped;
    uint32_t events_count;
    uint32_t events_dropped; // so many before events[CX_EVENTS_FIRST]
    uint32_t events_turn;    // runner: so far behind that is the oldest of the last ones; exec/sanitize.c orders them
    uint32_t locks_count;
    uint32_t locks_dropped; // before locks[CX_LOCKS_FIRST]
    uint32_t locks_turn;
    uint32_t deviations_ignored; // lenient replay: entries of the plan that could not be followed
    uint32_t cycle_count;        // livelock: entries in cycle[]
    uint32_t accesses_seen;      // 1: a plain access was a point
    uint32_t executed;           // 1: the process became another program, whose exit status is all that is known of it
    uint32_t race_met;           // 1: the two accesses of the request came together and were ordered
    uint64_t diverged_step;      // step of the whole run at which a strict replay left its schedule; 0: it did not
    struct cx_deviation diverged_expected;
    struct cx_deviation diverged_found;
    uint64_t fault_address;
    uint32_t trace_count; // entries in trace[]
    uint32_t log_blocks_count;
    uint32_t watched;                     // 1: inputs[] tells what was taken in
    uint64_t inputs_count;                // ever; the last CX_INPUTS_MAX are there, each at its number modulo that
    uint32_t trace_dropped;               // 1: more points or threads than a trace can hold
    uint64_t coverage[CX_COVERAGE_WORDS]; // one bit for each pair of operations that a switch or a conflict joined
    char message[400];                    // assertion text, fatal error text, failed check, what diverged
    char location[200];                   // "file:line" of an assertion or check, or the function of a fatal error
    char uncontrolled[200];               // what was not under control, or empty
    struct cx_stack stack;                // of the thread that failed
    struct cx_stack step_stack;           // of the thread that performed step `stack_step`
    struct cx_stack allocated;            // where AddressSanitizer saw the memory allocated that a crash is about,
    struct cx_stack freed;                // and freed; empty: nowhere
    struct cx_step cycle[64];
    struct cx_thread_report threads[CX_THREADS_REPORT_MAX];
    struct cx_race races[CX_RACES_MAX];
    struct cx_event events[CX_EVENTS_MAX];
    struct cx_lock_event locks[CX_LOCKS_MAX];
};

// A run of a batch that passed, as its result would tell it.
struct cx_batch_run {
    uint64_t steps;
    uint64_t choices;
    uint64_t points_max;
    uint64_t switches;
    uint64_t preemptions;
    uint64_t fingerprint;
    uint64_t log_hash;
    uint32_t threads_count;
    uint32_t accesses_seen;
    uint64_t coverage[CX_COVERAGE_WORDS];
};

// Runs that one process plays one after the other. It does so until one of them does not pass, or leaves something
// behind; `result` is about that one, or about the last.
struct cx_batch {
    uint32_t count;                   // how many are asked for; 0 or 1: `request` alone
    uint32_t done;                    // entries in runs[]; `result` is of the one after them
    char unfit[CX_BATCH_UNFIT_BYTES]; // what a run would leave to the next one, or empty
    struct cx_request requests[CX_BATCH_MAX];
    struct cx_batch_run runs[CX_BATCH_MAX];
};

// What the runner's process has come to that plays run after run.
enum cx_resident {
    CX_RESIDENT_PLAYS = 0, // a run; also for a process that has one
    CX_RESIDENT_ANSWERED,  // the command has been told how the last run ended, and may ask for another
    CX_RESIDENT_DECLINES,  // it was asked for what it does not play, and its runner has to
};

struct cx_channel {
    uint32_t magic;
    uint32_t bytes; // sizeof(struct cx_channel): both sides must agree
    uint32_t scenarios_count;
    uint32_t resident;      // enum cx_resident: from the process that plays to its runner
    uint64_t resident_runs; // the same: runs that it has begun, so that its runner sees it move on
    struct cx_subject_info subject;
    struct cx_identity identity;
    struct cx_scenario_info scenarios[CX_SCENARIOS_MAX];
    struct cx_request request;
    struct cx_result result;
    struct cx_deviation plan[CX_DEVIATIONS_MAX];               // command -> runner
    struct cx_deviation deviations[CX_DEVIATIONS_MAX];         // runner -> command
    struct cx_choice trace[CX_TRACE_MAX];                      // runner -> command
    struct cx_trace_thread threads_made[CX_TRACE_THREADS_MAX]; // runner -> command: in order of creation
    uint64_t log_blocks[CX_LOG_BLOCKS_MAX];                    // runner -> command
    struct cx_input inputs[CX_INPUTS_MAX];                     // runner -> command
    struct cx_batch batch;
    struct cx_pairs pairs;       // runner -> command: it is never emptied
    struct cx_told told;         // command -> runner
    uint8_t edges[CX_EDGES_MAX]; // runner -> command: how often each edge of the program was taken, up to 255
};

// Copy a request, of its arrays only what is in use: they are most of it.
void cx_request_copy(struct cx_request *to, const struct cx_request *from);

// Key of a thread: a pure function of its place in the tree of creations ("main" is the root), never of time or of an
// address, so that it means the same thread in every schedule. Never 0.
uint32_t cx_thread_key(uint32_t parent_key, uint32_t ordinal);
#define CX_THREAD_KEY_MAIN 1u

// Key of a path such as "main.2.1"; 0 if the text is no path.
uint32_t cx_thread_key_from_path(const char *path);

#endif
