// TIERTWIN_WIDE before a function: compiled also for AVX2 and AVX-512, the version is chosen when the library is
// loaded.
//
// For short loops over integers, comparisons and copies only: those give the same result in every version, where sums
// of doubles would not. Not under ThreadSanitizer, which cannot run a resolver before it is initialised itself.
#pragma once

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && __GNUC__ >= 12 && !defined(__clang__) && \
    !defined(__SANITIZE_THREAD__)
#define TIERTWIN_WIDE __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define TIERTWIN_WIDE
#endif
