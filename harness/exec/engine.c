// SPDX-License-Identifier: Apache-2.0
//
// engine: see engine.h. This file owns the processes and the corpus; engine_findings.c tells what they found.
#include "harness/exec/engine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/command.h"
#include "harness/exec/clock.h"
#include "harness/exec/engine_findings.h"
#include "harness/exec/interrupt.h"
#include "harness/exec/live.h"
#include "harness/exec/targets.h"
#include "harness/trace/format.h"

#define TICK_MS 500
#define GRACE_S 120          // beyond the time, for a last run
#define INPUT_BYTES_MAX 8192 // of files and command lines; programs have a bound of their own
#define WORDS_MAX 16
#define SHRINK_TRIALS "600" // of one finding

struct process {
    pid_t pid; // 0: it has ended
    int status;
    char log[PATH_MAX];
};

struct engine {
    const struct cx_engine_options *options;
    char program[PATH_MAX];
    char corpus[PATH_MAX];
    struct process processes[CX_ENGINE_JOBS_MAX];
    struct cx_engine_findings findings;
    struct cx_live live;
};

static enum cx_status program_find(struct engine *engine, struct cx_error *error)
{
    const char *name = engine->options->name;
    if (strncmp(name, "fuzz_", 5) != 0 || strchr(name, '/') != NULL) {
        return cx_error_set(error, CX_ERR_USAGE, "\"%s\" is no fuzz target: their names begin with fuzz_", name);
    }
    snprintf(engine->program, sizeof(engine->program), "%.3900s/fuzz/%.100s", cx_targets_build_dir(), name);
    if (access(engine->program, X_OK) != 0) {
        return cx_error_set(error, CX_ERR_ENVIRONMENT, "there is no %s: `tools/fuzz-build %s` builds the fuzz targets",
                            engine->program, cx_targets_build_dir());
    }
    return CX_OK;
}

static enum cx_status folder_make(const char *path, struct cx_error *error)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        cx_error_system(error, "cannot make %s", path);
        return CX_ERR_USAGE;
    }
    return CX_OK;
}

static enum cx_status folders_make(struct engine *engine, struct cx_error *error)
{
    const struct cx_engine_options *options = engine->options;
    enum cx_status status = folder_make(options->out_dir, error);
    if (options->corpus_dir != NULL) {
        snprintf(engine->corpus, sizeof(engine->corpus), "%s", options->corpus_dir);
    } else {
        snprintf(engine->corpus, sizeof(engine->corpus), "%.3900s/corpus-%.100s", options->out_dir, options->name);
    }
    return status == CX_OK ? folder_make(engine->corpus, error) : status;
}

__attribute__((noreturn)) static void child_run(const struct engine *engine, char **words, const char *log)
{
    const struct cx_engine_options *options = engine->options;
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0); // Ctrl-C is for the command alone
    cx_interrupt_reset();
    setenv("CONSTRICTOR_FUZZ_TARGET", options->target, 1);
    setenv("CONSTRICTOR_FUZZ_OUT", options->out_dir, 1);
    setenv("CONSTRICTOR_FUZZ_GO_ON", "1", 1);
    setenv("CONSTRICTOR_FUZZ_MODE", options->mode, 1);
    setenv("CONSTRICTOR_FUZZ_SCENARIO", options->scenario != NULL ? options->scenario : "", 1);
    if (fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0) {
        execv(words[0], words);
    }
    _exit(127);
}

static enum cx_status process_start(struct engine *engine, struct process *process, char **words,
                                    struct cx_error *error)
{
    process->pid = fork();
    if (process->pid == 0) {
        child_run(engine, words, process->log);
    }
    if (process->pid < 0) {
        process->pid = 0;
        return cx_error_system(error, "cannot fork");
    }
    return CX_OK;
}

