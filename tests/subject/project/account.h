// SPDX-License-Identifier: Apache-2.0
//
// account: two accounts and transfers between them.
#ifndef CX_TESTS_ACCOUNT_H
#define CX_TESTS_ACCOUNT_H

// Move one unit from `from` to `to`, in two atomic steps.
void account_transfer(int from, int to);
// What is in both together; 0 if it is what was there at first.
int account_audit(void);
// What is in one of them.
int account_balance(int index);

#endif
