// SPDX-License-Identifier: Apache-2.0
//
// reader: bytes as a schedule, or the line and the reason why they are none.
//
// The bytes may be anything: nothing is read beyond them, and no count from them is trusted before it is checked.
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/exec/seed.h"
#include "harness/outcome.h"
#include "harness/trace/format.h"
#include "harness/trace/schedule.h"

#define CX_READ_WORDS_MAX 9

// Where the reader is. `line` is a copy of the current line, ended by NUL.
struct reader {
    const char *text;
    size_t text_bytes;
    size_t at;
    size_t line_start;
    uint64_t line_number;
    char line[CX_SCHEDULE_LINE_CHARS_MAX + 1];
    struct cx_error *error;
};

__attribute__((format(printf, 3, 4))) static enum cx_status refuse(struct reader *reader, enum cx_status status,
                                                                   const char *format, ...)
{
    char reason[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    return cx_error_set(reader->error, status, "line %" PRIu64 ": %s", reader->line_number, reason);
}

// Take the next line; `expected` says what should stand there.
static enum cx_status line_next(struct reader *reader, const char *expected)
{
    reader->line_number++;
    reader->line_start = reader->at;
    const char *start = reader->text + reader->at;
    size_t rest_bytes = reader->text_bytes - reader->at;
    if (rest_bytes == 0) {
        return refuse(reader, CX_ERR_TRUNCATED, "the file is cut off: %s is missing", expected);
    }
    const char *newline = memchr(start, '\n', rest_bytes);
    if (newline == NULL) {
        return refuse(reader, CX_ERR_TRUNCATED, "the file is cut off in the middle of %s", expected);
    }
    size_t chars = (size_t)(newline - start);
    if (chars > CX_SCHEDULE_LINE_CHARS_MAX) {
        return refuse(reader, CX_ERR_FORMAT, "%zu characters are too many", chars);
    }
    for (size_t i = 0; i < chars; i++) {
        if ((unsigned char)start[i] < 0x20 || start[i] == 0x7f) {
            return refuse(reader, CX_ERR_FORMAT, "byte 0x%02x has no place in a schedule", (unsigned char)start[i]);
        }
    }
    memcpy(reader->line, start, chars);
    reader->line[chars] = '\0';
    reader->at += chars + 1;
    return CX_OK;
}

// Digits only, no sign, no blank, no overflow.
static int number_parse(const char *text, int base, uint64_t max, uint64_t *value)
{
    if (base == 16) {
        if (strncmp(text, "0x", 2) != 0 || !isxdigit((unsigned char)text[2])) {
            return -1;
        }
        text += 2;
    } else if (!isdigit((unsigned char)text[0])) {
        return -1;
    }
    char *end = NULL;
    errno = 0;
    unsigned long long parsed = strtoull(text, &end, base);
    if (errno != 0 || *end != '\0' || parsed > max) {
        return -1;
    }
    *value = parsed;
    return 0;
}

// The line is WORD, one blank, value.
static enum cx_status header_value(struct reader *reader, const char *word, const char **value)
{
    char expected[64];
    snprintf(expected, sizeof(expected), "the line \"%s ...\"", word);
    enum cx_status status = line_next(reader, expected);
    if (status != CX_OK) {
        return status;
    }
    size_t word_chars = strlen(word);
    if (strncmp(reader->line, word, word_chars) != 0 || reader->line[word_chars] != ' ') {
        return refuse(reader, CX_ERR_FORMAT, "expected %s, found \"%.60s\"", expected, reader->line);
    }
    *value = reader->line + word_chars + 1;
    return CX_OK;
}

static enum cx_status text_read(struct reader *reader, const char *word, char *field, size_t field_bytes)
{
    const char *value = NULL;
    enum cx_status status = header_value(reader, word, &value);
    if (status != CX_OK || value == NULL) {
        return status;
    }
    if (strlen(value) >= field_bytes) {
        return refuse(reader, CX_ERR_FORMAT, "the value of \"%s\" is too long", word);
    }
    snprintf(field, field_bytes, "%s", value);
    return CX_OK;
}

static enum cx_status number_read(struct reader *reader, const char *word, int base, uint64_t *field)
{
    const char *value = NULL;
    enum cx_status status = header_value(reader, word, &value);
    if (status == CX_OK && value != NULL && number_parse(value, base, UINT64_MAX, field) != 0) {
        status = refuse(reader, CX_ERR_FORMAT, "\"%.40s\" is no number for \"%s\"", value, word);
    }
    return status;
}

#define CX_READ_TEXT(word, field) text_read(reader, word, schedule->field, sizeof(schedule->field))
#define CX_READ_DECIMAL(word, field) number_read(reader, word, 10, &schedule->field)
#define CX_READ_HEXADECIMAL(word, field) number_read(reader, word, 16, &schedule->field)
#define CX_READ_LINE(word, field, form)                                                                                \
    if (status == CX_OK) {                                                                                             \
        status = CX_READ_##form(word, field);                                                                          \
    }

static enum cx_status subject_read(struct reader *reader, struct cx_schedule *schedule, uint64_t version)
{
    enum cx_status status = CX_OK;
    CX_SCHEDULE_SUBJECT_MAP(CX_READ_LINE)
    if (status == CX_OK && version >= CX_SCHEDULE_VERSION_POINTS && strcmp(schedule->subject, "-") == 0) {
        schedule->subject[0] = schedule->directory[0] = schedule->command[0] = schedule->environment[0] = '\0';
    } else if (status == CX_OK && schedule->subject[0] == '\0') {
        status = refuse(reader, CX_ERR_FORMAT, "the subject has no kind");
    }
    return status;
}

static enum cx_status window_read(struct reader *reader, struct cx_schedule *schedule)
{
    enum cx_status status = CX_OK;
    CX_SCHEDULE_WINDOW_MAP(CX_READ_LINE)
    const struct cx_schedule_window *window = &schedule->window;
    int counts = window->inside > 0 && window->inside <= window->runs && window->outside <= window->runs &&
                 window->anywhere <= window->runs;
    if (status == CX_OK && (window->functions[0] == '\0' || !counts)) {
        status = refuse(reader, CX_ERR_FORMAT, "this window names no functions, or more findings than runs");
    }
    return status;
}

static enum cx_status points_read(struct reader *reader, struct cx_schedule *schedule, uint64_t version)
{
    enum cx_status status = CX_OK;
    CX_SCHEDULE_POINTS_MAP(CX_READ_LINE)
    if (status == CX_OK && version == CX_SCHEDULE_VERSION_WINDOW && strcmp(schedule->points, "-") == 0) {
        schedule->points[0] = schedule->within[0] = schedule->ranges[0] = '\0';
    } else if (status == CX_OK && strcmp(schedule->points, "sync") != 0 && strcmp(schedule->points, "access") != 0) {
        status = refuse(reader, CX_ERR_FORMAT, "there are no points of the kind \"%s\"", schedule->points);
    }
    return status;
}

static enum cx_status header_read(struct reader *reader, struct cx_schedule *schedule)
{
    const char *version_text = NULL;
    uint64_t version = 0;
    size_t magic_chars = strlen(CX_SCHEDULE_MAGIC);
    size_t check_chars = reader->text_bytes < magic_chars ? reader->text_bytes : magic_chars;
    if (strncmp(reader->text, CX_SCHEDULE_MAGIC, check_chars) != 0) {
        return cx_error_set(reader->error, CX_ERR_FORMAT, "this is no schedule: it does not begin with \"%s\"",
                            CX_SCHEDULE_MAGIC);
    }
    enum cx_status status = header_value(reader, CX_SCHEDULE_MAGIC, &version_text);
    if (status == CX_OK && version_text != NULL && number_parse(version_text, 10, UINT64_MAX, &version) != 0) {
        status = refuse(reader, CX_ERR_FORMAT, "\"%.40s\" is no version", version_text);
    }
    if (status == CX_OK && (version < CX_SCHEDULE_VERSION || version > CX_SCHEDULE_VERSION_WINDOW)) {
        status =
            refuse(reader, CX_ERR_FORMAT, "version %" PRIu64 " of the format; this command reads versions %d to %d",
                   version, CX_SCHEDULE_VERSION, CX_SCHEDULE_VERSION_WINDOW);
    }
    CX_SCHEDULE_HEADER_MAP(CX_READ_LINE)
    if (version >= CX_SCHEDULE_VERSION_WINDOW) {
        status = status == CX_OK ? window_read(reader, schedule) : status;
    }
    if (version >= CX_SCHEDULE_VERSION_POINTS) {
        status = status == CX_OK ? points_read(reader, schedule, version) : status;
    }
    if (version >= CX_SCHEDULE_VERSION_SUBJECT) {
        status = status == CX_OK ? subject_read(reader, schedule, version) : status;
    }
    if (status == CX_OK && schedule->deviations_count > CX_DEVIATIONS_MAX) {
        status = refuse(reader, CX_ERR_FORMAT, "%" PRIu64 " deviations are too many", schedule->deviations_count);
    }
    return status;
}

// Split the line at single blanks. Returns the number of words, or -1 for an empty or a surplus word.
static int words_split(char *line, char *words[CX_READ_WORDS_MAX])
{
    int count = 0;
    for (char *at = line;;) {
        if (count == CX_READ_WORDS_MAX || *at == ' ' || *at == '\0') {
            return -1;
        }
        words[count++] = at;
        at = strchr(at, ' ');
        if (at == NULL) {
            return count;
        }
        *at++ = '\0';
    }
}

static enum cx_status thread_read(struct reader *reader, struct cx_schedule *schedule, const char *word, uint32_t *key)
{
    if (word[0] == '#') {
        char *end = NULL;
        unsigned long parsed = strlen(word) == 9 && isxdigit((unsigned char)word[1]) ? strtoul(word + 1, &end, 16) : 0;
        if (parsed == 0 || *end != '\0') {
            return refuse(reader, CX_ERR_FORMAT, "\"%.40s\" is no key of a thread", word);
        }
        *key = (uint32_t)parsed;
        return CX_OK;
    }
    *key = strlen(word) < sizeof(schedule->paths[0].path) ? cx_thread_key_from_path(word) : 0;
    if (*key == 0) {
        return refuse(reader, CX_ERR_FORMAT, "\"%.60s\" is no path of a thread", word);
    }
    return cx_schedule_path_add(schedule, word, reader->error);
}

static enum cx_status operation_read(struct reader *reader, const char *op_word, const char *object_word,
                                     struct cx_deviation *deviation)
{
    int op = cx_op_from_name(op_word);
    if (op < 0) {
        return refuse(reader, CX_ERR_FORMAT, "\"%.40s\" is no operation", op_word);
    }
    deviation->op = (uint8_t)op;
    if (number_parse(object_word, 16, UINT64_MAX, &deviation->object) != 0) {
        return refuse(reader, CX_ERR_FORMAT, "\"%.40s\" is no address", object_word);
    }
    return CX_OK;
}

static enum cx_status switch_read(struct reader *reader, struct cx_schedule *schedule, char **words, int count,
                                  struct cx_deviation *deviation)
{
    if (count < 7 || count > 8 || strcmp(words[3], "->") != 0 || (count == 8 && strcmp(words[7], "preempt") != 0)) {
        return refuse(reader, CX_ERR_FORMAT, "expected \"switch THREAD POINT -> THREAD OPERATION OBJECT [preempt]\"");
    }
    deviation->kind = CX_DEVIATION_SWITCH;
    deviation->preemption = count == 8;
    enum cx_status status = thread_read(reader, schedule, words[1], &deviation->thread);
    if (status == CX_OK && number_parse(words[2], 10, UINT64_MAX, &deviation->point) != 0) {
        status = refuse(reader, CX_ERR_FORMAT, "\"%.40s\" is no number of a point", words[2]);
    }
    if (status == CX_OK) {
        status = thread_read(reader, schedule, words[4], &deviation->choice);
    }
    return status == CX_OK ? operation_read(reader, words[5], words[6], deviation) : status;
}

static enum cx_status pick_read(struct reader *reader, struct cx_schedule *schedule, char **words, int count,
                                struct cx_deviation *deviation)
{
    if ((count != 5 && count != 7) || strcmp(words[3], "=") != 0) {
        return refuse(reader, CX_ERR_FORMAT, "expected \"pick THREAD N = NUMBER [OPERATION OBJECT]\"");
    }
    uint64_t choice = 0;
    deviation->kind = CX_DEVIATION_PICK;
    enum cx_status status = thread_read(reader, schedule, words[1], &deviation->thread);
    if (status == CX_OK && number_parse(words[2], 10, UINT64_MAX, &deviation->point) != 0) {
        status = refuse(reader, CX_ERR_FORMAT, "\"%.40s\" is no number of a choice", words[2]);
    }
    if (status == CX_OK && number_parse(words[4], 10, UINT32_MAX, &choice) != 0) {
        status = refuse(reader, CX_ERR_FORMAT, "\"%.40s\" is no choice", words[4]);
    }
    deviation->choice = (uint32_t)choice;
    deviation->op = CX_OP_CHOOSE;
    if (status == CX_OK && count == 7) {
        status = operation_read(reader, words[5], words[6], deviation);
    }
    return status;
}

static enum cx_status deviations_read(struct reader *reader, struct cx_schedule *schedule)
{
    // At least ten bytes a line: a count that the rest of the file cannot hold is no reason to allocate.
    size_t room = (reader->text_bytes - reader->at) / 10 + 1;
    size_t count_max = schedule->deviations_count < room ? (size_t)schedule->deviations_count : room;
    schedule->deviations = calloc(count_max + 1, sizeof(*schedule->deviations));
    if (schedule->deviations == NULL) {
        return cx_error_set(reader->error, CX_ERR_MEMORY, "out of memory for %zu deviations", count_max);
    }
    enum cx_status status = CX_OK;
    for (uint64_t i = 0; i < schedule->deviations_count && status == CX_OK; i++) {
        char expected[80];
        snprintf(expected, sizeof(expected), "deviation %" PRIu64 " of %" PRIu64, i + 1, schedule->deviations_count);
        status = line_next(reader, expected);
        if (status != CX_OK) {
            break;
        }
        char *words[CX_READ_WORDS_MAX];
        int words_count = words_split(reader->line, words);
        struct cx_deviation deviation = {0};
        if (words_count > 0 && strcmp(words[0], "switch") == 0) {
            status = switch_read(reader, schedule, words, words_count, &deviation);
        } else if (words_count > 0 && strcmp(words[0], "pick") == 0) {
            status = pick_read(reader, schedule, words, words_count, &deviation);
        } else {
            status = refuse(reader, CX_ERR_FORMAT, "expected %s, found \"%.60s\"", expected, reader->line);
        }
        if (status == CX_OK && i >= count_max) {
            status = refuse(reader, CX_ERR_FORMAT, "more deviations than the file can hold");
        } else if (status == CX_OK) {
            schedule->deviations[i] = deviation;
        }
    }
    return status;
}

static enum cx_status end_read(struct reader *reader)
{
    enum cx_status status = line_next(reader, "the line \"end ...\"");
    if (status != CX_OK) {
        return status;
    }
    char expected[32];
    uint64_t sum = cx_hash_bytes(CX_HASH_START, reader->text, reader->line_start);
    snprintf(expected, sizeof(expected), "end %016" PRIx64, sum);
    if (strncmp(reader->line, "end ", 4) != 0) {
        return refuse(reader, CX_ERR_FORMAT, "expected the line \"end ...\", found \"%.60s\"", reader->line);
    }
    if (strcmp(reader->line, expected) != 0) {
        return refuse(reader, CX_ERR_FORMAT, "the file is damaged: its sum is %.16s, its bytes give %s",
                      reader->line + 4, expected + 4);
    }
    if (reader->at != reader->text_bytes) {
        reader->line_number++;
        return refuse(reader, CX_ERR_FORMAT, "%zu bytes after the end", reader->text_bytes - reader->at);
    }
    return CX_OK;
}

enum cx_status cx_schedule_parse(struct cx_schedule *schedule, const char *text, size_t text_bytes,
                                 struct cx_error *error)
{
    memset(schedule, 0, sizeof(*schedule));
    struct reader reader = {.text = text, .text_bytes = text_bytes, .error = error};
    enum cx_status status = header_read(&reader, schedule);
    if (status == CX_OK) {
        status = deviations_read(&reader, schedule);
    }
    if (status == CX_OK) {
        status = end_read(&reader);
    }
    if (status != CX_OK) {
        cx_schedule_fini(schedule);
    }
    return status;
}

enum cx_status cx_schedule_file(const char *path, char **text, size_t *text_bytes, struct cx_error *error)
{
    struct stat info;
    size_t got = 0;
    enum cx_status status = CX_OK;
    *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0) {
        (void)cx_error_system(error, "cannot read %s", path);
        status = CX_ERR_USAGE;
        goto done;
    }
    if (!S_ISREG(info.st_mode) || info.st_size > (off_t)CX_SCHEDULE_BYTES_MAX) {
        status = cx_error_set(error, CX_ERR_FORMAT, "%s is no schedule file", path);
        goto done;
    }
    *text = malloc((size_t)info.st_size + 1);
    if (*text == NULL) {
        status = cx_error_set(error, CX_ERR_MEMORY, "out of memory for %s", path);
        goto done;
    }
    for (ssize_t part = 1; part > 0 && got < (size_t)info.st_size; got += part > 0 ? (size_t)part : 0) {
        part = read(fd, *text + got, (size_t)info.st_size - got);
    }
    (*text)[got] = '\0';
    *text_bytes = got;

done:
    if (fd >= 0) {
        close(fd);
    }
    return status;
}

enum cx_status cx_schedule_read(struct cx_schedule *schedule, const char *path, struct cx_error *error)
{
    memset(schedule, 0, sizeof(*schedule));
    char *text = NULL;
    size_t text_bytes = 0;
    enum cx_status status = cx_schedule_file(path, &text, &text_bytes, error);
    if (text != NULL) {
        struct cx_error reason = {0};
        status = cx_schedule_parse(schedule, text, text_bytes, &reason);
        if (status != CX_OK) {
            cx_error_set(error, status, "%s: %s", path, reason.text);
        }
    }
    free(text);
    return status;
}
