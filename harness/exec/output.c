// SPDX-License-Identifier: Apache-2.0
//
// output: see output.h and worker.h.
#include "harness/exec/output.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static off_t file_bytes(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 ? info.st_size : 0;
}

size_t cx_worker_output(const struct cx_worker *worker, char *text, size_t text_bytes)
{
    int fd = cx_worker__output_fd(worker);
    off_t all = file_bytes(fd);
    off_t from = all > (off_t)text_bytes - 1 ? all - ((off_t)text_bytes - 1) : 0;
    ssize_t got = pread(fd, text, text_bytes - 1, from);
    size_t bytes = got > 0 ? (size_t)got : 0;
    text[bytes] = '\0';
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == '\0') {
            text[i] = ' '; // a text stays a text, whatever the program printed
        }
    }
    return bytes;
}

enum cx_status cx_worker_log(const struct cx_worker *worker, struct cx_step **steps, size_t *steps_count,
                             struct cx_error *error)
{
    *steps = NULL;
    *steps_count = 0;
    int fd = cx_worker__log_fd(worker);
    size_t bytes = (size_t)file_bytes(fd);
    size_t count = bytes / sizeof(**steps);
    const struct cx_request *request = &cx_worker_channel(worker)->request;
    uint64_t all = cx_worker_result(worker)->log_steps;
    uint64_t written = all > request->log_from ? all - request->log_from : 0;
    if (request->log_count > 0 && written > request->log_count) {
        written = request->log_count;
    }
    if (count > written) {
        count = (size_t)written; // the file has room for more than this run wrote
    }
    if (count == 0) {
        return CX_OK;
    }
    struct cx_step *memory = malloc(count * sizeof(*memory));
    if (memory == NULL) {
        return cx_error_set(error, CX_ERR_MEMORY, "out of memory for a log of %zu steps", count);
    }
    size_t done = 0;
    while (done < count * sizeof(*memory)) {
        ssize_t got = pread(fd, (char *)memory + done, count * sizeof(*memory) - done, (off_t)done);
        if (got <= 0) {
            free(memory);
            return cx_error_system(error, "cannot read the step log");
        }
        done += (size_t)got;
    }
    *steps = memory;
    *steps_count = count;
    return CX_OK;
}
