// SPDX-License-Identifier: Apache-2.0
//
// worker: see worker.h. Life and death of the runner's process and the dialogue with it; what it answered is made
// sane in sanitize.c.
#include "harness/exec/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/exec/clock.h"
#include "harness/exec/interrupt.h"
#include "harness/exec/output.h"
#include "harness/exec/sanitize.h"
#include "harness/exec/spawn.h"
#include "harness/scenario.h"

#define CX_HELLO_MS_MAX 180000ull // CPython under ThreadSanitizer needs seconds, on a busy machine many

struct cx_worker {
    char *path;
    const struct cx_subject *subject; // borrowed; NULL: scenarios
    int32_t cpu;
    pid_t pid; // 0: no process
    int pid_fd;
    int socket_fd;
    int channel_fd;
    int output_fd;
    int log_fd;
    struct cx_channel *channel;
    struct cx_identity identity;
    struct cx_scenario_info *scenarios;
    uint32_t scenarios_count;
    uint32_t restarts;
    int busy;
    uint64_t deadline_ns; // of the run that is being played
};

static int memfd_new(const char *name, off_t bytes)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd >= 0 && ftruncate(fd, bytes) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static enum cx_status files_open(struct cx_worker *worker, struct cx_error *error)
{
    worker->channel_fd = memfd_new("constrictor-channel", sizeof(struct cx_channel));
    worker->output_fd = memfd_new("constrictor-output", 0);
    worker->log_fd = memfd_new("constrictor-log", 0);
    if (worker->channel_fd < 0 || worker->output_fd < 0 || worker->log_fd < 0) {
        return cx_error_system(error, "cannot create shared memory for a runner");
    }
    // Append, so that the run after a truncation starts at byte 0 although the descriptor's offset is shared.
    if (fcntl(worker->output_fd, F_SETFL, O_APPEND) != 0) {
        return cx_error_system(error, "cannot prepare a runner's output file");
    }
    void *memory = mmap(NULL, sizeof(struct cx_channel), PROT_READ | PROT_WRITE, MAP_SHARED, worker->channel_fd, 0);
    if (memory == MAP_FAILED) {
        return cx_error_system(error, "cannot map the channel to a runner");
    }
    worker->channel = memory;
    worker->channel->magic = CX_CHANNEL_MAGIC; // the runner refuses a channel of another shape
    worker->channel->bytes = sizeof(struct cx_channel);
    if (worker->subject != NULL) {
        cx_subject_describe(worker->subject, &worker->channel->subject);
    }
    return CX_OK;
}

// The last line of the output, for messages about a runner that failed.
static void output_tail(const struct cx_worker *worker, char *text, size_t text_bytes)
{
    size_t bytes = cx_worker_output(worker, text, text_bytes);
    while (bytes > 0 && (text[bytes - 1] == '\n' || text[bytes - 1] == ' ')) {
        text[--bytes] = '\0';
    }
    char *newline = strrchr(text, '\n');
    if (newline != NULL) {
        memmove(text, newline + 1, strlen(newline + 1) + 1);
    }
}

// Collect the dead process and say what killed it.
static void process_reap(struct cx_worker *worker, struct cx_error *error)
{
    int status = 0;
    kill(-worker->pid, SIGKILL); // the run's own process must not outlive its runner
    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR) {
    }
    char tail[300];
    output_tail(worker, tail, sizeof(tail));
    const char *separator = tail[0] != '\0' ? "; its last line: " : "";
    if (WIFSIGNALED(status)) {
        cx_error_set(error, CX_ERR_RUNNER, "the runner (pid %d) was killed by signal %d (%s)%s%s", (int)worker->pid,
                     WTERMSIG(status), strsignal(WTERMSIG(status)), separator, tail);
    } else {
        cx_error_set(error, CX_ERR_RUNNER, "the runner (pid %d) ended with exit code %d%s%s", (int)worker->pid,
                     WEXITSTATUS(status), separator, tail);
    }
    worker->pid = 0;
}

