// SPDX-License-Identifier: Apache-2.0
//
// record: what a run leaves behind as it goes: deviations always, events and steps where the request asks for them.
// All of it goes straight into shared memory, so that a crash loses nothing.
#include "harness/detect/stack.h"
#include "harness/sched/again.h"
#include "harness/sched/futex.h"
#include "harness/sched/sched.h"

#include <stddef.h>
#include <sys/mman.h>

#define LOG_STEPS_MAX (8u << 20)               // 320 MB of records; hashing goes on past that
#define LOG_ADDRESS ((void *)0x560000000000ul) // far from all else, and no shadow of ThreadSanitizer

static int mapped; // const after the first run of a process
CX_LARGE(mapped, NULL);

// Raw system calls: what ThreadSanitizer sees of a run must not depend on its being logged (harness/host/runner.c).
static void map_log(void)
{
    long bytes = (long)LOG_STEPS_MAX * (long)sizeof(struct cx_step);
    if (cx_syscall3(SYS_ftruncate, CX_LOG_FD, 0, 0) != 0 || cx_syscall3(SYS_ftruncate, CX_LOG_FD, bytes, 0) != 0) {
        cx_finish(CX_OUTCOME_ERROR, "the step log cannot be made", "");
    }
    // At an address of its own: a run with a log must place its own mappings where a run without one does.
    long memory = cx_syscall6(SYS_mmap, (long)LOG_ADDRESS, bytes, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_NORESERVE | MAP_FIXED_NOREPLACE, CX_LOG_FD, 0);
    if (memory != (long)LOG_ADDRESS) {
        cx_finish(CX_OUTCOME_ERROR, "the step log cannot be mapped", "");
    }
    mapped = 1;
}

void cx_record_begin(void)
{
    struct cx_result *result = &cx_sched.channel->result;
    result->log_hash = 0;
    cx_pairs_begin();
    cx_sched.log_block_left = cx_sched.channel->request.log_block;
    if ((cx_sched.channel->request.mode & CX_MODE_LOG) == 0) {
        return;
    }
    if (!mapped) {
        map_log();
    }
    cx_sched.log = (struct cx_step *)LOG_ADDRESS;
    uint64_t count = cx_sched.channel->request.log_count;
    cx_sched.log_end = cx_sched.log + (count > 0 && count < LOG_STEPS_MAX ? count : LOG_STEPS_MAX);
}

void cx_record_deviation(struct cx_thread *self, enum cx_deviation_kind kind, uint32_t choice, int preemption)
{
    struct cx_channel *channel = cx_sched.channel;
    if (channel->result.deviations_count == CX_DEVIATIONS_MAX) {
        channel->result.deviations_dropped = 1;
        return;
    }
    channel->deviations[channel->result.deviations_count++] = (struct cx_deviation){
        .point = kind == CX_DEVIATION_PICK ? self->picks : self->points,
        .object = (uint64_t)(uintptr_t)self->object,
        .thread = self->key,
        .choice = choice,
        .kind = (uint8_t)kind,
        .op = self->op,
        .preemption = (uint8_t)preemption,
    };
}

// Where the next of a list goes that has room for `first` and then for the last ones, up to `max`, in a ring.
static uint32_t next_place(uint32_t *count, uint32_t *dropped, uint32_t *turn, uint32_t first, uint32_t max)
{
    if (*count < max) {
        return (*count)++;
    }
    uint32_t place = first + *turn;
    *turn = (*turn + 1) % (max - first);
    (*dropped)++;
    return place;
}

static struct cx_event *next_event(void)
{
    struct cx_result *result = &cx_sched.channel->result;
    return &result->events[next_place(&result->events_count, &result->events_dropped, &result->events_turn,
                                      CX_EVENTS_FIRST, CX_EVENTS_MAX)];
}

void cx_record_event(struct cx_thread *from, struct cx_thread *to, enum cx_switch_reason reason, int deviation)
{
    struct cx_event *event = next_event();
    *event = (struct cx_event){
        .step = cx_sched.steps,
        .time_ns = cx_now_ns(),
        .point = from->points,
        .object = (uint64_t)(uintptr_t)from->object,
        .from = from->key,
        .to = to->key,
        .reason = (uint8_t)reason,
        .op = from->op,
        .expired = to->wait_object != NULL && to->wake == CX_WAKE_TIMEOUT,
        .deviation = (uint8_t)deviation,
    };
    cx_stack_walk(&event->from_stack, 0, __builtin_frame_address(0));
    if (to->frame != NULL) {
        cx_stack_walk(&event->to_stack, 0, to->frame);
    }
}

void cx_record_note(struct cx_thread *self, const char *text)
{
    if ((cx_sched.channel->request.mode & CX_MODE_EXPLAIN) == 0) {
        return;
    }
    struct cx_event *event = next_event();
    *event = (struct cx_event){
        .step = cx_sched.steps,
        .time_ns = cx_now_ns(),
        .point = self->points,
        .from = self->key,
        .to = self->key,
        .reason = CX_SWITCH_NOTE,
        .op = CX_OP_NOTE,
    };
    for (size_t i = 0; text[i] != '\0' && i < sizeof(event->note) - 1; i++) {
        event->note[i] = text[i];
    }
}

