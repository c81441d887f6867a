// SPDX-License-Identifier: Apache-2.0
//
// cmd_merge: `constrictor merge OUT IN...`: join the stores of several campaigns, or of the shards of one.
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>

#include "harness/command.h"
#include "harness/names.h"
#include "harness/store/store.h"

static char doc[] =
    "Join the results of several campaigns, or of the shards of one, into one store."
    "\vOUT is made if it does not exist, and keeps what it has. Neither the order of the stores nor how often one "
    "is named makes a difference. A store that cannot be taken leaves OUT as the stores before it made it.";
static char arguments_doc[] = "OUT IN...";

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    if (key != ARGP_KEY_ARG) {
        return ARGP_ERR_UNKNOWN;
    }
    cx_names_append(state->input, argument);
    return 0;
}

enum cx_exit cx_cmd_merge(int argc, char **argv)
{
    static const struct argp argp = {NULL, option_parse, arguments_doc, doc, NULL, NULL, NULL};
    struct cx_names paths = {0};
    struct cx_error error = {0};
    struct cx_store store;
    argp_parse(&argp, argc, argv, 0, NULL, &paths);
    if (paths.count < 2) {
        cx_error_set(&error, CX_ERR_USAGE, "name the store that is to hold everything, and those to take from");
        cx_command_usage("merge", &error);
    }
    enum cx_status status = cx_store_open(&store, paths.list[0], CX_STORE_WRITE, &error);
    for (size_t i = 1; i < paths.count && status == CX_OK; i++) {
        status = cx_store_merge(&store, paths.list[i], &error);
    }
    if (status == CX_OK) {
        printf("%s: %" PRId64 " sessions, %" PRId64 " runs, %" PRId64 " findings\n", paths.list[0],
               cx_store_number(&store, "SELECT count(*) FROM session"),
               cx_store_number(&store, "SELECT sum(runs) FROM exploration"),
               cx_store_number(&store, "SELECT count(*) FROM finding"));
        json_t *open = cx_store_shards_open(&store);
        size_t i;
        json_t *each;
        json_array_foreach(open, i, each) // so that nobody takes a part for the whole
        {
            fprintf(stderr, "constrictor: %s\n", json_string_value(each));
        }
        json_decref(open);
    }
    struct cx_error closing;
    enum cx_status closed = cx_store_close(&store, status == CX_OK ? &error : &closing);
    cx_names_fini(&paths);
    status = status != CX_OK ? status : closed;
    return status == CX_OK ? CX_EXIT_OK : cx_command_fail(status, &error);
}
