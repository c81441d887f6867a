// SPDX-License-Identifier: Apache-2.0
//
// subject: see subject.h.
//
// A program may leave from main, by exit() in any thread, by _exit(), or with its last thread. Its atexit handlers and
// destructors run under control, beside threads that have not ended: the run is over with the last of our own, which
// the linker puts after those of the program.
#include "harness/host/subject.h"

#include "harness/host/again.h"
#include "harness/host/run.h"
#include "harness/interpose/family.h"
#include "harness/interpose/real.h"
#include "harness/sched/sched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int exit_begun;         // scheduler token
static int exit_status;        // scheduler token
static const void *exit_frame; // scheduler token: who called exit(); its frames stay while handlers run
static char note[300];         // scheduler token
static int note_depth;         // scheduler token: of the process that it is about

void cx_subject_describe(struct cx_channel *channel)
{
    struct cx_scenario_info *info = &channel->scenarios[0];
    memset(info, 0, sizeof(*info));
    snprintf(info->name, sizeof(info->name), "%s", channel->subject.name);
    snprintf(info->summary, sizeof(info->summary), "%s", channel->subject.words);
    info->applicable = 1;
    info->steps_max = CX_STEPS_MAX_DEFAULT;
    info->wall_ms_max = CX_WALL_MS_MAX_DEFAULT;
    channel->scenarios_count = 1;
}

static void remember(int status, void *argument)
{
    (void)argument;
    exit_begun = 1;
    exit_status = status;
}

void cx_subject_begin(void)
{
    on_exit(remember, NULL);
}

void cx_subject_note(const char *text)
{
    if (note[0] == '\0' || note_depth != cx_family_depth()) {
        snprintf(note, sizeof(note), "%s", text);
        note_depth = cx_family_depth();
    }
}

void cx_subject_end(int status)
{
    char text[400];
    if (note_depth != cx_family_depth()) {
        note[0] = '\0';
    }
    if (cx_family_is_child() && note[0] == '\0') {
        cx_family_leave(status & 0xff);
    }
    if ((status & 0xff) == 0 && note[0] == '\0') {
        cx_finish(CX_OUTCOME_PASS, "", "");
    }
    snprintf(text, sizeof(text), "%d%s%s", status & 0xff, note[0] != '\0' ? ": " : "", note);
    cx_finish_at(CX_OUTCOME_EXIT, text, "", 0, exit_frame != NULL ? exit_frame : __builtin_frame_address(0));
}

void exit(int status)
{
    void (*real_exit)(int) = cx_real_libc("exit");
    cx_again_exit(status);
    exit_frame = __builtin_frame_address(0);
    real_exit(status);
    cx_leave(status);
}

__attribute__((destructor(101))) static void process_ends(void)
{
    if (cx_playing && exit_begun) {
        fflush(NULL);
        cx_subject_end(exit_status);
    }
}

void _exit(int status)
{
    if (cx_playing && (cx_sched.channel->subject.kind != CX_SUBJECT_NONE || cx_family_is_child())) {
        exit_frame = __builtin_frame_address(0);
        cx_subject_end(status);
    }
    cx_leave(status);
}

void _Exit(int status)
{
    _exit(status);
}
