// SPDX-License-Identifier: Apache-2.0
//
// audit: the sum of both accounts, read beside a transfer that is half done.
#include "account.h"

int account_audit(void)
{
    return account_balance(0) + account_balance(1) - 20;
}
