// SPDX-License-Identifier: Apache-2.0
//
// no_threads: a program in which there is nothing to explore.
#include <stdio.h>

int main(void)
{
    puts("alone");
    return 0;
}
