// SPDX-License-Identifier: Apache-2.0
//
// real: the functions behind the ones that we define ourselves.
//
// Our interposers are strong definitions in the runner's executable, so every call of the program comes to us. What
// they forward to depends on the build: libc's function, or in a ThreadSanitizer build that runtime's interceptor
// (__interceptor_NAME), without which the detector would lose the happens-before edges. Two files define cx_real:
// real_libc.c and real_tsan.c; exactly one is linked. A function that ThreadSanitizer does not intercept is libc's in
// both, and our caller announces the edge with cx_real.acquire and cx_real.release.
#ifndef CX_REAL_H
#define CX_REAL_H

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>

// X(result, name, parameters): intercepted by ThreadSanitizer too.
#define CX_REAL_SANITIZED_MAP(X)                                                                                       \
    X(int, pthread_create, (pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))                           \
    X(int, pthread_join, (pthread_t, void **))                                                                         \
    X(int, pthread_tryjoin_np, (pthread_t, void **))                                                                   \
    X(int, pthread_timedjoin_np, (pthread_t, void **, const struct timespec *))                                        \
    X(int, pthread_detach, (pthread_t))                                                                                \
    X(int, pthread_mutex_lock, (pthread_mutex_t *))                                                                    \
    X(int, pthread_mutex_trylock, (pthread_mutex_t *))                                                                 \
    X(int, pthread_mutex_timedlock, (pthread_mutex_t *, const struct timespec *))                                      \
    X(int, pthread_mutex_clocklock, (pthread_mutex_t *, clockid_t, const struct timespec *))                           \
    X(int, pthread_mutex_unlock, (pthread_mutex_t *))                                                                  \
    X(int, pthread_cond_wait, (pthread_cond_t *, pthread_mutex_t *))                                                   \
    X(int, pthread_cond_timedwait, (pthread_cond_t *, pthread_mutex_t *, const struct timespec *))                     \
    X(int, pthread_cond_clockwait, (pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *))          \
    X(int, pthread_cond_init, (pthread_cond_t *, const pthread_condattr_t *))                                          \
    X(int, pthread_cond_destroy, (pthread_cond_t *))                                                                   \
    X(int, pthread_cond_signal, (pthread_cond_t *))                                                                    \
    X(int, pthread_cond_broadcast, (pthread_cond_t *))                                                                 \
    X(int, pthread_rwlock_rdlock, (pthread_rwlock_t *))                                                                \
    X(int, pthread_rwlock_tryrdlock, (pthread_rwlock_t *))                                                             \
    X(int, pthread_rwlock_timedrdlock, (pthread_rwlock_t *, const struct timespec *))                                  \
    X(int, pthread_rwlock_wrlock, (pthread_rwlock_t *))                                                                \
    X(int, pthread_rwlock_trywrlock, (pthread_rwlock_t *))                                                             \
    X(int, pthread_rwlock_timedwrlock, (pthread_rwlock_t *, const struct timespec *))                                  \
    X(int, pthread_rwlock_unlock, (pthread_rwlock_t *))                                                                \
    X(int, pthread_spin_lock, (pthread_spinlock_t *))                                                                  \
    X(int, pthread_spin_trylock, (pthread_spinlock_t *))                                                               \
    X(int, pthread_spin_unlock, (pthread_spinlock_t *))                                                                \
    X(int, pthread_barrier_init, (pthread_barrier_t *, const pthread_barrierattr_t *, unsigned))                       \
    X(int, pthread_barrier_destroy, (pthread_barrier_t *))                                                             \
    X(int, pthread_barrier_wait, (pthread_barrier_t *))                                                                \
    X(int, pthread_once, (pthread_once_t *, void (*)(void)))                                                           \
    X(int, sem_wait, (sem_t *))                                                                                        \
    X(int, sem_trywait, (sem_t *))                                                                                     \
    X(int, sem_timedwait, (sem_t *, const struct timespec *))                                                          \
    X(int, sem_post, (sem_t *))                                                                                        \
    X(unsigned, sleep, (unsigned))                                                                                     \
    X(int, usleep, (useconds_t))                                                                                       \
    X(int, nanosleep, (const struct timespec *, struct timespec *))                                                    \
    X(pid_t, fork, (void))                                                                                             \
    X(int, epoll_wait, (int, struct epoll_event *, int, int))                                                          \
    X(int, epoll_pwait, (int, struct epoll_event *, int, int, const sigset_t *))                                       \
    X(ssize_t, read, (int, void *, size_t))                                                                            \
    X(ssize_t, readv, (int, const struct iovec *, int))                                                                \
    X(ssize_t, write, (int, const void *, size_t))                                                                     \
    X(ssize_t, writev, (int, const struct iovec *, int))                                                               \
    X(ssize_t, recv, (int, void *, size_t, int))                                                                       \
    X(ssize_t, recvfrom, (int, void *, size_t, int, struct sockaddr *, socklen_t *))                                   \
    X(ssize_t, recvmsg, (int, struct msghdr *, int))                                                                   \
    X(ssize_t, send, (int, const void *, size_t, int))                                                                 \
    X(ssize_t, sendto, (int, const void *, size_t, int, const struct sockaddr *, socklen_t))                           \
    X(ssize_t, sendmsg, (int, const struct msghdr *, int))                                                             \
    X(int, accept, (int, struct sockaddr *, socklen_t *))                                                              \
    X(int, accept4, (int, struct sockaddr *, socklen_t *, int))                                                        \
    X(int, connect, (int, const struct sockaddr *, socklen_t))                                                         \
    X(int, close, (int))                                                                                               \
    X(pid_t, wait4, (pid_t, int *, int, struct rusage *))                                                              \
    X(int, clock_gettime, (clockid_t, struct timespec *))

