// SPDX-License-Identifier: Apache-2.0
//
// fuzz_options: any bytes as a command line, or as one of its values.
//
// Property: a value is read or refused with a reason that names it; a number that was read is in its range; what is
// written back is read as the same.
// Input: a byte that chooses what is read, then its text: a line of words for the command line of `constrictor run`.
#include "fuzz/common/input.h"

#include "harness/command.h"
#include "harness/exec/subject.h"
#include "harness/exec/within.h"
#include "harness/names.h"
#include "harness/options.h"
#include "harness/run_options.h"

#include <sanitizer/lsan_interface.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 64

static jmp_buf refused;

// What the linker puts in the place of cx_command_usage(), which ends the process (fuzz/CMakeLists.txt).
__attribute__((noreturn)) void __wrap_cx_command_usage(const char *verb, const struct cx_error *error);
void __wrap_cx_command_usage(const char *verb, const struct cx_error *error)
{
    FUZZ_CHECK(verb[0] != '\0' && error->text[0] != '\0');
    longjmp(refused, 1);
}

static void number_read(const char *text)
{
    static const struct {
        uint64_t min, max;
    } ranges[] = {{0, UINT64_MAX}, {1, 64}, {1000, 1000000}};
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        struct cx_error error = {0};
        uint64_t value = 0;
        if (cx_option_number("--n", text, ranges[i].min, ranges[i].max, &value, &error) == CX_OK) {
            FUZZ_CHECK(value >= ranges[i].min && value <= ranges[i].max);
        } else {
            FUZZ_CHECK(strncmp(error.text, "--n ", 4) == 0);
        }
    }
}

static void value_read(const char *text)
{
    struct cx_error error = {0};
    uint64_t value_ns = 0;
    uint32_t strategy = 0;
    uint32_t level = 0;
    FUZZ_CHECK(cx_option_duration_ns("--for", text, &value_ns, &error) != CX_OK || value_ns > 0);
    if (cx_option_strategy(text, &strategy, &error) == CX_OK) {
        FUZZ_CHECK(strcmp(cx_strategy_name(strategy), text) == 0);
    }
    if (cx_points_level_parse(text, &level, &error) == CX_OK) {
        FUZZ_CHECK(strcmp(cx_points_level_name(level), text) == 0);
    }
    if (cx_within_check(text, &error) != CX_OK) {
        FUZZ_CHECK(strstr(error.text, "--points-in") != NULL);
    }
}

static void names_read(const char *text)
{
    struct cx_names names = {0};
    char nearest[200];
    cx_names_split(&names, text);
    cx_names_sort(&names);
    cx_names_nearest(&names, text, nearest, sizeof(nearest));
    FUZZ_CHECK(strlen(nearest) < sizeof(nearest));
    for (size_t i = 0; i < names.count && i < 8; i++) {
        FUZZ_CHECK(cx_names_have(&names, names.list[i]));
        FUZZ_CHECK(cx_names_distance(names.list[i], names.list[i]) == 0);
    }
    cx_names_fini(&names);
}

static void points_read(const char *text)
{
    static struct cx_points points;
    struct cx_error error = {0};
    struct cx_names words = {0};
    if (cx_points_parse(&points, text, &error) == CX_OK) {
        FUZZ_CHECK(points.code_count + points.data_count <= CX_RANGES_MAX);
    }
    (void)cx_subject_words_decode(text, &words);
    cx_names_fini(&words);
}

static void options_free(struct cx_campaign_options *run)
{
    cx_names_fini(&run->patterns);
    cx_names_fini(&run->targets);
    cx_names_fini(&run->environment);
    cx_names_fini(&run->within);
}

static void command_line_read(char *text)
{
    static struct cx_campaign_options run;
    char *words[WORDS_MAX + 1] = {(char[]){"run"}};
    int count = 1;
    char *rest = NULL;
    for (char *word = strtok_r(text, " \n", &rest); word != NULL; word = strtok_r(NULL, " \n", &rest)) {
        if (count < WORDS_MAX) {
            words[count++] = word;
        }
    }
    run = cx_run_options_default;
    // A refusal leaves argp through a jump, and with it what argp has allocated: that is not ours to free.
    __lsan_disable();
    if (setjmp(refused) == 0) {
        unsigned flags = ARGP_NO_EXIT | ARGP_NO_ERRS | ARGP_NO_HELP;
        if (argp_parse(&cx_run_options_argp, count, words, flags, NULL, &run) == 0) {
            FUZZ_CHECK(run.jobs <= CX_WORKERS_MAX && run.pct_depth >= 1 && run.rules.spurious <= 1000);
            FUZZ_CHECK(run.out_dir != NULL && run.strategy <= CX_STRATEGY_EXHAUSTIVE);
        }
    }
    __lsan_enable();
    options_free(&run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    uint8_t what = fuzz_input_u8(&input);
    char *text = fuzz_input_text(&input, NULL);
    switch (what % 5) {
    case 0:
        number_read(text);
        break;
    case 1:
        value_read(text);
        break;
    case 2:
        names_read(text);
        break;
    case 3:
        points_read(text);
        break;
    default:
        command_line_read(text);
        break;
    }
    free(text);
    return 0;
}
