// SPDX-License-Identifier: Apache-2.0
//
// corpus: what the programs of bench/corpus have in common.
//
// Each file is compiled twice, without and with CORPUS_FIXED, and gives two scenarios: corpus/NAME with the bug and
// corpus/NAME.fixed without it. Nothing but expressions over CORPUS_FIXED tells them apart. A run is a process of its
// own, so the state is static. What threads share is an atomic or belongs to a lock: every strategy sees each access.
#ifndef CX_CORPUS_H
#define CX_CORPUS_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>

#include "harness/scenario.h"

#ifdef CORPUS_FIXED
#undef CORPUS_FIXED
#define CORPUS_FIXED 1
#define CORPUS_SYMBOL(name) scenario_corpus_##name##_fixed
#else
#define CORPUS_FIXED 0
#define CORPUS_SYMBOL(name) scenario_corpus_##name
#endif

// A function of a scenario: an actor's body, setup or check.
#define ACTOR(name) static void name(struct cx_run *run __attribute__((unused)), void *memory __attribute__((unused)))
#define SETUP(name) static int name(struct cx_run *run __attribute__((unused)), void *memory __attribute__((unused)))

// The scenario `name`, which shows `kind` unless it is the corrected twin. `prepare` and `verify` may be NULL; the
// rest are its actors. In the default order, one actor after the other, every one of them passes.
#define CORPUS(name, kind, text, prepare, verify, ...)                                                                 \
    extern const struct cx_scenario CORPUS_SYMBOL(name);                                                               \
    const struct cx_scenario CORPUS_SYMBOL(name) = {                                                                   \
        .summary = text,                                                                                               \
        .builds = CX_BUILD_ANY,                                                                                        \
        .setup = prepare,                                                                                              \
        .check = verify,                                                                                               \
        .actors = {__VA_ARGS__},                                                                                       \
        .expect = CORPUS_FIXED ? CX_EXPECT_PASS : kind,                                                                \
        .tags = "corpus",                                                                                              \
    }

// The mutex that the bug left out.
static inline void lock_if_fixed(pthread_mutex_t *mutex)
{
    if (CORPUS_FIXED) {
        pthread_mutex_lock(mutex);
    }
}

static inline void unlock_if_fixed(pthread_mutex_t *mutex)
{
    if (CORPUS_FIXED) {
        pthread_mutex_unlock(mutex);
    }
}

static inline int swap_if(atomic_int *word, int expected, int desired)
{
    return atomic_compare_exchange_strong(word, &expected, desired);
}

#endif
