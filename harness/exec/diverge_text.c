// SPDX-License-Identifier: Apache-2.0
//
// diverge_text: what cx_divergence_find saw, in words.
//
// The likely source is the last thing before the differing step that came in from outside and was not the same in both
// runs: that of the thread that performs the step, else of any. A difference in what came in that nobody looks at is no
// source, so "likely" is all that is said.
#include "harness/exec/diverge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "harness/detect/render.h"

#define FRAMES_MAX 8
#define SOURCES_MAX 3
#define PLACE_CHARS 300

// One thing that came in, in both runs; the second may be missing.
struct source {
    const struct cx_input *inputs[2];
};

static const struct {
    uint32_t call;
    const char *kind;
    const char *name;
} kinds[] = {
    {CX_INPUT_TSC, "time", "rdtsc, the processor's counter,"},
    {SYS_clock_gettime, "time", "a clock"},
    {SYS_gettimeofday, "time", "the time of day"},
    {SYS_time, "time", "the time"},
    {SYS_times, "time", "the processor time"},
    {SYS_getrusage, "time", "the processor time"},
    {SYS_getpid, "process id", "getpid"},
    {SYS_getppid, "process id", "getppid"},
    {SYS_gettid, "thread id", "gettid"},
    {SYS_getrandom, "random", "getrandom"},
    {SYS_getcpu, "machine", "getcpu"},
    {SYS_open, "I/O", "the opening"},
    {SYS_openat, "I/O", "the opening"},
    {SYS_access, "I/O", "whether there is access"},
    {SYS_stat, "I/O", "the state"},
    {SYS_lstat, "I/O", "the state"},
    {SYS_fstat, "I/O", "the state"},
    {SYS_newfstatat, "I/O", "the state"},
    {SYS_readlink, "I/O", "the target"},
    {SYS_readlinkat, "I/O", "the target"},
    {SYS_getdents64, "I/O", "the entries"},
};

static void kind_of(const struct cx_input *input, const char **kind, const char **name)
{
    *kind = "I/O";
    *name = "the bytes";
    if (strcmp(input->text, "/dev/urandom") == 0 || strcmp(input->text, "/dev/random") == 0) {
        *kind = "random";
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].call == input->call) {
            *kind = kinds[i].kind;
            *name = kinds[i].name;
        }
    }
}

// The harness itself looks at clocks and ids: that is nothing that the program takes in.
static int of_harness(const struct cx_session *session, const struct cx_input *input)
{
    struct cx_symbol_stack *symbols = calloc(1, sizeof(*symbols));
    if (symbols == NULL) {
        abort(); // 5 kB
    }
    session->resolver.stack(session->resolver.context, &input->stack, CX_STACK_FAULT, symbols);
    int ours = symbols->count > 0 && strncmp(symbols->frames[0].file, "harness/", 8) == 0;
    free(symbols);
    return ours;
}

static int input_alike(const struct cx_input *a, const struct cx_input *b)
{
    return a->step == b->step && a->thread == b->thread && a->call == b->call &&
           (a->stack.count == 0 || b->stack.count == 0 || a->stack.pcs[0] == b->stack.pcs[0]);
}

// The input of `other` that stands for `track->inputs[at]`: as many of its kind were before it in the same step.
static const struct cx_input *counterpart(const struct cx_track *track, size_t at, const struct cx_track *other)
{
    const struct cx_input *input = &track->inputs[at];
    size_t rank = 0;
    while (at > 0 && track->inputs[at - 1].step == input->step) {
        at--;
        rank += (size_t)input_alike(&track->inputs[at], input);
    }
    for (size_t i = 0; i < other->inputs_count; i++) {
        if (input_alike(&other->inputs[i], input) && rank-- == 0) {
            return &other->inputs[i];
        }
    }
    return NULL;
}

static int thread_performs(const struct cx_divergence *divergence, uint32_t thread)
{
    const struct cx_step *first = cx_divergence_step(divergence, 0);
    const struct cx_step *second = cx_divergence_step(divergence, 1);
    return (first != NULL && first->thread == thread) || (second != NULL && second->thread == thread);
}

// The C library looks at the state of each file that it buffers.
static int is_weak(const struct cx_input *input)
{
    return input->call == SYS_stat || input->call == SYS_lstat || input->call == SYS_fstat ||
           input->call == SYS_newfstatat;
}

// What differed before the step, likeliest first: of the step's own thread, then of the others, each the last first.
static size_t sources_find(const struct cx_divergence *divergence, const struct cx_session *session,
                           struct source sources[SOURCES_MAX])
{
    const struct cx_track *track = &divergence->tracks[0];
    size_t count = 0;
    for (int rank = 0; rank < 4; rank++) {
        int own = rank < 2;
        int weak = rank % 2;
        for (size_t i = track->inputs_count; i-- > 0 && count < SOURCES_MAX;) {
            const struct cx_input *input = &track->inputs[i];
            if (input->step >= divergence->step || thread_performs(divergence, input->thread) != own ||
                is_weak(input) != weak) {
                continue;
            }
            const struct cx_input *other = counterpart(track, i, &divergence->tracks[1]);
            int differs = other == NULL || other->value != input->value || other->digest != input->digest;
            if (differs && !of_harness(session, input)) {
                sources[count++] = (struct source){{input, other}};
            }
        }
    }
    return count;
}

static void value_text(const struct cx_input *input, char *text, size_t text_bytes)
{
    if (input == NULL) {
        snprintf(text, text_bytes, "did not come");
    } else if (input->digest != 0) {
        snprintf(text, text_bytes, "%" PRId64 " with digest %08" PRIx64, (int64_t)input->value,
                 input->digest & 0xffffffffu);
    } else {
        snprintf(text, text_bytes, "%" PRId64, (int64_t)input->value);
    }
}

