// FOR_EACH_CPU before a function has it compiled for SSE2, AVX2 and AVX-512, of which the program
// takes what the CPU has: loops of plain arithmetic are made SIMD by the compiler. What such a
// function calls is compiled so too only if it is INLINED into it.
#ifndef BASE_FOR_EACH_CPU_H_
#define BASE_FOR_EACH_CPU_H_

// ThreadSanitizer is not ready when the choice is made.
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define FOR_EACH_CPU __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define FOR_EACH_CPU
#endif

#define INLINED inline __attribute__((always_inline))

#endif  // BASE_FOR_EACH_CPU_H_
