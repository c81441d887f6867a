#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No tarball here and no way out: one line that says what was tried and what to do, within seconds.
. "$(dirname "$0")/lib.sh"
without_network

mkdir "$work/empty"
CONSTRICTOR_DISTFILES=$work/empty run 3.15.0rc2-ft-debug
expect_status 3
expect_last_line "error: no source for Python 3.15.0rc2: not in CONSTRICTOR_DISTFILES ($work/empty), python.org: no answer or no such file, the Debian mirror: no answer or no such file, not in the cache; put Python-3.15.0rc2.tar.xz into a folder and set CONSTRICTOR_DISTFILES to it"
expect_stdout ""
expect_nothing_left
