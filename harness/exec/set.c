// SPDX-License-Identifier: Apache-2.0
//
// set: see set.h. Open addressing, at most half full.
#include "harness/exec/set.h"

#include <stdlib.h>
#include <string.h>

#include "harness/exec/seed.h"

static size_t slot_find(const uint64_t *slots, size_t slots_count, uint64_t number)
{
    size_t at = cx_mix(number) & (slots_count - 1);
    while (slots[at] != 0 && slots[at] != number) {
        at = (at + 1) & (slots_count - 1);
    }
    return at;
}

int cx_set_add(struct cx_set *set, uint64_t number)
{
    number = number == 0 ? 1 : number;
    if ((set->count + 1) * 2 > set->slots_count) {
        size_t slots_count = set->slots_count == 0 ? 256 : set->slots_count * 2;
        uint64_t *slots = calloc(slots_count, sizeof(*slots));
        if (slots == NULL) {
            return 0;
        }
        for (size_t i = 0; i < set->slots_count; i++) {
            if (set->slots[i] != 0) {
                slots[slot_find(slots, slots_count, set->slots[i])] = set->slots[i];
            }
        }
        free(set->slots);
        set->slots = slots;
        set->slots_count = slots_count;
    }
    size_t at = slot_find(set->slots, set->slots_count, number);
    if (set->slots[at] == number) {
        return 0;
    }
    set->slots[at] = number;
    set->count++;
    return 1;
}

void cx_set_fini(struct cx_set *set)
{
    free(set->slots);
    memset(set, 0, sizeof(*set));
}
