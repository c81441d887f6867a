// SPDX-License-Identifier: Apache-2.0
//
// pyrt/hook: named places inside the runtime where another thread may interfere.
//
// The runtime calls pyrt_hook_point at each place where its own steps can be interleaved with those of other threads:
// between a check and the act that relies on it, between taking a list and applying it. The definition in the library
// is weak and empty. A program that wants to see these places, such as a scheduler, defines the function itself.
#ifndef PYRT_HOOK_H
#define PYRT_HOOK_H

#ifdef __cplusplus
extern "C" {
#endif

// Called by the runtime; `name` is static text such as "attach.checked". A definition must leave Python and the runtime
// alone.
// Thread state: either. Blocks: as it likes. May run Python: no.
// Pointers: `name` is borrowed, static.
// Returns: nothing; it cannot fail.
// Source: own.
void pyrt_hook_point(const char *name);

#ifdef __cplusplus
}
#endif

#endif
