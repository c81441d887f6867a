// SPDX-License-Identifier: Apache-2.0
//
// account: a transfer reads and writes both balances under two locks, an audit adds them up between.
#include "bench/corpus/corpus.h"

static pthread_mutex_t locks[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static int balances[2] = {100, 100};

static void change(int account, int amount)
{
    pthread_mutex_lock(&locks[account]);
    balances[account] += amount;
    pthread_mutex_unlock(&locks[account]);
}

static int balance(int account)
{
    pthread_mutex_lock(&locks[account]);
    int amount = balances[account];
    pthread_mutex_unlock(&locks[account]);
    return amount;
}

static pthread_mutex_t whole = PTHREAD_MUTEX_INITIALIZER;

ACTOR(transfer)
{
    lock_if_fixed(&whole);
    change(0, -10);
    change(1, 10);
    unlock_if_fixed(&whole);
}

ACTOR(audit)
{
    lock_if_fixed(&whole);
    int sum = balance(0) + balance(1);
    unlock_if_fixed(&whole);
    CX_CHECK(sum == 200);
}

CORPUS(account, CX_EXPECT_INVARIANT, "an audit in the middle of a transfer", NULL, NULL,
       {"transfer", transfer, .count = 2}, {"audit", audit});
