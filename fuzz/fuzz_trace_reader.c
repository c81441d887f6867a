// SPDX-License-Identifier: Apache-2.0
//
// fuzz_trace_reader: any bytes as a schedule file.
//
// Property: bytes are read or refused, and what is read and written is then read and written as the same bytes. A
// refused file leaves an empty schedule and a reason. What the lines mean (points, ranges, subject) is read, too.
// Input: the file. It is read twice: as it is, and with its last line replaced by the right sum, so that what stands
// behind the sum is within reach.
#include "fuzz/common/input.h"

#include "harness/exec/seed.h"
#include "harness/exec/subject.h"
#include "harness/exec/within.h"
#include "harness/trace/format.h"
#include "harness/trace/schedule.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The meaning of some lines, read and written again.
static void lines_read(const struct cx_schedule *schedule)
{
    static struct cx_points points, again;
    char text[CX_SCHEDULE_RANGES_BYTES];
    struct cx_error error = {0};
    if (cx_within_restore(schedule, &points, &error) == CX_OK && points.level != CX_POINTS_ATOMIC) {
        cx_points_text(&points, text, sizeof(text));
        memset(&again, 0, sizeof(again));
        FUZZ_CHECK(cx_points_parse(&again, text, &error) == CX_OK);
        FUZZ_CHECK(again.code_count == points.code_count && again.data_count == points.data_count);
    }
    struct cx_names words = {0};
    if (cx_subject_words_decode(schedule->command, &words) == 0) {
        char line[4 * CX_SCHEDULE_COMMAND_BYTES];
        struct cx_names back = {0};
        cx_subject_words_encode(&words, line, sizeof(line));
        FUZZ_CHECK(cx_subject_words_decode(line, &back) == 0);
        FUZZ_CHECK(back.count == words.count);
        for (size_t i = 0; i < words.count; i++) {
            FUZZ_CHECK(strcmp(words.list[i], back.list[i]) == 0);
        }
        cx_names_fini(&back);
    }
    cx_names_fini(&words);
}

static void schedule_read(const char *text, size_t text_bytes)
{
    struct cx_schedule schedule;
    struct cx_error error = {0};
    if (cx_schedule_parse(&schedule, text, text_bytes, &error) != CX_OK) {
        FUZZ_CHECK(error.text[0] != '\0');
        FUZZ_CHECK(schedule.deviations == NULL && schedule.paths == NULL);
        return;
    }
    struct cx_schedule second;
    char *written[2] = {NULL, NULL};
    size_t written_bytes[2] = {0, 0};
    FUZZ_CHECK(cx_schedule_format(&schedule, &written[0], &written_bytes[0], &error) == CX_OK);
    FUZZ_CHECK(cx_schedule_parse(&second, written[0], written_bytes[0], &error) == CX_OK);
    FUZZ_CHECK(cx_schedule_format(&second, &written[1], &written_bytes[1], &error) == CX_OK);
    FUZZ_CHECK(written_bytes[0] == written_bytes[1] && memcmp(written[0], written[1], written_bytes[0]) == 0);
    FUZZ_CHECK(second.deviations_count == schedule.deviations_count);
    lines_read(&schedule);
    free(written[0]);
    free(written[1]);
    cx_schedule_fini(&second);
    cx_schedule_fini(&schedule);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    size_t chars = 0;
    char *text = fuzz_input_text(&input, &chars);
    schedule_read(text, chars);
    // Cut the last line off, and write the one that belongs there.
    size_t body = chars > 0 && text[chars - 1] == '\n' ? chars - 1 : chars;
    while (body > 0 && text[body - 1] != '\n') {
        body--;
    }
    char *mended = malloc(body + 32);
    FUZZ_CHECK(mended != NULL);
    memcpy(mended, text, body);
    int end = snprintf(mended + body, 32, "end %016" PRIx64 "\n", cx_hash_bytes(CX_HASH_START, text, body));
    schedule_read(mended, body + (size_t)end);
    free(mended);
    free(text);
    return 0;
}
