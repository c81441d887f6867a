// SPDX-License-Identifier: Apache-2.0
//
// fuzz_known_file: any bytes as a list of known defects.
//
// Property: the bytes are read or refused with a reason; a list that was read can be asked for any finding, and what it
// answers is one of its entries.
// Input: the file.
#include "fuzz/common/input.h"

#include "harness/exec/known.h"

#include <stdlib.h>
#include <string.h>

static const char *const targets[] = {"3.13.5-gil-debug", "3.14.7-ft-debug", "3.14.7-ft-tsan", "3.15.0rc2-ft-debug",
                                      "plain"};
static const char *const scenarios[] = {"finalize/attach_new_thread", "critical/nested_same_pair", "plain/livelock"};
static const char *const signatures[] = {"crash SIGSEGV in _Py_qsbr_register [0123456789ab]",
                                         "assertion \"tstate != NULL\" in PyThreadState_Clear [0123456789ab]", ""};
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void known_ask(const struct cx_known *known, const char *target)
{
    struct cx_scenario_info infos[COUNT(scenarios)];
    struct cx_error error = {0};
    memset(infos, 0, sizeof(infos));
    for (size_t i = 0; i < COUNT(scenarios); i++) {
        memcpy(infos[i].name, scenarios[i], strlen(scenarios[i]));
        for (size_t k = 0; k < COUNT(signatures); k++) {
            struct cx_known_match match = cx_known_find(known, target, scenarios[i], signatures[k]);
            FUZZ_CHECK(match.entry == NULL ||
                       (match.entry >= known->entries && match.entry < known->entries + known->count));
            const struct cx_known_place *place =
                match.entry != NULL ? cx_known_place(match.entry, target, scenarios[i]) : NULL;
            FUZZ_CHECK(match.entry == NULL || match.regressed || place != NULL);
            FUZZ_CHECK(place == NULL || cx_known_missed(place, 100) == 0 || place->rate > 0);
        }
    }
    if (cx_known_check(known, target, infos, COUNT(scenarios), &error) != CX_OK) {
        FUZZ_CHECK(error.text[0] != '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cx_names buildable = {0};
    struct cx_known known;
    struct cx_error error = {0};
    for (size_t i = 0; i < COUNT(targets); i++) {
        cx_names_append(&buildable, targets[i]);
    }
    if (cx_known_parse(&known, (const char *)data, size, &buildable, &error) != CX_OK) {
        FUZZ_CHECK(error.text[0] != '\0' && known.count == 0 && known.root == NULL);
    } else {
        for (size_t i = 0; i < COUNT(targets); i++) {
            known_ask(&known, targets[i]);
        }
        cx_known_fini(&known);
    }
    cx_names_fini(&buildable);
    return 0;
}
