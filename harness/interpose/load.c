// SPDX-License-Identifier: Apache-2.0
//
// load: finding libc's own functions behind ours.
#include "harness/interpose/family.h"
#include "harness/interpose/real.h"

#include "harness/sched/futex.h"
#include "harness/sched/sched.h"

#include <dlfcn.h>
#include <string.h>

void *cx_real_libc(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL) {
        static const char text[] = "constrictor runner: this libc has no ";
        cx_syscall3(SYS_write, 2, (long)text, sizeof(text) - 1);
        cx_syscall3(SYS_write, 2, (long)name, (long)strlen(name));
        cx_syscall3(SYS_write, 2, (long)"\n", 1);
        cx_leave(3);
    }
    return function;
}

__attribute__((constructor(101))) static void load_early(void)
{
    cx_real_load();
    cx_thread_init_key();
    cx_family_init();
}
