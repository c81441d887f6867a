// SPDX-License-Identifier: Apache-2.0
//
// fuzz_gate_state: any bytes as the file that a gate goes on from.
//
// Property: the bytes are read or refused with a reason; what was read ends with a whole line, and can be asked.
// Input: the file.
#include "fuzz/common/input.h"

#include "harness/gate/state.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cx_gate_state state;
    struct cx_error error = {0};
    size_t whole_bytes = 0;
    memset(&state, 0, sizeof(state));
    if (cx_gate_state_parse(&state, (const char *)data, size, &whole_bytes, &error) == CX_OK) {
        FUZZ_CHECK(whole_bytes > 0 && whole_bytes <= size && data[whole_bytes - 1] == '\n');
        uint64_t results = json_array_size(state.results);
        uint64_t counted = 0;
        for (int verdict = 0; verdict < CX_GATE_VERDICTS; verdict++) {
            counted += cx_gate_state_count(&state, (enum cx_gate_verdict)verdict);
        }
        FUZZ_CHECK(counted <= results);
        FUZZ_CHECK(!cx_gate_state_have(&state, "x/none", "3.14.7-ft-debug", "3.14.7-gil-debug") || results > 0);
        FUZZ_CHECK(cx_gate_state_spent_ns(&state) == 0 || results > 0);
    } else {
        FUZZ_CHECK(error.text[0] != '\0');
    }
    cx_gate_state_close(&state);
    return 0;
}
