// SPDX-License-Identifier: Apache-2.0
//
// beat: how a soak shows that it lives: heartbeat.json, which is replaced as a whole, and a Unix socket, status.sock,
// that answers everybody who connects with the same object and closes. And the lock by which one folder has one soak.
// docs/soak.md documents the object.
#ifndef CX_SOAK_BEAT_H
#define CX_SOAK_BEAT_H

#include <jansson.h>
#include <stdint.h>

#include "harness/status.h"

#define CX_BEAT_NAME "heartbeat.json"
#define CX_BEAT_SOCKET "status.sock"

struct cx_beat {
    int folder_fd; // locked; -1: none
    int listen_fd; // -1: none
};

// Lock the folder and listen. CX_ERR_ENVIRONMENT: another soak has it. The caller closes in every case.
enum cx_status cx_beat_open(struct cx_beat *beat, const char *folder, struct cx_error *error);
void cx_beat_close(struct cx_beat *beat);

// Replace the heartbeat file; drops the reference.
enum cx_status cx_beat_write(const struct cx_beat *beat, json_t *object, struct cx_error *error);

// Answer those that wait, if there are any. Blocks: no.
void cx_beat_serve(const struct cx_beat *beat, json_t *(*object)(void *context), void *context);

// Print what the soak of a folder says of itself, or, when none runs there, its last heartbeat: `*alive`.
enum cx_status cx_beat_ask(const char *folder, int *alive, struct cx_error *error);

#endif
