// SPDX-License-Identifier: Apache-2.0
//
// main: a transfer, and an audit beside it, whose result becomes the exit status. With an argument the audit comes
// after the transfer.
#include "account.h"

#include <pthread.h>
#include <stddef.h>

static void *transfer(void *unused)
{
    (void)unused;
    account_transfer(0, 1);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    (void)argv;
    pthread_create(&thread, NULL, transfer, NULL);
    int missing = argc > 1 ? 0 : account_audit();
    pthread_join(thread, NULL);
    if (argc > 1) {
        missing = account_audit();
    }
    return missing == 0 ? 0 : 4;
}
