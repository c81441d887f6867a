# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The recipe of a target: what decides the bytes of its libpython. Sourced by tools/cpython-build.
#
# The hash of this file and of sysconfigdata.py, without comments, is part of every target's key: an edit here rebuilds
# all targets (a few minutes each). What does not change a target's contents belongs in tools/cpython-build. Lines that
# end in "# release" or "# asan" are part of the key of such targets only.

# Modules that no scenario needs, or that would tie a target to what happens to be installed (_decimal: 3.15 has no
# libmpdec of its own any more; decimal works without it).
readonly RECIPE_MODULES_LEFT_OUT="
    _tkinter _curses _curses_panel readline _ssl _hashlib _sqlite3 _dbm _gdbm _uuid _zstd nis _crypt _decimal
    _remote_debugging
    _codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _multibytecodec
    _testcapi _testinternalcapi _testlimitedcapi _testclinic _testclinic_limited _testbuffer _testmultiphase
    _testsinglephase _testimportmultiple _testexternalinspection _xxtestfuzz _ctypes_test
    xxsubtype xxlimited xxlimited_35 xxlimited_3_13"

# Modules that a target must have: the check of a finished target imports each.
readonly RECIPE_MODULES_REQUIRED="
    _asyncio _bisect _bz2 _contextvars _csv _ctypes _datetime _elementtree _heapq _interpchannels
    _interpqueues _interpreters _json _lzma _md5 _pickle _posixshmem _posixsubprocess _queue _random _sha1 _sha2 _sha3
    _socket _struct _zoneinfo array binascii fcntl math mmap pyexpat resource select unicodedata zlib
    asyncio concurrent.futures ctypes json multiprocessing threading queue weakref"

# Frames must be walkable at every point: the harness walks frame pointers of blocked threads.
readonly RECIPE_FRAME_FLAGS="-fno-omit-frame-pointer -mno-omit-leaf-frame-pointer"

# Debug targets: only atomic operations become calls (of __tsan_atomic*), nothing else is instrumented.
readonly RECIPE_ATOMICS_FLAGS="-fsanitize=thread -mllvm -tsan-instrument-memory-accesses=0\
 -mllvm -tsan-instrument-func-entry-exit=0 -mllvm -tsan-instrument-memintrinsics=0"
readonly RECIPE_TSAN_FLAGS="-fsanitize=thread"
# AddressSanitizer, UndefinedBehaviorSanitizer, a counter for each edge, and atomic operations as in debug targets. The
# driver refuses two sanitizers, for both bring a shadow; the pass that makes calls of atomic operations has none. Calls
# through pointers of another type are left alone: CPython's method tables are full of them.
readonly RECIPE_ASAN_FLAGS="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=function" # asan

# recipe_cflags BUILD: what the code of a target, and all code that is linked with it, is compiled with.
recipe_cflags()
{
    case $1 in
        *-debug) echo "$RECIPE_ATOMICS_FLAGS $RECIPE_FRAME_FLAGS" ;;
        *-tsan) echo "$RECIPE_TSAN_FLAGS $RECIPE_FRAME_FLAGS" ;;
        *-asan) echo "$RECIPE_ASAN_FLAGS -Xclang $RECIPE_ATOMICS_FLAGS $RECIPE_FRAME_FLAGS" ;; # asan
        *-release) echo "-O3 -DNDEBUG" ;; # release
    esac
}

# recipe_configure BUILD SOURCE: run in an empty build folder that may hold a config.cache of the same environment.
# No compiler flags here: the cache is refused when they differ, and configure's programs would need the stub.
recipe_configure()
{
    local build=$1 source=$2 module
    local -a options=(-C --without-ensurepip --disable-test-modules --with-pydebug)
    case $build in *-release) unset 'options[-1]' ;; esac # release
    case $build in ft-*) options+=(--disable-gil) ;; esac
    case $build in *-tsan) options+=(--with-thread-sanitizer) ;; esac
    case $build in gil-asan) options+=(--without-pymalloc) ;; esac # asan
    for module in $RECIPE_MODULES_LEFT_OUT; do
        export "py_cv_module_$module=n/a"
    done
    export MODULE_BUILDTYPE=static CC="$CONSTRICTOR_CC" AR="$CONSTRICTOR_AR" RANLIB="$CONSTRICTOR_RANLIB"
    unset CFLAGS CPPFLAGS LDFLAGS LIBS CONFIG_SITE PYTHONHOME PYTHONPATH
    "$source/configure" "${options[@]}"
}

# recipe_variable NAME: prints a variable of the configured Makefile, expanded.
recipe_variable()
{
    printf 'include Makefile\nrecipe-print:\n\t@echo $(%s)\n' "$1" | make -s -f - recipe-print
}

# recipe_archives: the archives inside the build folder that libpython needs (hash functions, expat).
recipe_archives()
{
    recipe_variable MODLIBS | tr ' ' '\n' | grep '\.a$' | sort -u
}

# recipe_link_args: what a program that links libpython.a needs after it.
recipe_link_args()
{
    recipe_variable 'MODLIBS) $(LIBS) $(SYSLIBS' | tr ' ' '\n' | grep -v '\.a$' | awk 'NF && !seen[$0]++'
}

# recipe_make BUILD SOURCE TARGET STUB [MAKE-OPTION...]: compiles everything that libpython.a needs, in the configured
# folder. Assertions name their file relative to SOURCE, so that findings read alike on all machines; debug information
# names the absolute one, and generated files as if they were in TARGET.
recipe_make()
{
    local build=$1 source=$2 target=$3 stub=$4 ldflags=
    shift 4
    case $build in *-debug) ldflags=$stub ;; esac
    case $build in *-asan) ldflags="$stub -fsanitize=address,undefined" ;; esac # asan
    export ASAN_OPTIONS=detect_leaks=0 # asan
    # Bootstrap programs of a TSan target run under TSan, and may leak and race as they like. The date goes into
    # sys.version: a fixed one makes equal builds equal.
    # shellcheck disable=SC2046
    SOURCE_DATE_EPOCH=315532800 TSAN_OPTIONS="exitcode=0 report_bugs=0 report_thread_leaks=0" \
        make "$@" OPT="-O2 -g -Wall" LDFLAGS_NODIST="$ldflags" \
        EXTRA_CFLAGS="$(recipe_cflags "$build") -fdebug-prefix-map=$PWD=$target -fmacro-prefix-map=$source/=" \
        $(recipe_variable LIBRARY) $(recipe_archives)
}

# recipe_package SOURCE TARGET: fills the target folder from the built folder.
recipe_package()
{
    local source=$1 target=$2 archive library
    library=$(recipe_variable LIBRARY)
    {
        echo "create $target/libpython.a"
        for archive in "$library" $(recipe_archives); do
            echo "addlib $archive"
        done
        echo save
        echo end
    } >merge.mri
    "$CONSTRICTOR_AR" -M <merge.mri
    mkdir "$target/include"
    cp -r "$source/Include/." "$target/include"
    cp pyconfig.h "$target/include/pyconfig.h"
    recipe_link_args >"$target/link_args"
}
