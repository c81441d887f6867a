// SPDX-License-Identifier: Apache-2.0
//
// wrappers: the functions that stand between the program and an entry point of ThreadSanitizer, call it, and come back.
// They lie in a section of their own, so that their frames can be told in a report.
#ifndef CX_WRAPPERS_H
#define CX_WRAPPERS_H

#define CX_WRAPPER __attribute__((section("cx_wrappers")))

// The linker's names for the two ends of that section.
extern const char __start_cx_wrappers[] __attribute__((visibility("hidden")));
extern const char __stop_cx_wrappers[] __attribute__((visibility("hidden")));

#endif
