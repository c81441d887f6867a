# Sources of the runner side of the harness. Compiled without any sanitizer: neither ThreadSanitizer nor our own
# atomics may see the scheduler (harness/sched/handoff.c says why).
#
# Out: CONSTRICTOR_SCHED_SOURCES       scheduler, interposers, detectors; no main, no host
#      CONSTRICTOR_SCHED_LIBC_SOURCES  what is added without ThreadSanitizer
#      CONSTRICTOR_SCHED_TSAN_SOURCES  what is added with it
#      CONSTRICTOR_SCHED_ASAN_SOURCES  what is added to that of SCHED_LIBC with AddressSanitizer
#      CONSTRICTOR_SERVE_SOURCES       the dialogue with the command, and playing in general
#      CONSTRICTOR_RUNNER_SOURCES      the main of a runner of scenarios and what it needs besides a host
#      CONSTRICTOR_PROGRAM_SOURCES     what makes a program a runner of itself
set(_root ${CMAKE_CURRENT_LIST_DIR}/../harness)
set(CONSTRICTOR_SCHED_SOURCES
    outcome.c exec/channel.c detect/drift.c
    sched/choose.c sched/core.c sched/fiber.c sched/finish.c sched/handoff.c sched/locks.c sched/pairs.c sched/poll.c
    sched/priority.c sched/record.c sched/segment.c sched/strategy_delay.c sched/strategy_fresh.c sched/strategy_hold.c
    sched/strategy_pct.c sched/strategy_pos.c sched/strategy_race.c sched/strategy_random.c sched/strategy_replay.c
    sched/strategy_surw.c sched/thread.c sched/wake.c
    detect/blocked.c detect/crash.c detect/native_threads.c detect/stack.c detect/tasks.c detect/unwind.c
    detect/watch.c
    interpose/access.c interpose/await.c interpose/barrier.c interpose/blocking.c interpose/c11.c interpose/cond.c
    interpose/entropy.c interpose/exec.c interpose/family.c interpose/futex.c interpose/itimer.c interpose/load.c
    interpose/mutex.c interpose/process.c interpose/rwlock.c interpose/semaphore.c interpose/shared.c
    interpose/signal.c interpose/signal_send.c interpose/signal_wait.c interpose/spin.c interpose/stream.c
    interpose/thread.c interpose/time.c
)
set(CONSTRICTOR_SCHED_LIBC_SOURCES interpose/real_libc.c interpose/access_own.c interpose/atexit.c interpose/atomics.c
    interpose/fifo.c interpose/filelock.c interpose/stdio.c)
set(CONSTRICTOR_SCHED_TSAN_SOURCES interpose/real_tsan.c interpose/access_tsan.c interpose/atomics_tsan.c
    detect/race_tsan.c)
set(CONSTRICTOR_SCHED_ASAN_SOURCES detect/edges.c detect/report_asan.c)
set(CONSTRICTOR_SERVE_SOURCES host/again.c host/begin.c host/identity.c host/resident.c host/rewind.c host/serve.c
    host/subject.c)
set(CONSTRICTOR_RUNNER_SOURCES host/play.c host/runner.c host/table.c)
set(CONSTRICTOR_PROGRAM_SOURCES host/host_plain.c host/program.c)
foreach(_list SCHED SCHED_LIBC SCHED_TSAN SCHED_ASAN SERVE RUNNER PROGRAM)
    list(TRANSFORM CONSTRICTOR_${_list}_SOURCES PREPEND ${_root}/)
endforeach()

# The warnings that everything of ours is compiled with.
set(CONSTRICTOR_WARNINGS -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-declarations)
# -O2 with frame pointers: stacks are walked by them (harness/detect/stack.h).
set(CONSTRICTOR_HARNESS_FLAGS -O2 -g -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer -fno-optimize-sibling-calls)
