// SPDX-License-Identifier: Apache-2.0
//
// sanitizers: which detectors the program is linked with, 1 or 0. cmake/runner and cmake/subject say so; what is built
// without a word of them has none.
#ifndef CX_SANITIZERS_H
#define CX_SANITIZERS_H

#ifndef CX_ASAN
#define CX_ASAN 0
#endif
#ifndef CX_TSAN
#define CX_TSAN 0
#endif

#endif
