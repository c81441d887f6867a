// SPDX-License-Identifier: Apache-2.0
//
// cmd_races: `constrictor races` says what comes of a race that ThreadSanitizer reported: its two accesses are brought
// together and ordered both ways, with many continuations.
//
// "Nothing seen" is no proof that a race is benign: it says what was tried. That the accesses never met is another
// answer, with an exit code of its own.
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/command.h"
#include "harness/detect/render.h"
#include "harness/exec/races.h"
#include "harness/finding.h"
#include "harness/options.h"

#define RUNS_DEFAULT 40
#define FRAMES_SHOWN 6

static char doc[] =
    "Order the two accesses of a race that ThreadSanitizer reported both ways, and say what comes of it. FILE is its "
    "schedule, on a target that ends in -tsan or of a program of `constrictor cc --tsan`.\vFailures are replayed three "
    "times and written beside FILE. Exit code: 1 harmful, 0 nothing seen, 4 the accesses were not brought together.";
static char arguments_doc[] = "FILE";

enum option_key { KEY_FORCE = 0x100 };

static const struct argp_option options[] = {
    {"runs", 'n', "N", 0, "Play N runs each way (default 40)", 0},
    {"force", KEY_FORCE, NULL, 0, "Try a schedule that was made on another build", 0},
    {0},
};

struct races_options {
    const char *path;
    uint64_t runs;
    int force;
};

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    struct races_options *given = state->input;
    struct cx_error error = {0};
    enum cx_status status = CX_OK;
    switch (key) {
    case 'n':
        status = cx_option_number("--runs", argument, 1, 1000000, &given->runs, &error);
        break;
    case KEY_FORCE:
        given->force = 1;
        break;
    case ARGP_KEY_ARG:
        if (given->path != NULL) {
            status = cx_error_set(&error, CX_ERR_USAGE, "\"%s\" is one file too many", argument);
        }
        given->path = argument;
        break;
    case ARGP_KEY_END:
        if (given->path == NULL) {
            status = cx_error_set(&error, CX_ERR_USAGE, "name the schedule file of a race");
        }
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    if (status != CX_OK) {
        cx_command_usage("races", &error);
    }
    return 0;
}

static void race_print(const struct cx_races *races)
{
    const struct cx_session *session = races->session;
    struct cx_render render = {.stream = stdout, .resolver = &session->resolver, .frames_max = FRAMES_SHOWN};
    printf("%s\n", session->schedule.signature);
    cx_render_race(&render, cx_worker_result(session->worker), &races->race, "    ");
}

// "write_pair plain_pair.c:38 (write)", or which of the two came first where both are one statement.
static void access_text(const struct cx_races *races, int side, char *text, size_t text_bytes)
{
    const struct cx_race_access *access = &races->race.accesses[side];
    struct cx_render render = {.stream = stdout, .resolver = &races->session->resolver, .frames_max = FRAMES_SHOWN};
    char place[300];
    cx_render_place(&render, &access->stack, place, sizeof(place));
    snprintf(text, text_bytes, "%s (%s)", place, access->write ? "write" : "read");
}

static void orders_print(const struct cx_races *races)
{
    int one_place = races->aim.race.pcs[0] == races->aim.race.pcs[1];
    for (int side = 0; side < 2; side++) {
        char text[400];
        access_text(races, side, text, sizeof(text));
        printf("first %s%s: %" PRIu64 " of %" PRIu64 " runs met, %" PRIu64 " failed\n", text,
               !one_place  ? ""
               : side == 0 ? ", by who came first"
                           : ", by who came second",
               races->met[side], races->played, races->failed[side]);
        for (uint32_t i = 0; i < races->failures_count; i++) {
            const struct cx_race_failure *failure = &races->failures[i];
            if (failure->runs[side] > 0) {
                printf("    %" PRIu64 " times %s\n", failure->runs[side], failure->signature.text);
            }
        }
    }
    for (uint32_t i = 0; i < races->failures_count; i++) {
        const struct cx_race_failure *failure = &races->failures[i];
        printf("[%s] replayed %u/%d%s%s\n", failure->signature.id, failure->confirmed, CX_CONFIRMATIONS,
               failure->path[0] != '\0' ? ": constrictor replay " : "", failure->path);
    }
    if (races->failures_left_out) {
        printf("more than %d different failures: the others are only counted\n", CX_RACE_FAILURES_MAX);
    }
}

// What fails without the two accesses side by side may have another reason: the reader is to see how often it does.
static void apart_print(const struct cx_races *races)
{
    if (races->failed_apart > 0) {
        printf("the two accesses did not meet in %" PRIu64 " runs; of these %" PRIu64
               " failed, too, and do not count\n",
               2 * races->played - races->met[0] - races->met[1], races->failed_apart);
    }
}

static enum cx_exit verdict_print(const struct cx_races *races)
{
    if (cx_races_harmful(races)) {
        printf("verdict: harmful%s\n", cx_race_of_freed(&races->race) ? ": memory was used after it was freed" : "");
        return CX_EXIT_FINDINGS;
    }
    if (races->met[0] == 0 || races->met[1] == 0) {
        printf("verdict: not brought together%s\n", races->met[0] + races->met[1] > 0 ? " in one of the orders" : "");
        return CX_EXIT_NOTHING;
    }
    printf("verdict: nothing seen in %" PRIu64 " and %" PRIu64 " runs\n", races->met[0], races->met[1]);
    return CX_EXIT_OK;
}

enum cx_exit cx_cmd_races(int argc, char **argv)
{
    static const struct argp argp = {options, option_parse, arguments_doc, doc, NULL, NULL, NULL};
    struct races_options given = {.runs = RUNS_DEFAULT};
    argp_parse(&argp, argc, argv, 0, NULL, &given);
    struct cx_error error = {0};
    struct cx_session *session = calloc(1, sizeof(*session));
    struct cx_races *races = calloc(1, sizeof(*races));
    if (session == NULL || races == NULL) {
        abort(); // a megabyte
    }
    races->session = session;
    races->path = given.path;
    enum cx_status status = cx_session_open(session, given.path, given.force, &error);
    if (status == CX_OK) {
        status = cx_races_find(races, &error);
    }
    if (status == CX_OK) {
        race_print(races);
        status = cx_races_play(races, given.runs, &error);
    }
    enum cx_exit code = CX_EXIT_OK;
    if (status == CX_OK) {
        orders_print(races);
        apart_print(races);
        code = verdict_print(races);
    } else {
        code = cx_command_fail(status, &error);
    }
    cx_races_fini(races);
    cx_session_close(session);
    free(session);
    free(races);
    return code;
}
