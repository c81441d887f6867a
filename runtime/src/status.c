// SPDX-License-Identifier: Apache-2.0
//
// status: names and sentences of enum pyrt_status, from its map and from nothing else.
#include "pyrt/status.h"

#define PYRT_NAME(enumerator, value, name, sentence)                                                                   \
    case enumerator:                                                                                                   \
        return name;
#define PYRT_SENTENCE(enumerator, value, name, sentence)                                                               \
    case enumerator:                                                                                                   \
        return sentence;

const char *pyrt_status_name(enum pyrt_status status)
{
    switch (status) {
        PYRT_STATUS_MAP(PYRT_NAME)
    }
    return "?";
}

const char *pyrt_status_text(enum pyrt_status status)
{
    switch (status) {
        PYRT_STATUS_MAP(PYRT_SENTENCE)
    }
    return "?";
}
