// SPDX-License-Identifier: Apache-2.0
//
// lifecycle_seeds: inputs of fuzz_lifecycle from programs in words.
//
//   lifecycle_seeds PROGRAMS FOLDER
//
// PROGRAMS (seeds/lifecycle.txt) has programs one after the other. A line that begins at the margin begins one: its
// name, and how its thread 0 ends: return, finalize or restart. Each line below it, indented, is a thread, thread 0
// first: names of operations (lifecycle.h), with ":1" behind one whose argument is 1, or "-" for none. "#" begins a
// comment. For each program FOLDER gets two inputs: FOLDER/NAME under pct with two change points, and
// FOLDER/NAME-in-order in the default order, for the mutator to add switches to.
//
// Exit status: 0, or 2 with the line that is wrong.
#include "fuzz/lifecycle_input.h"

#include "harness/exec/seed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_CHARS_MAX 80
#define LINE_CHARS_MAX 400
#define PCT_DEPTH 2 // change points

struct reader {
    const char *path;
    const char *folder;
    unsigned line;
    char name[NAME_CHARS_MAX]; // of the program; empty: none yet
    uint32_t threads;          // that it has so far
    struct fuzz_lifecycle input;
};

static int refuse(const struct reader *reader, const char *what, const char *word)
{
    fprintf(stderr, "lifecycle_seeds: %s:%u: %s: \"%s\"\n", reader->path, reader->line, what, word);
    return 2;
}

static int input_write(const struct reader *reader, const char *suffix)
{
    uint8_t data[FUZZ_LIFECYCLE_BYTES_MAX];
    char path[LINE_CHARS_MAX + 2 * NAME_CHARS_MAX];
    size_t size = fuzz_lifecycle_write(&reader->input, data);
    snprintf(path, sizeof(path), "%.*s/%s%s", LINE_CHARS_MAX, reader->folder, reader->name, suffix);
    FILE *file = fopen(path, "wbe");
    int written = file != NULL && fwrite(data, 1, size, file) == size;
    int closed = file != NULL && fclose(file) == 0;
    return written && closed ? 0 : refuse(reader, "cannot be written", path);
}

// What has been read so far, as inputs.
static int program_end(struct reader *reader)
{
    if (reader->name[0] == '\0') {
        return 0;
    }
    if (reader->threads == 0) {
        return refuse(reader, "a program without threads", reader->name);
    }
    struct fuzz_schedule *schedule = &reader->input.schedule;
    reader->input.program.threads_more = (uint8_t)(reader->threads - 1);
    int status = input_write(reader, "-in-order"); // strategy 0 follows switches, of which there are none
    while (fuzz_strategies[schedule->strategy] != CX_STRATEGY_PCT) {
        schedule->strategy++;
    }
    schedule->depth = PCT_DEPTH;
    schedule->seed = cx_hash_bytes(CX_HASH_START, reader->name, strlen(reader->name));
    return status == 0 ? input_write(reader, "") : status;
}

static int program_begin(struct reader *reader, char *line)
{
    static const char *const ends[FUZZ_END_COUNT] = {"return", "finalize", "restart"};
    int status = program_end(reader);
    char *rest = NULL;
    const char *name = strtok_r(line, " ", &rest);
    const char *end = strtok_r(NULL, " ", &rest);
    if (status != 0) {
        return status;
    }
    memset(&reader->input, 0, sizeof(reader->input));
    reader->threads = 0;
    snprintf(reader->name, sizeof(reader->name), "%s", name);
    for (uint8_t i = 0; end != NULL && i < FUZZ_END_COUNT; i++) {
        if (strcmp(end, ends[i]) == 0) {
            reader->input.program.end = i;
            return 0;
        }
    }
    return refuse(reader, "this is no end of a program", end != NULL ? end : "");
}

static int thread_read(struct reader *reader, char *line)
{
    uint32_t count = 0;
    char *rest = NULL;
    if (reader->name[0] == '\0' || reader->threads == FUZZ_THREADS_MAX) {
        return refuse(reader, "no program, or one thread too many", line);
    }
    for (char *word = strtok_r(line, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        char *argument = strchr(word, ':');
        if (argument != NULL) {
            *argument++ = '\0';
        }
        struct fuzz_op op = {.kind = fuzz_op_find(word),
                             .argument = (uint8_t)(argument != NULL ? strtoul(argument, NULL, 10) : 0)};
        if (strcmp(word, "-") == 0) {
            continue;
        }
        if (op.kind == FUZZ_OP_COUNT || op.argument >= FUZZ_ARGUMENTS || count == FUZZ_OPS_MAX) {
            return refuse(reader, "no such operation, or one too many", word);
        }
        reader->input.program.ops[reader->threads][count++] = op;
    }
    reader->threads++;
    return 0;
}

int main(int argc, char **argv)
{
    struct reader reader = {0};
    char line[LINE_CHARS_MAX];
    FILE *file = argc == 3 ? fopen(argv[1], "re") : NULL;
    if (file == NULL) {
        fputs("usage: lifecycle_seeds PROGRAMS FOLDER\n", stderr);
        return 2;
    }
    reader.path = argv[1];
    reader.folder = argv[2];
    mkdir(reader.folder, 0777);
    int status = 0;
    while (status == 0 && fgets(line, sizeof(line), file) != NULL) {
        reader.line++;
        int indented = line[0] == ' ';
        line[strcspn(line, "#\n")] = '\0';
        if (line[strspn(line, " ")] != '\0') {
            status = indented ? thread_read(&reader, line) : program_begin(&reader, line);
        }
    }
    fclose(file);
    return status == 0 ? program_end(&reader) : status;
}
