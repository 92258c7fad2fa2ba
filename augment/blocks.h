// Loops of ops.cc over values of 8 bits that use instructions of AVX2 which compilers do not choose
// by themselves: _mm256_madd_epi16 multiplies pairs of 16 bits and adds the products. Weights have
// more bits, so they are split into two numbers, which makes the results exact. Each function
// computes n values and returns true, or returns false: on other processors, and for less than 32
// values.
#ifndef AUGMENT_BLOCKS_H_
#define AUGMENT_BLOCKS_H_

#include <cstddef>
#include <cstdint>

namespace augment {

// to[x] = (sum over i < taps of weights[i] * from[i * stride + x] + 2^21) / 2^22. Weights are at
// least 0 and have a sum of at most 2^22 and a little.
bool WeightedBlocks(const uint8_t* from, size_t stride, const int32_t* weights, int taps, int n,
                    uint8_t* to);

// to[x] = (inner * S + outer * E + 2^23) / 2^24, where S is the sum of the 2 * whole + 1 values
// around from[x], which are `step` values apart, and E that of the two values beyond them. `whole`
// is 0 or 1.
bool BlurBlocks(const uint8_t* from, ptrdiff_t step, int n, int whole, uint32_t inner,
                uint32_t outer, uint8_t* to);

}  // namespace augment

#endif  // AUGMENT_BLOCKS_H_
