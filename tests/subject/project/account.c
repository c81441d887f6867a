// SPDX-License-Identifier: Apache-2.0
//
// account: transfers in a shared object. Its atomic operations are points although the scheduler is in the program.
#include "account.h"

#include <stdatomic.h>

static atomic_int balances[2] = {10, 10};

void account_transfer(int from, int to)
{
    atomic_fetch_sub(&balances[from], 1);
    atomic_fetch_add(&balances[to], 1);
}

int account_balance(int index)
{
    return atomic_load(&balances[index]);
}
