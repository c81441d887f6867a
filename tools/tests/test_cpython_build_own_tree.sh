#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A core developer's own git tree: what is built is a snapshot with the uncommitted edits and without the traces of a
# build in the tree; the tree is not written to; another edit is another snapshot.
. "$(dirname "$0")/lib.sh"
use_distfiles 3.14.7
command -v git >/dev/null || skip "no git"

tree=$work/tree
mkdir "$tree"
tar -xf "$CONSTRICTOR_DISTFILES/Python-3.14.7.tar.xz" -C "$tree" --strip-components=1 \
    --exclude='*/Lib' --exclude='*/Doc' --exclude='*/PCbuild'
printf '/Makefile\n/pyconfig.h\n/Python/frozen_modules/*.h\n' >"$tree/.gitignore"
git -C "$tree" init -q
git -C "$tree" add -A
git -C "$tree" -c user.name=test -c user.email=test@example.invalid commit -q -m start
echo "all: ; false" >"$tree/Makefile"
echo "#error built in the tree" >"$tree/pyconfig.h"
mkdir -p "$tree/Python/frozen_modules"
echo "#error stale" >"$tree/Python/frozen_modules/abc.h"
echo "// an edit" >>"$tree/Python/ceval.c"
echo "// a new file" >"$tree/Python/brand_new.c"
rm "$tree/Misc/indent.pro"
before=$(cd "$tree" && find . -type f -printf '%p %T@ %s\n' | sort | sha256sum)

configure_started() { [ -s "$CONSTRICTOR_CACHE/targets/.tmp-mine/build/config.log" ]; }

# build_a_bit: as far as configure.
build_a_bit()
{
    start --name mine --source "$tree" --build ft-debug
    wait_until "configure" configure_started
    stop TERM
    expect_nothing_left
}

build_a_bit
expect_line "taking a snapshot of $tree"
snapshot=$(echo "$CONSTRICTOR_CACHE"/src/own-*)
[ -d "$snapshot" ] || fail "no snapshot, or more than one: $snapshot"
tail -n 1 "$snapshot/Python/ceval.c" | grep -q "an edit" || fail "the edit is missing"
[ -f "$snapshot/Python/brand_new.c" ] || fail "the new file is missing"
for absent in Makefile pyconfig.h Python/frozen_modules/abc.h Misc/indent.pro .git; do
    [ ! -e "$snapshot/$absent" ] || fail "$absent is in the snapshot"
done
# index.lock and the like: git may refresh its own index, the files of the tree are what counts.
[ "$before" = "$(cd "$tree" && find . -type f -printf '%p %T@ %s\n' | sort | sha256sum)" ] || fail "the tree was written to"

build_a_bit
! grep -q "taking a snapshot" "$work/stderr" || fail "an unchanged tree was copied again"
echo "// another edit" >>"$tree/Python/ceval.c"
build_a_bit
expect_line "taking a snapshot of $tree"

# The same tree without git: the traces of a build are known by name.
rm -rf "$tree/.git"
build_a_bit
for folder in "$CONSTRICTOR_CACHE"/src/own-*; do
    [ ! -e "$folder/Makefile" ] && [ ! -e "$folder/Python/frozen_modules/abc.h" ] || fail "$folder has traces of a build"
done