static enum cx_status job_start(struct engine *engine, uint32_t number, struct cx_error *error)
{
    const struct cx_engine_options *options = engine->options;
    struct process *process = &engine->processes[number];
    char time_word[60], seed_word[60], length_word[60], prefix_word[PATH_MAX + 40], dictionary_word[PATH_MAX + 40];
    char dictionary[PATH_MAX];
    snprintf(process->log, sizeof(process->log), "%.3900s/%.100s-%u.log", options->out_dir, options->name, number);
    unlink(process->log);
    snprintf(time_word, sizeof(time_word), "-max_total_time=%" PRIu64, (uint64_t)(options->time_ns / CX_NS_PER_S));
    snprintf(seed_word, sizeof(seed_word), "-seed=%" PRIu64, (options->seed + number) % INT32_MAX + 1);
    snprintf(length_word, sizeof(length_word), "-max_len=%d", INPUT_BYTES_MAX);
    snprintf(prefix_word, sizeof(prefix_word), "-artifact_prefix=%.3900s/%.100s-", options->out_dir, options->name);
    char *words[WORDS_MAX] = {engine->program, time_word,      seed_word,   length_word,
                              prefix_word,     "-timeout=600", "-reload=1", "-len_control=0"};
    size_t count = 8;
    snprintf(dictionary, sizeof(dictionary), "%.3900s/fuzz/dict/%.100s.dict", cx_targets_source_dir(),
             options->name + strlen("fuzz_"));
    if (access(dictionary, R_OK) == 0) {
        snprintf(dictionary_word, sizeof(dictionary_word), "-dict=%s", dictionary);
        words[count++] = dictionary_word;
    }
    words[count++] = engine->corpus;
    char seeds[2][PATH_MAX];
    for (int i = 0; i < 2; i++) {
        snprintf(seeds[i], sizeof(seeds[i]), "%.3900s/fuzz/seeds/%.100s",
                 i == 0 ? cx_targets_source_dir() : cx_targets_build_dir(), options->name + strlen("fuzz_"));
        if (access(seeds[i], R_OK) == 0) {
            words[count++] = seeds[i];
        }
    }
    return process_start(engine, process, words, error);
}

// What an engine says about itself in its last line: "#3867 ... corp: 147/1601b ... exec/s: 124".
static void progress_read(const struct process *process, uint64_t *runs, uint64_t *inputs)
{
    char tail[4096];
    FILE *file = fopen(process->log, "re");
    if (file == NULL) {
        return;
    }
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    fseek(file, size > (long)sizeof(tail) - 1 ? size - ((long)sizeof(tail) - 1) : 0, SEEK_SET);
    size_t got = fread(tail, 1, sizeof(tail) - 1, file);
    fclose(file);
    tail[got] = '\0';
    for (char *rest = tail, *line; (line = strsep(&rest, "\n")) != NULL;) {
        uint64_t number = 0;
        const char *corpus = strstr(line, " corp: ");
        if (corpus != NULL && sscanf(line, "#%" SCNu64, &number) == 1) {
            *runs = number;
            sscanf(corpus, " corp: %" SCNu64, inputs);
        }
    }
}

static void progress_show(struct engine *engine)
{
    uint64_t runs = 0, inputs = 0;
    for (uint32_t i = 0; i < engine->options->jobs; i++) {
        uint64_t own = 0;
        progress_read(&engine->processes[i], &own, &inputs);
        runs += own;
    }
    engine->findings.runs = runs;
    if (cx_live_due(&engine->live)) {
        char text[300], left[32];
        uint64_t elapsed_ns = cx_live_elapsed_ns(&engine->live);
        uint64_t left_ns = elapsed_ns < engine->options->time_ns ? engine->options->time_ns - elapsed_ns : 0;
        cx_live_duration_text(left_ns, left);
        snprintf(text, sizeof(text),
                 "%s: at least %" PRIu64 " runs, %" PRIu64 " inputs kept, %zu findings (%" PRIu64 " unexpected), %s "
                 "left",
                 engine->options->name, runs, inputs, engine->findings.told.count, engine->findings.unexpected, left);
        cx_live_show(&engine->live, text);
    }
}

