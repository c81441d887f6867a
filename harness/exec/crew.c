// SPDX-License-Identifier: Apache-2.0
//
// crew: see crew.h.
#include "harness/exec/crew.h"

#include <limits.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "harness/exec/preflight.h"
#include "harness/exec/targets.h"

// The CPUs that this process may use, in order. Returns their number, at least 1.
static uint32_t cpus_allowed(int32_t cpus[CPU_SETSIZE])
{
    cpu_set_t set;
    uint32_t count = 0;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        for (int32_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
            if (CPU_ISSET(cpu, &set)) {
                cpus[count++] = cpu;
            }
        }
    }
    if (count == 0) {
        cpus[count++] = -1;
    }
    return count;
}

enum cx_status cx_crew_start(struct cx_crew *crew, const char *target, const struct cx_subject *subject, uint32_t jobs,
                             int controlled, struct cx_error *error)
{
    int32_t cpus[CPU_SETSIZE];
    uint32_t cpus_count = cpus_allowed(cpus);
    char path[PATH_MAX];
    enum cx_status status =
        subject != NULL ? cx_subject_runner(subject, path, error) : cx_targets_runner(target, path, error);
    jobs = jobs == 0 ? cpus_count : jobs;
    jobs = jobs > CX_WORKERS_MAX ? CX_WORKERS_MAX : jobs;
    // Commands that run side by side should not all sit on the first CPU. Nothing may depend on which one it is.
    uint32_t first = (uint32_t)getpid() % cpus_count;
    for (uint32_t i = 0; status == CX_OK && i < jobs; i++) {
        status = cx_worker_new(&crew->workers[i], path, subject, cpus[(first + i) % cpus_count], error);
        crew->count += status == CX_OK;
    }
    if (status == CX_OK) {
        status = cx_preflight(cx_worker_identity(crew->workers[0]), target, controlled, error);
    }
    return status;
}

void cx_crew_fini(struct cx_crew *crew)
{
    for (uint32_t i = 0; i < crew->count; i++) {
        cx_worker_free(crew->workers[i]);
    }
    memset(crew, 0, sizeof(*crew));
}
