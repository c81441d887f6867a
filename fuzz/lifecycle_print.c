// SPDX-License-Identifier: Apache-2.0
//
// lifecycle_print: an input of fuzz_lifecycle, or a schedule file of fuzz/lifecycle, as text that reads like C.
//
//   lifecycle_print FILE
//
// Exit status: 0, or 2 with one line: the file cannot be read, or is a schedule of something else.
#include "fuzz/lifecycle_input.h"

#include "harness/options.h"
#include "harness/trace/format.h"
#include "harness/trace/schedule.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refuse(const char *text)
{
    fprintf(stderr, "lifecycle_print: %s\n", text);
    return 2;
}

static int schedule_print(const char *text, size_t text_bytes)
{
    struct cx_schedule schedule;
    struct cx_error error = {0};
    struct fuzz_program program = {0};
    char line[CX_SCHEDULE_LINE_CHARS_MAX];
    if (cx_schedule_parse(&schedule, text, text_bytes, &error) != CX_OK) {
        return refuse(error.text);
    }
    if (strncmp(schedule.scenario, "fuzz/lifecycle", strlen("fuzz/lifecycle")) != 0) {
        cx_schedule_fini(&schedule);
        return refuse("this schedule is of another scenario than fuzz/lifecycle");
    }
    printf("// %s\n", schedule.signature);
    fuzz_lifecycle_from_plan(&program, schedule.deviations, schedule.deviations_count);
    fuzz_program_print(&program, stdout);
    for (uint64_t i = 0; i < schedule.deviations_count; i++) {
        const struct cx_deviation *entry = &schedule.deviations[i];
        int is_program = entry->kind == CX_DEVIATION_PICK && entry->thread == CX_THREAD_KEY_MAIN &&
                         entry->point <= FUZZ_PROGRAM_FIELDS;
        if (!is_program) {
            cx_schedule_deviation_text(&schedule, entry, line, sizeof(line));
            printf("// %s\n", line);
        }
    }
    cx_schedule_fini(&schedule);
    return 0;
}

static int input_print(const char *text, size_t text_bytes)
{
    struct fuzz_lifecycle input;
    fuzz_lifecycle_read(&input, (const uint8_t *)text, text_bytes);
    fuzz_program_print(&input.program, stdout);
    printf("// strategy %s, depth %u, seed 0x%" PRIx64 "\n", cx_strategy_name(fuzz_strategies[input.schedule.strategy]),
           input.schedule.depth + 1u, input.schedule.seed);
    for (uint32_t i = 0; i < input.schedule.switches_count; i++) {
        const struct fuzz_switch *entry = &input.schedule.switches[i];
        printf("// at point %" PRIu32 " of thread %u, thread %u goes on\n", entry->point, entry->thread, entry->to);
    }
    return 0;
}

int main(int argc, char **argv)
{
    char *text = NULL;
    size_t text_bytes = 0;
    struct cx_error error = {0};
    if (argc != 2) {
        return refuse("usage: lifecycle_print FILE");
    }
    if (cx_schedule_file(argv[1], &text, &text_bytes, &error) != CX_OK) {
        return refuse(error.text);
    }
    int is_schedule = strncmp(text, CX_SCHEDULE_MAGIC, strlen(CX_SCHEDULE_MAGIC)) == 0;
    int status = is_schedule ? schedule_print(text, text_bytes) : input_print(text, text_bytes);
    free(text);
    return status;
}