// 1 while some process runs.
static int processes_reap(struct engine *engine)
{
    int running = 0;
    for (uint32_t i = 0; i < engine->options->jobs; i++) {
        struct process *process = &engine->processes[i];
        if (process->pid > 0 && waitpid(process->pid, &process->status, WNOHANG) == process->pid) {
            process->pid = 0;
        }
        running |= process->pid > 0;
    }
    return running;
}

static void processes_signal(const struct engine *engine, int number)
{
    for (uint32_t i = 0; i < engine->options->jobs; i++) {
        if (engine->processes[i].pid > 0) {
            kill(engine->processes[i].pid, number);
        }
    }
}

// Until all have ended, of themselves or because they were asked to.
static void watch(struct engine *engine)
{
    const struct timespec tick = {0, TICK_MS * (long)CX_NS_PER_MS};
    uint64_t end_ns = cx_clock_ns() + engine->options->time_ns + GRACE_S * CX_NS_PER_S;
    int asked = 0;
    while (processes_reap(engine)) {
        if (cx_interrupted() && !asked) {
            processes_signal(engine, SIGINT); // libFuzzer writes its end and leaves
            end_ns = cx_clock_ns() + GRACE_S * CX_NS_PER_S;
            asked = 1;
        }
        if (cx_clock_ns() > end_ns) {
            processes_signal(engine, SIGKILL);
        }
        ppoll(NULL, 0, &tick, asked ? NULL : cx_interrupt_wait_mask());
        cx_live_clear(&engine->live);
        cx_engine_findings_tell(&engine->findings);
        progress_show(engine);
    }
}

// Remove a folder of inputs. Returns how many they were.
static int folder_remove(const char *path)
{
    struct dirent **entries = NULL;
    int removed = 0;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char name[2 * PATH_MAX];
        snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
        removed += unlink(name) == 0; // neither "." nor ".."
        free(entries[i]);
    }
    free(entries);
    rmdir(path);
    return removed;
}

static void process_wait(struct process *process)
{
    while (waitpid(process->pid, &process->status, 0) < 0 && errno == EINTR) {
        if (cx_interrupted()) {
            kill(process->pid, SIGKILL);
        }
    }
}

// What nothing explains is made small, by the command itself.
static void findings_shrink(struct engine *engine)
{
    for (size_t i = 0; i < engine->findings.unread.count && !cx_interrupted(); i++) {
        const char *path = engine->findings.unread.list[i];
        struct process shrink = {0};
        struct cx_error error = {0};
        char out[PATH_MAX], trials[] = SHRINK_TRIALS, kept[600];
        snprintf(out, sizeof(out), "%.*s.min" CX_SCHEDULE_SUFFIX, (int)(strlen(path) - strlen(CX_SCHEDULE_SUFFIX)),
                 path);
        snprintf(shrink.log, sizeof(shrink.log), "%.3900s/%.100s-shrink.log", engine->options->out_dir,
                 engine->options->name);
        unlink(shrink.log);
        char *words[] = {"/proc/self/exe", "shrink", (char *)path, "--out", out, "--trials", trials, NULL};
        cx_live_clear(&engine->live);
        fprintf(stderr, "shrinking %s\n", path);
        if (process_start(engine, &shrink, words, &error) != CX_OK) {
            fprintf(stderr, "constrictor: it stays as it is: %s\n", error.text);
            return;
        }
        process_wait(&shrink);
        if (WIFEXITED(shrink.status) && WEXITSTATUS(shrink.status) == 0 &&
            cx_engine_log_line(shrink.log, "left, ", kept)) {
            printf("shrunk: %s: %s\n", out, kept);
        } else {
            fprintf(stderr, "constrictor: it stays as it is: see %s\n", shrink.log);
        }
    }
}