// The same, known to libc alone.
#define CX_REAL_LIBC_MAP(X)                                                                                            \
    X(FILE *, fopen64, (const char *, const char *))                                                                   \
    X(int, getloadavg, (double *, int))                                                                                \
    X(int, pthread_clockjoin_np, (pthread_t, void **, clockid_t, const struct timespec *))                             \
    X(int, pthread_rwlock_clockrdlock, (pthread_rwlock_t *, clockid_t, const struct timespec *))                       \
    X(int, pthread_rwlock_clockwrlock, (pthread_rwlock_t *, clockid_t, const struct timespec *))                       \
    X(int, pthread_key_create, (pthread_key_t *, void (*)(void *)))                                                    \
    X(int, pthread_key_delete, (pthread_key_t))                                                                        \
    X(int, pthread_setspecific, (pthread_key_t, const void *))                                                         \
    X(int, sem_clockwait, (sem_t *, clockid_t, const struct timespec *))                                               \
    X(int, sched_yield, (void))                                                                                        \
    X(int, pause, (void))                                                                                              \
    X(int, clock_nanosleep, (clockid_t, int, const struct timespec *, struct timespec *))                              \
    X(int, gettimeofday, (struct timeval *, void *))                                                                   \
    X(time_t, time, (time_t *))                                                                                        \
    X(ssize_t, getrandom, (void *, size_t, unsigned))                                                                  \
    X(int, poll, (struct pollfd *, nfds_t, int))                                                                       \
    X(int, ppoll, (struct pollfd *, nfds_t, const struct timespec *, const sigset_t *))                                \
    X(int, pselect, (int, fd_set *, fd_set *, fd_set *, const struct timespec *, const sigset_t *))                    \
    X(int, shutdown, (int, int))                                                                                       \
    X(int, select, (int, fd_set *, fd_set *, fd_set *, struct timeval *))

#define CX_REAL_FIELD(result, name, parameters) result(*name) parameters;
struct cx_real {
    CX_REAL_SANITIZED_MAP(CX_REAL_FIELD)
    CX_REAL_LIBC_MAP(CX_REAL_FIELD)
    void (*acquire)(void *address); // tell the detector: what was released at `address` happened before this
    void (*release)(void *address);
    void (*vary)(uint64_t seed); // let the detector forget other accesses than under another seed
    int loaded;
};
#undef CX_REAL_FIELD
extern struct cx_real cx_real; // const after cx_real_load

// Fill cx_real. Idempotent; called by a constructor, and by interposers that run before it.
void cx_real_load(void);

// The function of libc with this name. Stops the process if there is none.
void *cx_real_libc(const char *name);

// Before a thread runs: its alternate signal stack (harness/detect/crash.c).
void cx_crash_thread_init(unsigned index);

#endif