void cx_record_lock(const struct cx_thread *holder, const void *lock, int acquired)
{
    struct cx_result *result = &cx_sched.channel->result;
    if ((cx_sched.channel->request.mode & CX_MODE_EXPLAIN) == 0) {
        return;
    }
    cx_sched_settle();
    uint32_t place =
        next_place(&result->locks_count, &result->locks_dropped, &result->locks_turn, CX_LOCKS_FIRST, CX_LOCKS_MAX);
    result->locks[place] = (struct cx_lock_event){
        .step = cx_sched.steps,
        .object = (uint64_t)(uintptr_t)lock,
        .thread = holder->key,
        .acquired = (uint32_t)acquired,
    };
}

static void cover(uint64_t pair, uint32_t first_word, uint32_t words)
{
    uint32_t bit = (uint32_t)(cx_prng_mix(pair + 1) % (words * 64));
    cx_sched.channel->result.coverage[first_word + bit / 64] |= 1ULL << (bit % 64);
}

void cx_record_handoff(const struct cx_thread *from, const struct cx_thread *to)
{
    cx_pairs_joined(from, to);
    uint64_t callers = (uint64_t)(uintptr_t)from->caller * 31 + (uint64_t)(uintptr_t)to->caller;
    cover((callers * 31 + from->op) * 31 + to->op, 0, CX_COVERAGE_HANDOFF_WORDS);
}

void cx_record_conflict(const void *first_caller, const void *second_caller)
{
    uint64_t callers = (uint64_t)(uintptr_t)first_caller * 31 + (uint64_t)(uintptr_t)second_caller;
    cover(callers, CX_COVERAGE_HANDOFF_WORDS, CX_COVERAGE_WORDS - CX_COVERAGE_HANDOFF_WORDS);
}

void cx_record_choice(const struct cx_thread *self, enum cx_choice_kind kind, uint32_t next, uint32_t n)
{
    struct cx_result *result = &cx_sched.channel->result;
    if ((cx_sched.channel->request.mode & CX_MODE_TRACE) == 0) {
        return;
    }
    if (result->trace_count == CX_TRACE_MAX || cx_sched.count > CX_TRACE_THREADS_MAX) {
        result->trace_dropped = 1;
        return;
    }
    struct cx_choice *choice = &cx_sched.channel->trace[result->trace_count++];
    *choice = (struct cx_choice){
        .object = (uint64_t)(uintptr_t)self->object,
        .point = kind == CX_CHOICE_PICK ? self->picks : self->points,
        .thread = (uint16_t)self->index,
        .next = (uint16_t)next,
        .n = (uint16_t)n,
        .op = self->op,
        .kind = (uint8_t)kind,
        .bytes = (uint32_t)self->bytes,
    };
    for (uint32_t i = 0; i < cx_sched.count; i++) {
        const struct cx_thread *thread = &cx_sched.threads[i];
        if (thread->status == CX_THREAD_RUNNABLE) {
            choice->runnable |= 1ULL << i;
        } else if (cx_may_end_early(thread) || (cx_sched.channel->request.rules.spurious > 0 && cx_may_wake(thread))) {
            choice->timed |= 1ULL << i;
        }
        cx_sched.channel->threads_made[i].key = thread->key;
        cx_sched.channel->threads_made[i].parent = thread->parent;
    }
}

void cx_record_step(const struct cx_thread *self)
{
    if (!(cx_sched.channel->request.mode & CX_MODE_LOG)) {
        return;
    }
    struct cx_result *result = &cx_sched.channel->result;
    struct cx_step step = {
        .point = self->points,
        .object = (uint64_t)(uintptr_t)self->object,
        .thread = self->key,
        .op = self->op,
        .caller = (uint64_t)(uintptr_t)self->caller,
    };
    uint64_t mark = step.object ^ (step.caller << 1) ^ ((uint64_t)step.thread << 32) ^ ((uint64_t)step.op << 56);
    result->log_hash = cx_prng_mix(result->log_hash ^ mark ^ step.point) + 1;
    result->log_steps++;
    const struct cx_request *request = &cx_sched.channel->request;
    if (result->log_steps > request->log_from && cx_sched.log < cx_sched.log_end) {
        *cx_sched.log++ = step;
    }
    cx_sched.log_block_left -= cx_sched.log_block_left > 0;
    if (cx_sched.log_block_left == 0 && request->log_block > 0 && result->log_blocks_count < CX_LOG_BLOCKS_MAX) {
        cx_sched.channel->log_blocks[result->log_blocks_count++] = result->log_hash;
        cx_sched.log_block_left = request->log_block;
    }
    if (result->log_steps == request->stack_step) {
        cx_stack_walk(&result->step_stack, 0, __builtin_frame_address(0));
    }
}
