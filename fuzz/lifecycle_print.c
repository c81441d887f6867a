// SPDX-License-Identifier: Apache-2.0
//
// lifecycle_print: an input of fuzz_lifecycle, or a schedule file of fuzz/lifecycle, as text that reads like C.
//
//   lifecycle_print FILE               what the program does, and how its schedule departs from the default order
//   lifecycle_print --c FILE           a C program that needs CPython and nothing of ours
//   lifecycle_print --input OUT FILE   the input that plays the program of a schedule file with its switches
//
// Exit status: 0, or 2 with one line: the file cannot be read or written, or is a schedule of something else.
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

// What a file says, of either kind.
struct document {
    struct fuzz_lifecycle input; // of a schedule: the program alone
    struct cx_schedule schedule; // signature[0] == '\0': it is an input
};

static int document_read(struct document *document, const char *path)
{
    char *text = NULL;
    size_t text_bytes = 0;
    struct cx_error error = {0};
    if (cx_schedule_file(path, &text, &text_bytes, &error) != CX_OK) {
        return refuse(error.text);
    }
    int status = 0;
    if (strncmp(text, CX_SCHEDULE_MAGIC, strlen(CX_SCHEDULE_MAGIC)) != 0) {
        fuzz_lifecycle_read(&document->input, (const uint8_t *)text, text_bytes);
    } else if (cx_schedule_parse(&document->schedule, text, text_bytes, &error) != CX_OK) {
        status = refuse(error.text);
    } else if (strncmp(document->schedule.scenario, "fuzz/lifecycle", strlen("fuzz/lifecycle")) != 0) {
        status = refuse("this schedule is of another scenario than fuzz/lifecycle");
    } else {
        fuzz_lifecycle_from_plan(&document->input.program, document->schedule.deviations,
                                 document->schedule.deviations_count);
    }
    free(text);
    return status;
}

static int is_program(const struct cx_deviation *entry)
{
    return entry->kind == CX_DEVIATION_PICK && entry->thread == CX_THREAD_KEY_MAIN &&
           entry->point <= FUZZ_PROGRAM_FIELDS;
}

static void schedule_print(const struct document *document)
{
    char line[CX_SCHEDULE_LINE_CHARS_MAX];
    const struct fuzz_schedule *schedule = &document->input.schedule;
    for (uint64_t i = 0; i < document->schedule.deviations_count; i++) {
        if (!is_program(&document->schedule.deviations[i])) {
            cx_schedule_deviation_text(&document->schedule, &document->schedule.deviations[i], line, sizeof(line));
            printf("// %s\n", line);
        }
    }
    if (document->schedule.signature[0] == '\0') {
        printf("// strategy %s, depth %u, seed 0x%" PRIx64 "\n", cx_strategy_name(fuzz_strategies[schedule->strategy]),
               schedule->depth + 1u, schedule->seed);
    }
    for (uint32_t i = 0; i < schedule->switches_count; i++) {
        const struct fuzz_switch *entry = &schedule->switches[i];
        printf("// at point %" PRIu32 " of thread %u, thread %u goes on\n", entry->point, entry->thread, entry->to);
    }
    for (uint32_t i = 0; i < schedule->segments_count; i++) {
        const struct cx_segment *segment = &schedule->segments[i];
        printf("// after %" PRIu32 " hand-offs strategy %s, rate %u, seed 0x%" PRIx64 "\n", segment->after,
               cx_strategy_name(segment->strategy), segment->rate, segment->seed);
    }
}

static int text_print(const struct document *document)
{
    if (document->schedule.signature[0] != '\0') {
        printf("// %s\n", document->schedule.signature);
    }
    fuzz_program_print(&document->input.program, stdout);
    schedule_print(document);
    return 0;
}

// The templates are source files themselves, so that a compiler and our checks see them: what they include of each
// other is left out.
static void template_print(const char *text)
{
    static const char own[] = "#include \"";
    while (*text != '\0') {
        size_t length = strcspn(text, "\n") + 1;
        if (strncmp(text, own, sizeof(own) - 1) != 0) {
            printf("%.*s", (int)length, text);
        }
        text += length;
    }
}

static int reproducer_print(const struct document *document)
{
    static const char *const paths[] = {CONSTRICTOR_SOURCE_DIR "/fuzz/reproducer.h",
                                        CONSTRICTOR_SOURCE_DIR "/fuzz/reproducer.c"};
    struct cx_error error = {0};
    printf("// %s\n//\n//   cc -g $(python3-config --cflags) this.c $(python3-config --embed --ldflags) -o this\n"
           "//   ./this           once\n//   ./this 1000      so many tries, each in a process of its own; the rest is "
           "luck\n//\n"
           "// The schedule that constrictor played, for people:\n",
           document->schedule.signature[0] != '\0' ? document->schedule.signature : "an input of fuzz_lifecycle");
    schedule_print(document);
    printf("//\n");
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        char *text = NULL;
        size_t text_bytes = 0;
        if (cx_schedule_file(paths[i], &text, &text_bytes, &error) != CX_OK) {
            return refuse(error.text);
        }
        template_print(text);
        free(text);
    }
    fuzz_program_print_c(&document->input.program, stdout);
    return 0;
}

static int input_write(struct document *document, const char *path)
{
    uint8_t data[FUZZ_LIFECYCLE_BYTES_MAX];
    if (fuzz_schedule_from_plan(&document->input.schedule, document->schedule.deviations,
                                document->schedule.deviations_count) != 0) {
        return refuse("this schedule has more switches, or switches of other threads, than an input can have");
    }
    size_t size = fuzz_lifecycle_write(&document->input, data);
    FILE *file = fopen(path, "wbe");
    int written = file != NULL && fwrite(data, 1, size, file) == size;
    int closed = file != NULL && fclose(file) == 0;
    return written && closed ? 0 : refuse("the input cannot be written");
}

int main(int argc, char **argv)
{
    static struct document document;
    int as_c = argc == 3 && strcmp(argv[1], "--c") == 0;
    int as_input = argc == 4 && strcmp(argv[1], "--input") == 0;
    if (argc != 2 && !as_c && !as_input) {
        return refuse("usage: lifecycle_print [--c | --input OUT] FILE");
    }
    int status = document_read(&document, argv[argc - 1]);
    if (status == 0) {
        status = as_c       ? reproducer_print(&document)
                 : as_input ? input_write(&document, argv[2])
                            : text_print(&document);
    }
    cx_schedule_fini(&document.schedule);
    return status;
}
