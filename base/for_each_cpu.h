// FOR_EACH_CPU before a function compiles it for SSE2, AVX2 and AVX-512, and the program uses the
// version that fits the CPU: the compiler vectorises loops of plain arithmetic. Functions that it
// calls are compiled in the same way only if they are INLINED.
#ifndef BASE_FOR_EACH_CPU_H_
#define BASE_FOR_EACH_CPU_H_

// ThreadSanitizer is not yet initialised when the version is chosen.
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define FOR_EACH_CPU __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define FOR_EACH_CPU
#endif

#define INLINED inline __attribute__((always_inline))

// Before a loop: no step reads what another one writes, even where pointers are equal.
#ifdef __clang__
#define INDEPENDENT_STEPS _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT_STEPS _Pragma("GCC ivdep")
#endif

#endif  // BASE_FOR_EACH_CPU_H_