static void source_text(const struct cx_divergence *divergence, const struct cx_session *session,
                        const struct source *source, char *text, size_t text_bytes)
{
    const struct cx_input *input = source->inputs[0];
    const struct cx_render render = {.resolver = &session->resolver};
    const char *kind, *name;
    char place[PLACE_CHARS], thread[120], values[2][80];
    kind_of(input, &kind, &name);
    cx_render_place_fault(&render, &input->stack, place, sizeof(place));
    cx_render_thread_name(divergence->tracks[0].result, input->thread, thread, sizeof(thread));
    for (int i = 0; i < 2; i++) {
        value_text(source->inputs[i], values[i], sizeof(values[i]));
    }
    snprintf(text, text_bytes, "%s: %s%s%s in %s, by %s, after step %" PRIu64 ": %s in run 1, %s in run 2", kind, name,
             input->text[0] != '\0' ? " of " : "", input->text, place,
             input->thread == 0 ? "a thread under no control" : thread, input->step, values[0], values[1]);
}

// Without anything that came in: what the two steps themselves say.
static void shape_text(const struct cx_divergence *divergence, char *text, size_t text_bytes)
{
    const struct cx_step *a = cx_divergence_step(divergence, 0);
    const struct cx_step *b = cx_divergence_step(divergence, 1);
    const char *uncontrolled = divergence->tracks[0].result->uncontrolled;
    if (uncontrolled[0] == '\0') {
        uncontrolled = divergence->tracks[1].result->uncontrolled;
    }
    if (uncontrolled[0] != '\0') {
        snprintf(text, text_bytes, "uncontrolled: %s", uncontrolled);
    } else if (a != NULL && b != NULL && a->thread == b->thread && a->caller == b->caller && a->op == b->op) {
        snprintf(text, text_bytes,
                 "address: the same code works on another object, and nothing that came in differs: "
                 "a place in memory that is not the same in both, or was computed");
    } else {
        snprintf(text, text_bytes,
                 "not known: nothing that %s differs before it (rdrand and memory shared with other "
                 "processes are not seen)",
                 divergence->watched ? "was seen to come in" : "could be watched");
    }
}

void cx_divergence_source(const struct cx_divergence *divergence, const struct cx_session *session, char *text,
                          size_t text_bytes)
{
    struct source sources[SOURCES_MAX];
    text[0] = '\0';
    if (!divergence->found) {
        return;
    }
    if (sources_find(divergence, session, sources) > 0) {
        source_text(divergence, session, &sources[0], text, text_bytes);
    } else {
        shape_text(divergence, text, text_bytes);
    }
}

static void side_print(const struct cx_divergence *divergence, const struct cx_session *session, int run, FILE *stream)
{
    const struct cx_step *step = cx_divergence_step(divergence, run);
    const struct cx_result *result = divergence->tracks[run].result;
    const struct cx_render render = {.stream = stream, .resolver = &session->resolver, .frames_max = FRAMES_MAX};
    if (step == NULL) {
        fprintf(stream, "  run %d has ended there: %s%s%s\n", run + 1,
                cx_outcome_name((enum cx_outcome)result->outcome), result->message[0] != '\0' ? ": " : "",
                result->message);
        return;
    }
    char thread[120];
    cx_render_thread_name(result, step->thread, thread, sizeof(thread));
    fprintf(stream, "  run %d: %s, point %" PRIu64 ", %s", run + 1, thread, step->point,
            cx_op_name((enum cx_op)step->op));
    if (step->object != 0) {
        fprintf(stream, " of 0x%" PRIx64, step->object);
    }
    fputc('\n', stream);
    if (divergence->stacks) {
        cx_render_stack(&render, &result->step_stack, CX_STACK_RETURNS, "      ");
    }
}

void cx_divergence_print(const struct cx_divergence *divergence, const struct cx_session *session, FILE *stream)
{
    if (!divergence->found) {
        fprintf(stream, "%u runs of the schedule, in two processes: %s\n", divergence->plays,
                divergence->step == 0 ? "the same, step by step" : "they parted once, and not again");
        return;
    }
    fprintf(stream, "the first step that differs: step %" PRIu64 ", after %" PRIu64 " equal ones; %u runs%s\n",
            divergence->step, divergence->step - 1, divergence->plays,
            divergence->fresh ? ", and only in another process" : "");
    side_print(divergence, session, 0, stream);
    side_print(divergence, session, 1, stream);
    struct source sources[SOURCES_MAX];
    size_t count = sources_find(divergence, session, sources);
    char text[PLACE_CHARS + 500];
    cx_divergence_source(divergence, session, text, sizeof(text));
    fprintf(stream, "  likely source: %s\n", text);
    for (size_t i = 1; i < count; i++) {
        source_text(divergence, session, &sources[i], text, sizeof(text));
        fprintf(stream, "  differs, too:  %s\n", text);
    }
    if (!divergence->watched) {
        fprintf(stream, "  what came in from outside could not be watched: the program blocks SIGSYS or executes "
                        "another program\n");
    }
}

enum cx_status cx_divergence_tell(const char *path, FILE *stream, char *source, size_t source_bytes,
                                  struct cx_error *error)
{
    struct cx_divergence divergence = {0};
    struct cx_session *session = calloc(1, sizeof(*session));
    if (session == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    source[0] = '\0';
    enum cx_status status = cx_session_open(session, path, 0, error);
    if (status == CX_OK) {
        status = cx_divergence_find(session, &divergence, error);
    }
    if (status == CX_OK) {
        cx_divergence_source(&divergence, session, source, source_bytes);
        cx_divergence_print(&divergence, session, stream);
    }
    cx_divergence_fini(&divergence);
    cx_session_close(session);
    free(session);
    return status;
}
