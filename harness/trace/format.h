// SPDX-License-Identifier: Apache-2.0
//
// format: the schedule file (.cxs), versions 1 to 4. The only description of it.
//
// A schedule file is UTF-8 text, one fact per line, every line ended by one newline, no blank lines, no comments. It
// says which run of which scenario on which build it was, what came of it, and how the run departed from the default
// order ("keep running the current thread"):
//
//     constrictor-schedule 1
//     scenario finalize/attach_new_thread
//     target 3.14.7-ft-debug
//     build-id 5f1c0e9b...                      lower-case hexadecimal, of the runner's file
//     strategy pct                              that made the run: pct, pos, ..., default, shrink
//     depth 3                                   of pct; 0 elsewhere
//     seed 0x8c2f00d5a1b2c3d4                   of the run, not of the campaign
//     run 17                                    its index in the campaign
//     steps-max 0                               bound on steps if the command line gave one, else 0
//     outcome assertion                         a name from CX_OUTCOME_MAP
//     signature assertion "x > 0" in f [0123456789ab]
//     steps 290123
//     fingerprint 0x0123456789abcdef            of the whole interleaving
//     deviations 2                              how many lines follow before the end
//     switch main.1 4711 -> main.2 mutex-lock 0x7ffff7a3c0 preempt
//     pick main.2 3 = 1
//     end 89abcdef01234567                      FNV-1a, 64 bits, of every byte before this line
//
// A run of a program or a script is a file of version 2. `scenario` then is its name and `target` says what controls it
// (`subject`, `exec`, or a Python target); after the line `deviations` come
//
//     subject program                           program, exec, script or module, then switches:
//                                               "script from-start follow-forks"
//     directory /srv/example                    that it ran in
//     command ./race 4 a%20b                    its words; %XX for blanks and control characters, % for an empty word
//     environment -                             NAME=VALUE words beside those that every run has; - for none
//     digest 0x0123456789abcdef                 FNV-1a of the bytes of its file; 0 for a module
//
// A run whose points are not those of `--points atomic` is a file of version 3. After the line `deviations` come
//
//     points access                             sync or access
//     within function:take                      the places that it was narrowed to, as given; - for none
//     ranges 0x401000-0x401080 data 0x603010-0x603018    the same as addresses: of code, then of data; - for none
//
// and then the five lines of version 2, each with - as its value (the sum with 0) where the run is of a scenario.
//
// A shrunk schedule whose window (trace/window.h) was found and confirmed is a file of version 4. After the line
// `deviations` come
//
//     window take; put                          functions, apart by "; "; - for none: no preemption is needed
//     window-runs 100                           random runs of each kind,
//     window-inside 63                          and how many showed the finding that preempt in these functions alone,
//     window-outside 0                          everywhere but there,
//     window-anywhere 31                        and anywhere
//
// then the three lines of version 3, each with - as its value where the points are those of `--points atomic`, and then
// the five of version 2 as in version 3.
//
// Header lines come in exactly this order, all of them, once. A deviation is one of
//
//     switch THREAD POINT -> THREAD OPERATION OBJECT [preempt]
//         At the POINT-th point of the first thread, where it is about to do OPERATION (a name from CX_OP_MAP) to
//         OBJECT, the second thread goes on. `preempt` when the first one could have gone on itself.
//     pick THREAD N = NUMBER [OPERATION OBJECT]
//         The N-th number that the thread asks for is NUMBER. The operation is left out when it is `choose 0x0`.
//
// THREAD is a path (`main`, `main.2`: second child of main, `main.2.1`), or `#` and eight hexadecimal digits, the key
// that channel.h makes from the path, when the path is not known. Deviations stand in the order in which they happened.
//
// A file that ends anywhere before the newline of its end line is refused as cut off, with the line that is missing;
// one whose sum is wrong is refused as damaged. Other versions are refused.
#ifndef CX_TRACE_FORMAT_H
#define CX_TRACE_FORMAT_H

#define CX_SCHEDULE_MAGIC "constrictor-schedule"
#define CX_SCHEDULE_VERSION 1
#define CX_SCHEDULE_VERSION_SUBJECT 2
#define CX_SCHEDULE_VERSION_POINTS 3
#define CX_SCHEDULE_VERSION_WINDOW 4
#define CX_SCHEDULE_SUFFIX ".cxs"
#define CX_SCHEDULE_LINE_CHARS_MAX 42000
#define CX_SCHEDULE_BYTES_MAX (256u << 20)

// X(word, field of struct cx_schedule, how it is written): the header lines after the first, in their order.
#define CX_SCHEDULE_HEADER_MAP(X)                                                                                      \
    X("scenario", scenario, TEXT)                                                                                      \
    X("target", target, TEXT)                                                                                          \
    X("build-id", build_id, TEXT)                                                                                      \
    X("strategy", strategy, TEXT)                                                                                      \
    X("depth", depth, DECIMAL)                                                                                         \
    X("seed", seed, HEXADECIMAL)                                                                                       \
    X("run", run, DECIMAL)                                                                                             \
    X("steps-max", steps_max, DECIMAL)                                                                                 \
    X("outcome", outcome, TEXT)                                                                                        \
    X("signature", signature, TEXT)                                                                                    \
    X("steps", steps, DECIMAL)                                                                                         \
    X("fingerprint", fingerprint, HEXADECIMAL)                                                                         \
    X("deviations", deviations_count, DECIMAL)

// The lines that follow in version 4.
#define CX_SCHEDULE_WINDOW_MAP(X)                                                                                      \
    X("window", window.functions, TEXT)                                                                                \
    X("window-runs", window.runs, DECIMAL)                                                                             \
    X("window-inside", window.inside, DECIMAL)                                                                         \
    X("window-outside", window.outside, DECIMAL)                                                                       \
    X("window-anywhere", window.anywhere, DECIMAL)

// The lines that follow then in version 4, and at once in version 3.
#define CX_SCHEDULE_POINTS_MAP(X)                                                                                      \
    X("points", points, TEXT)                                                                                          \
    X("within", within, TEXT)                                                                                          \
    X("ranges", ranges, TEXT)

// The lines that follow then in versions 3 and 4, and at once in version 2.
#define CX_SCHEDULE_SUBJECT_MAP(X)                                                                                     \
    X("subject", subject, TEXT)                                                                                        \
    X("directory", directory, TEXT)                                                                                    \
    X("command", command, TEXT)                                                                                        \
    X("environment", environment, TEXT)                                                                                \
    X("digest", digest, HEXADECIMAL)

#endif