static void process_close(struct cx_worker *worker)
{
    if (worker->pid > 0) {
        kill(-worker->pid, SIGKILL);
        kill(worker->pid, SIGKILL);
        while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        worker->pid = 0;
    }
    if (worker->pid_fd >= 0) {
        close(worker->pid_fd);
        worker->pid_fd = -1;
    }
    if (worker->socket_fd >= 0) {
        close(worker->socket_fd);
        worker->socket_fd = -1;
    }
    worker->busy = 0;
}

static enum cx_status process_open(struct cx_worker *worker, struct cx_error *error)
{
    int pair[2] = {-1, -1};
    enum cx_status status = CX_OK;
    if (ftruncate(worker->output_fd, 0) != 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return cx_error_system(error, "cannot prepare a runner");
    }
    struct cx_spawn spawn = {.path = worker->path,
                             .subject = worker->subject,
                             .channel_fd = worker->channel_fd,
                             .socket_fd = pair[1],
                             .output_fd = worker->output_fd,
                             .log_fd = worker->log_fd};
    status = cx_spawn_runner(&spawn, &worker->pid, error);
    close(pair[1]);
    worker->socket_fd = pair[0];
    if (status == CX_OK) {
        worker->pid_fd = (int)syscall(SYS_pidfd_open, worker->pid, 0);
        if (worker->pid_fd < 0) {
            status = cx_error_system(error, "cannot watch the runner");
        } else {
            fcntl(worker->pid_fd, F_SETFD, FD_CLOEXEC);
        }
    }
    return status;
}

// The next byte of the dialogue: 1 with `*byte`, 0 when there is none yet, -1 when the runner is gone.
static int socket_read(struct cx_worker *worker, char *byte)
{
    ssize_t got = recv(worker->socket_fd, byte, 1, MSG_DONTWAIT);
    if (got == 1) {
        return 1;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        // No byte; but the process may be gone while somebody else holds its end of the socket open.
        struct pollfd gone = {.fd = worker->pid_fd, .events = POLLIN};
        return poll(&gone, 1, 0) == 1 ? -1 : 0;
    }
    return -1;
}

static enum cx_status hello_check(struct cx_worker *worker, struct cx_error *error)
{
    struct cx_channel *channel = worker->channel;
    if (channel->magic != CX_CHANNEL_MAGIC || channel->bytes != sizeof(*channel) ||
        channel->scenarios_count > CX_SCENARIOS_MAX || channel->identity.modules_count > CX_MODULES_MAX) {
        return cx_error_set(error, CX_ERR_ENVIRONMENT,
                            "%s was built from other sources than this command: build both again", worker->path);
    }
    struct cx_identity identity = channel->identity;
    cx_sanitize_identity(&identity);
    if (worker->scenarios != NULL && strcmp(identity.build_id, worker->identity.build_id) != 0) {
        return cx_error_set(error, CX_ERR_ENVIRONMENT, "%s was rebuilt while it was in use", worker->path);
    }
    uint32_t count = channel->scenarios_count;
    struct cx_scenario_info *scenarios = calloc(count + 1, sizeof(*scenarios));
    if (scenarios == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    memcpy(scenarios, channel->scenarios, count * sizeof(*scenarios));
    for (uint32_t i = 0; i < count; i++) {
        cx_sanitize_scenario(&scenarios[i]);
    }
    free(worker->scenarios);
    worker->scenarios = scenarios;
    worker->scenarios_count = count;
    worker->identity = identity;
    return CX_OK;
}

static enum cx_status hello_wait(struct cx_worker *worker, struct cx_error *error)
{
    uint64_t deadline_ns = cx_clock_ns() + CX_HELLO_MS_MAX * CX_NS_PER_MS;
    worker->busy = 1;
    worker->deadline_ns = deadline_ns;
    char byte = 0;
    for (;;) {
        int got = socket_read(worker, &byte);
        if (got < 0) {
            struct cx_error reason = {0};
            process_reap(worker, &reason);
            return cx_error_set(error, CX_ERR_ENVIRONMENT, "%s does not start: %s", worker->path, reason.text);
        }
        if (got > 0) {
            break;
        }
        if (cx_clock_ns() >= deadline_ns) {
            return cx_error_set(error, CX_ERR_ENVIRONMENT, "%s did not get ready within %llu s", worker->path,
                                CX_HELLO_MS_MAX / 1000);
        }
        struct cx_worker *const self[] = {worker};
        enum cx_status status = cx_worker_wait(self, 1, deadline_ns, error);
        if (status != CX_OK) {
            return status;
        }
    }
    worker->busy = 0;
    if (byte != CX_BYTE_HELLO) {
        return cx_error_set(error, CX_ERR_ENVIRONMENT, "%s greets with byte %d: no runner of ours", worker->path, byte);
    }
    return hello_check(worker, error);
}

enum cx_status cx_worker_new(struct cx_worker **out, const char *path, const struct cx_subject *subject, int32_t cpu,
                             struct cx_error *error)
{
    *out = NULL;
    struct cx_worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory");
    }
    worker->pid_fd = worker->socket_fd = worker->channel_fd = worker->output_fd = worker->log_fd = -1;
    worker->cpu = cpu;
    worker->subject = subject;
    worker->path = strdup(path);
    enum cx_status status = worker->path != NULL ? files_open(worker, error) : CX_ERR_MEMORY;
    if (status == CX_OK) {
        status = process_open(worker, error);
    }
    if (status == CX_OK) {
        status = hello_wait(worker, error);
    }
    if (status != CX_OK) {
        cx_worker_free(worker);
        return status;
    }
    *out = worker;
    return CX_OK;
}