// Keep of the corpus the fewest inputs that reach the same. Nothing is lost if that fails.
static void corpus_merge(struct engine *engine)
{
    struct process merge = {0};
    struct cx_error error = {0};
    char fresh[PATH_MAX + 10], old[PATH_MAX + 10];
    snprintf(fresh, sizeof(fresh), "%s.merged", engine->corpus);
    snprintf(old, sizeof(old), "%s.before", engine->corpus);
    snprintf(merge.log, sizeof(merge.log), "%.3900s/%.100s-merge.log", engine->options->out_dir, engine->options->name);
    unlink(merge.log);
    (void)folder_remove(fresh); // of a merge that was interrupted
    cx_live_clear(&engine->live);
    fprintf(stderr, "merging the corpus %s\n", engine->corpus);
    char *words[] = {engine->program, "-merge=1", "-timeout=600", fresh, engine->corpus, NULL};
    if (folder_make(fresh, &error) != CX_OK || process_start(engine, &merge, words, &error) != CX_OK) {
        fprintf(stderr, "constrictor: the corpus stays as it is: %s\n", error.text);
        return;
    }
    process_wait(&merge);
    int merged = WIFEXITED(merge.status) && WEXITSTATUS(merge.status) == 0;
    if (!merged || rename(engine->corpus, old) != 0 || rename(fresh, engine->corpus) != 0) {
        fprintf(stderr, "constrictor: the corpus stays as it is: see %s\n", merge.log);
        return;
    }
    printf("corpus: %s, merged from %d inputs\n", engine->corpus, folder_remove(old));
}

static enum cx_exit end(struct engine *engine)
{
    int failed = 0;
    for (uint32_t i = 0; i < engine->options->jobs; i++) {
        int status = engine->processes[i].status;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            failed += cx_engine_findings_crash(&engine->findings, engine->processes[i].log);
        }
    }
    cx_live_clear(&engine->live);
    cx_engine_findings_tell(&engine->findings);
    uint64_t runs = 0, inputs = 0;
    for (uint32_t i = 0; i < engine->options->jobs; i++) {
        uint64_t own = 0;
        progress_read(&engine->processes[i], &own, &inputs);
        runs += own;
    }
    printf("%s: %" PRIu64 " runs, %zu findings, %" PRIu64 " of them unexpected\n", engine->options->name, runs,
           engine->findings.told.count, engine->findings.unexpected);
    if (cx_interrupted()) {
        return CX_EXIT_INTERRUPTED;
    }
    if (failed > 0) {
        return CX_EXIT_ENVIRONMENT;
    }
    return engine->findings.unexpected > 0 ? CX_EXIT_FINDINGS : runs > 0 ? CX_EXIT_OK : CX_EXIT_NOTHING;
}

enum cx_exit cx_engine_run(const struct cx_engine_options *options)
{
    struct engine *engine = calloc(1, sizeof(*engine));
    struct cx_error error = {0};
    if (engine == NULL) {
        return cx_command_fail(CX_ERR_MEMORY, &error);
    }
    engine->options = options;
    cx_live_init(&engine->live);
    enum cx_status status = program_find(engine, &error);
    if (status == CX_OK) {
        status = folders_make(engine, &error);
    }
    if (status == CX_OK) {
        status = cx_engine_findings_begin(&engine->findings, options, &error);
    }
    for (uint32_t i = 0; i < options->jobs && status == CX_OK; i++) {
        status = job_start(engine, i, &error);
    }
    enum cx_exit code = CX_EXIT_OK;
    if (status == CX_OK) {
        watch(engine);
        code = end(engine);
        if (!cx_interrupted() && code != CX_EXIT_ENVIRONMENT) {
            findings_shrink(engine);
            corpus_merge(engine);
        }
    } else {
        processes_signal(engine, SIGKILL);
        code = cx_command_fail(status, &error);
    }
    cx_engine_findings_end(&engine->findings);
    free(engine);
    return code;
}
