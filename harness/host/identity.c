// SPDX-License-Identifier: Apache-2.0
//
// identity: see identity.h. The build id and the map of loaded files come from the program headers of this process, so
// that the command can look up symbols of a process that is long gone.
#include "harness/host/identity.h"

#include "harness/host/host.h"
#include "harness/sanitizers.h"

#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#ifndef CX_TARGET
#error "CX_TARGET: the name of the target that this runner is built for"
#endif
#define ACCESSES_PER_POINT 32 // what the bound on steps grows by where every plain access is a point

#ifndef CX_ACCESSES
#define CX_ACCESSES CX_TSAN // a program that may be instrumented for points at plain accesses says so itself
#endif

// The file that the scheduler is in: its points are what schedules count.
static void fill_build_id(struct cx_identity *identity, const struct dl_phdr_info *info)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_NOTE) {
            continue;
        }
        const char *at = (const char *)(info->dlpi_addr + header->p_vaddr);
        const char *end = at + header->p_memsz;
        while (at + sizeof(ElfW(Nhdr)) <= end) {
            const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)at;
            const unsigned char *payload = (const unsigned char *)at + sizeof(*note) + ((note->n_namesz + 3) & ~3u);
            if (note->n_type == NT_GNU_BUILD_ID && note->n_descsz <= 20) {
                for (unsigned byte = 0; byte < note->n_descsz; byte++) {
                    snprintf(identity->build_id + 2 * (size_t)byte, 3, "%02x", payload[byte]);
                }
            }
            at = (const char *)payload + ((note->n_descsz + 3) & ~3u);
        }
    }
}

static int add_module(struct dl_phdr_info *info, size_t bytes, void *argument)
{
    (void)bytes;
    struct cx_identity *identity = argument;
    if (identity->modules_count == CX_MODULES_MAX) {
        return 1;
    }
    uint64_t start = UINT64_MAX;
    uint64_t end = 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_LOAD) {
            uint64_t from = info->dlpi_addr + header->p_vaddr;
            start = from < start ? from : start;
            end = from + header->p_memsz > end ? from + header->p_memsz : end;
        }
    }
    char path[200];
    snprintf(path, sizeof(path), "%s", info->dlpi_name);
    uint64_t here = (uint64_t)(uintptr_t)fill_build_id;
    if (start <= here && here < end) {
        fill_build_id(identity, info);
    }
    if (identity->modules_count == 0) { // the program itself
        ssize_t chars = readlink("/proc/self/exe", path, sizeof(path) - 1);
        path[chars > 0 ? chars : 0] = '\0';
    }
    if (path[0] != '/') {
        return 0; // the kernel's vdso has no file
    }
    identity->modules[identity->modules_count].start = start;
    identity->modules[identity->modules_count].end = end;
    identity->modules[identity->modules_count].bias = info->dlpi_addr;
    memcpy(identity->modules[identity->modules_count].path, path, sizeof(path));
    identity->modules_count++;
    return 0;
}

void cx_identity_fill(struct cx_identity *identity)
{
    memset(identity, 0, sizeof(*identity));
    snprintf(identity->target, sizeof(identity->target), "%s", CX_TARGET);
    identity->tsan = CX_TSAN;
    identity->asan = CX_ASAN;
    identity->accesses = CX_ACCESSES;
    identity->aslr_off = (personality(0xffffffff) & ADDR_NO_RANDOMIZE) != 0;
    dl_iterate_phdr(add_module, identity);
    cx_host_identify(identity);
}

void cx_identity_defaults(struct cx_channel *channel)
{
    struct cx_request *request = &channel->request;
    const struct cx_scenario_info *info = &channel->scenarios[request->scenario];
    if (request->steps_max == 0) {
        int all =
            request->points.level == CX_POINTS_ACCESS && request->points.code_count + request->points.data_count == 0;
        request->steps_max = all ? info->steps_max * ACCESSES_PER_POINT : info->steps_max;
    }
    if (request->wall_ms_max == 0) {
        request->wall_ms_max = info->wall_ms_max;
    }
}