void cx_worker_free(struct cx_worker *worker)
{
    if (worker == NULL) {
        return;
    }
    process_close(worker);
    if (worker->channel != NULL) {
        munmap(worker->channel, sizeof(*worker->channel));
    }
    const int fds[] = {worker->channel_fd, worker->output_fd, worker->log_fd};
    for (int i = 0; i < 3; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    free(worker->scenarios);
    free(worker->path);
    free(worker);
}

enum cx_status cx_worker_restart(struct cx_worker *worker, struct cx_error *error)
{
    process_close(worker);
    worker->restarts++;
    enum cx_status status = process_open(worker, error);
    return status == CX_OK ? hello_wait(worker, error) : status;
}

uint32_t cx_worker_restarts(const struct cx_worker *worker)
{
    return worker->restarts;
}

const struct cx_identity *cx_worker_identity(const struct cx_worker *worker)
{
    return &worker->identity;
}

const struct cx_scenario_info *cx_worker_scenarios(const struct cx_worker *worker, uint32_t *count)
{
    *count = worker->scenarios_count;
    return worker->scenarios;
}

int32_t cx_worker_scenario_find(const struct cx_worker *worker, const char *name)
{
    for (uint32_t i = 0; i < worker->scenarios_count; i++) {
        if (strcmp(worker->scenarios[i].name, name) == 0) {
            return (int32_t)i;
        }
    }
    return -1;
}

struct cx_request *cx_worker_request(struct cx_worker *worker)
{
    memset(&worker->channel->request, 0, sizeof(worker->channel->request));
    worker->channel->batch.count = 0;
    worker->channel->batch.done = 0;
    worker->channel->batch.unfit[0] = '\0';
    worker->channel->request.cpu = worker->cpu;
    return &worker->channel->request;
}

struct cx_batch *cx_worker_batch(struct cx_worker *worker)
{
    return &worker->channel->batch;
}

struct cx_deviation *cx_worker_plan(struct cx_worker *worker)
{
    return worker->channel->plan;
}

struct cx_told *cx_worker_told(struct cx_worker *worker)
{
    return &worker->channel->told;
}

enum cx_status cx_worker_begin(struct cx_worker *worker, struct cx_error *error)
{
    const struct cx_request *request = &worker->channel->request;
    if (request->scenario >= worker->scenarios_count || request->plan_count > CX_DEVIATIONS_MAX) {
        return cx_error_set(error, CX_ERR_USAGE, "a request that no runner can play");
    }
    uint64_t wall_ms = request->wall_ms_max;
    if (wall_ms == 0) {
        wall_ms = worker->scenarios[request->scenario].wall_ms_max;
    }
    if (wall_ms == 0) {
        wall_ms = CX_WALL_MS_MAX_DEFAULT;
    }
    wall_ms *= worker->channel->batch.count > 1 ? worker->channel->batch.count : 1;
    worker->deadline_ns = cx_clock_ns() + CX_WALL_MS_OF_COMMAND(wall_ms) * CX_NS_PER_MS;
    cx_sanitize_clear(&worker->channel->result);
    worker->busy = 1;
    char byte = CX_BYTE_RUN;
    ssize_t sent;
    do {
        sent = send(worker->socket_fd, &byte, 1, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return CX_OK;
}

int cx_worker_busy(const struct cx_worker *worker)
{
    return worker->busy;
}

enum cx_status cx_worker_wait(struct cx_worker *const *workers, uint32_t count, uint64_t deadline_ns,
                              struct cx_error *error)
{
    struct pollfd files[2 * CX_WORKERS_MAX];
    nfds_t files_count = 0;
    for (uint32_t i = 0; i < count && i < CX_WORKERS_MAX; i++) {
        if (workers[i]->busy) {
            files[files_count++] = (struct pollfd){.fd = workers[i]->socket_fd, .events = POLLIN};
            files[files_count++] = (struct pollfd){.fd = workers[i]->pid_fd, .events = POLLIN};
            if (workers[i]->deadline_ns < deadline_ns) {
                deadline_ns = workers[i]->deadline_ns;
            }
        }
    }
    if (cx_interrupted()) {
        return cx_error_set(error, CX_ERR_INTERRUPTED, "interrupted");
    }
    uint64_t limit_ns = cx_interrupt_limit();
    int wait_ms = cx_clock_poll_ms(limit_ns < deadline_ns ? limit_ns : deadline_ns);
    struct timespec wait = {.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * (long)CX_NS_PER_MS};
    int ready = ppoll(files, files_count, wait_ms < 0 ? NULL : &wait, cx_interrupt_wait_mask());
    if (ready < 0 && errno != EINTR) {
        return cx_error_system(error, "cannot wait for the runners");
    }
    return cx_interrupted() ? cx_error_set(error, CX_ERR_INTERRUPTED, "interrupted") : CX_OK;
}

enum cx_answer cx_worker_answer(struct cx_worker *worker, struct cx_error *error)
{
    if (!worker->busy) {
        return CX_ANSWER_NONE;
    }
    char byte = 0;
    int got = socket_read(worker, &byte);
    if (got > 0 && byte == CX_BYTE_DONE) {
        worker->busy = 0;
        cx_sanitize_result(&worker->channel->result);
        cx_sanitize_batch(&worker->channel->batch);
        return CX_ANSWER_DONE;
    }
    if (got != 0) {
        process_reap(worker, error);
        worker->busy = 0;
        return CX_ANSWER_LOST;
    }
    if (cx_clock_ns() < worker->deadline_ns) {
        return CX_ANSWER_NONE;
    }
    process_close(worker);
    cx_error_set(error, CX_ERR_RUNNER, "the runner did not come back in time and was killed");
    return CX_ANSWER_TIMEOUT;
}

enum cx_status cx_worker_play(struct cx_worker *worker, struct cx_error *error)
{
    enum cx_status status = cx_worker_begin(worker, error);
    struct cx_worker *const self[] = {worker};
    while (status == CX_OK) {
        enum cx_answer answer = cx_worker_answer(worker, error);
        if (answer == CX_ANSWER_DONE) {
            return CX_OK;
        }
        if (answer != CX_ANSWER_NONE) {
            return CX_ERR_RUNNER;
        }
        status = cx_worker_wait(self, 1, CX_NO_DEADLINE, error);
    }
    return status;
}

const struct cx_result *cx_worker_result(const struct cx_worker *worker)
{
    return &worker->channel->result;
}

const struct cx_deviation *cx_worker_deviations(const struct cx_worker *worker)
{
    return worker->channel->deviations;
}

const struct cx_channel *cx_worker_channel(const struct cx_worker *worker)
{
    return worker->channel;
}

// harness/exec/output.c reads these two files; nobody else needs them.
int cx_worker__output_fd(const struct cx_worker *worker)
{
    return worker->output_fd;
}

int cx_worker__log_fd(const struct cx_worker *worker)
{
    return worker->log_fd;
}
