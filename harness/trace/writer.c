// SPDX-License-Identifier: Apache-2.0
//
// writer: a schedule as text, and that text as a file. See format.h for the form.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/exec/seed.h"
#include "harness/outcome.h"
#include "harness/trace/format.h"
#include "harness/trace/schedule.h"

void cx_schedule_deviation_text(const struct cx_schedule *schedule, const struct cx_deviation *deviation, char *text,
                                size_t text_bytes)
{
    char from[16], to[16];
    const char *thread = cx_schedule_path(schedule, deviation->thread, from);
    const char *op = cx_op_name((enum cx_op)deviation->op);
    if (deviation->kind == CX_DEVIATION_SWITCH) {
        snprintf(text, text_bytes, "switch %s %" PRIu64 " -> %s %s 0x%" PRIx64 "%s", thread, deviation->point,
                 cx_schedule_path(schedule, deviation->choice, to), op, deviation->object,
                 deviation->preemption ? " preempt" : "");
    } else if (deviation->op == CX_OP_CHOOSE && deviation->object == 0) {
        snprintf(text, text_bytes, "pick %s %" PRIu64 " = %" PRIu32, thread, deviation->point, deviation->choice);
    } else {
        snprintf(text, text_bytes, "pick %s %" PRIu64 " = %" PRIu32 " %s 0x%" PRIx64, thread, deviation->point,
                 deviation->choice, op, deviation->object);
    }
}

#define CX_WRITE_TEXT(stream, word, value) fprintf(stream, "%s %s\n", word, value)
#define CX_WRITE_DECIMAL(stream, word, value) fprintf(stream, "%s %" PRIu64 "\n", word, value)
#define CX_WRITE_HEXADECIMAL(stream, word, value) fprintf(stream, "%s 0x%016" PRIx64 "\n", word, value)
#define CX_NONE_TEXT "-"
#define CX_NONE_HEXADECIMAL "0x0"
#define CX_WRITE_NONE(word, field, form) CX_WRITE_TEXT(stream, word, CX_NONE_##form);
#define CX_WRITE_LINE(word, field, form) CX_WRITE_##form(stream, word, schedule->field);

static void body_write(const struct cx_schedule *schedule, FILE *stream)
{
    int has_window = schedule->window.runs > 0;
    int has_points = schedule->points[0] != '\0';
    int has_subject = schedule->subject[0] != '\0';
    fprintf(stream, "%s %d\n", CX_SCHEDULE_MAGIC,
            has_window    ? CX_SCHEDULE_VERSION_WINDOW
            : has_points  ? CX_SCHEDULE_VERSION_POINTS
            : has_subject ? CX_SCHEDULE_VERSION_SUBJECT
                          : CX_SCHEDULE_VERSION);
    CX_SCHEDULE_HEADER_MAP(CX_WRITE_LINE)
    if (has_window) {
        CX_SCHEDULE_WINDOW_MAP(CX_WRITE_LINE)
    }
    if (has_points) {
        CX_SCHEDULE_POINTS_MAP(CX_WRITE_LINE)
    } else if (has_window) {
        CX_SCHEDULE_POINTS_MAP(CX_WRITE_NONE)
    }
    if (has_subject) {
        CX_SCHEDULE_SUBJECT_MAP(CX_WRITE_LINE)
    } else if (has_points || has_window) {
        CX_SCHEDULE_SUBJECT_MAP(CX_WRITE_NONE)
    }
    char line[CX_SCHEDULE_LINE_CHARS_MAX];
    for (uint64_t i = 0; i < schedule->deviations_count; i++) {
        cx_schedule_deviation_text(schedule, &schedule->deviations[i], line, sizeof(line));
        fprintf(stream, "%s\n", line);
    }
}

enum cx_status cx_schedule_format(const struct cx_schedule *schedule, char **text, size_t *text_bytes,
                                  struct cx_error *error)
{
    *text = NULL;
    *text_bytes = 0;
    FILE *stream = open_memstream(text, text_bytes);
    if (stream == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory for a schedule");
    }
    body_write(schedule, stream);
    if (fflush(stream) == 0) {
        uint64_t sum = cx_hash_bytes(CX_HASH_START, *text, *text_bytes);
        fprintf(stream, "end %016" PRIx64 "\n", sum);
    }
    int failed = ferror(stream);
    failed |= fclose(stream);
    if (failed) {
        free(*text);
        *text = NULL;
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory for a schedule");
    }
    return CX_OK;
}

static int file_fill(int fd, const char *text, size_t text_bytes)
{
    for (size_t done = 0; done < text_bytes;) {
        ssize_t put = write(fd, text + done, text_bytes - done);
        if (put < 0 && errno != EINTR) {
            return -1;
        }
        done += put > 0 ? (size_t)put : 0;
    }
    return 0;
}

enum cx_status cx_schedule_write(const struct cx_schedule *schedule, const char *path, struct cx_error *error)
{
    char *text = NULL;
    char *temporary = NULL;
    size_t text_bytes = 0;
    int fd = -1;
    enum cx_status status = cx_schedule_format(schedule, &text, &text_bytes, error);
    if (status != CX_OK) {
        goto done;
    }
    if (asprintf(&temporary, "%s.%d.tmp", path, (int)getpid()) < 0) {
        temporary = NULL;
        status = cx_error_set(error, CX_ERR_MEMORY, "out of memory");
        goto done;
    }
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || file_fill(fd, text, text_bytes) != 0 || close(fd) != 0) {
        status = cx_error_system(error, "cannot write %s", path);
        goto done;
    }
    fd = -1;
    if (rename(temporary, path) != 0) {
        status = cx_error_system(error, "cannot write %s", path);
    }
done:
    if (fd >= 0) {
        close(fd);
    }
    if (status != CX_OK && temporary != NULL) {
        unlink(temporary);
    }
    free(temporary);
    free(text);
    return status;
}
