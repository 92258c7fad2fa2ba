#include "augment/blocks.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <vector>

// Functions that are inlined into each other have to be compiled for the same processor.
#define AVX2 __attribute__((target("avx2")))

namespace augment {
namespace {

constexpr int kBlock = 32;

bool HasAvx2() { return __builtin_cpu_supports("avx2"); }

AVX2 __m256i Load(const uint8_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

AVX2 void Store(__m256i values, uint8_t* to) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), values);
}

// The weights of a pair of values: their lower kBits bits and the rest, below 2^15.
template <int kBits>
struct PairOfWeights {
  PairOfWeights(uint32_t a, uint32_t b)
      : low(a % (1 << kBits) | b % (1 << kBits) << 16), high(a >> kBits | b >> kBits << 16) {}
  int32_t low, high;
};
template <int kBits>
struct Weights {
  AVX2 explicit Weights(const PairOfWeights<kBits>& pair)
      : low(_mm256_set1_epi32(pair.low)), high(_mm256_set1_epi32(pair.high)) {}
  __m256i low, high;
};

// Weighted sums of pairs of values.
template <int kBits>
struct Sums {
  AVX2 Sums() : low(_mm256_setzero_si256()), high(_mm256_setzero_si256()) {}
  AVX2 void Add(__m256i pairs, const Weights<kBits>& weights) {
    low = _mm256_add_epi32(low, _mm256_madd_epi16(pairs, weights.low));
    high = _mm256_add_epi32(high, _mm256_madd_epi16(pairs, weights.high));
  }
  // The sums over 2^kShift, rounded.
  template <int kShift>
  AVX2 __m256i Mean() const {
    const __m256i half = _mm256_set1_epi32(1 << (kShift - 1));
    const __m256i sum = _mm256_add_epi32(low, _mm256_slli_epi32(high, kBits));
    return _mm256_srli_epi32(_mm256_add_epi32(sum, half), kShift);
  }
  __m256i low, high;
};

// Pairs of values of two rows: one half of those of a block.
AVX2 __m256i Pairs(__m256i a, __m256i b, int half) {
  return half == 0 ? _mm256_unpacklo_epi8(a, b) : _mm256_unpackhi_epi8(a, b);
}

// kPairs: of rows; 0 if only `pairs` says it. A number that is known spares a third of the work.
template <int kPairs>
AVX2 void WeightedRow(const uint8_t* from, size_t stride,
                      const std::vector<PairOfWeights<11>>& pairs, bool is_odd, int n,
                      uint8_t* to) {
  const __m256i zero = _mm256_setzero_si256();
  const int last = (kPairs > 0 ? kPairs : static_cast<int>(pairs.size())) - 1;
  // The row after the last one of an odd number has no weight, and may not exist.
  const size_t last_stride = is_odd ? 0 : stride;
  for (int i = 0; i < n; i += kBlock) {
    const int x = std::min(i, n - kBlock);
    __m256i means[2];
    for (int half = 0; half < 2; ++half) {  // each by itself, so that its sums stay in registers
      const uint8_t* row = from + x;
      Sums<11> low, high;
      for (int pair = 0; pair <= last; ++pair, row += 2 * stride) {
        const __m256i b = Load(row + (pair < last ? stride : last_stride));
        const __m256i values = Pairs(Load(row), b, half);
        const Weights<11> weights(pairs[pair]);
        low.Add(_mm256_unpacklo_epi8(values, zero), weights);
        high.Add(_mm256_unpackhi_epi8(values, zero), weights);
      }
      means[half] = _mm256_packus_epi32(low.Mean<22>(), high.Mean<22>());
    }
    Store(_mm256_packus_epi16(means[0], means[1]), to + x);
  }
}

// 16 means of sums and edges of 16 bits.
AVX2 __m256i Means(__m256i sum, __m256i edges, const Weights<12>& weights) {
  Sums<12> low, high;
  low.Add(_mm256_unpacklo_epi16(sum, edges), weights);
  high.Add(_mm256_unpackhi_epi16(sum, edges), weights);
  return _mm256_packus_epi32(low.Mean<24>(), high.Mean<24>());
}

template <int kWhole>
AVX2 void BlurRow(const uint8_t* from, ptrdiff_t step, int n, uint32_t inner, uint32_t outer,
                  uint8_t* to) {
  constexpr int kEdge = kWhole + 1;
  const Weights<12> weights(PairOfWeights<12>(inner, outer));
  const __m256i zero = _mm256_setzero_si256();
  for (int i = 0; i < n; i += kBlock) {
    const int x = std::min(i, n - kBlock);
    const uint8_t* p = from + x;
    const __m256i before = Load(p - kEdge * step), after = Load(p + kEdge * step), value = Load(p);
    __m256i low = _mm256_unpacklo_epi8(value, zero), high = _mm256_unpackhi_epi8(value, zero);
    for (int k = 1; k <= kWhole; ++k) {
      const __m256i a = Load(p - k * step), b = Load(p + k * step);
      low = _mm256_add_epi16(
          low, _mm256_add_epi16(_mm256_unpacklo_epi8(a, zero), _mm256_unpacklo_epi8(b, zero)));
      high = _mm256_add_epi16(
          high, _mm256_add_epi16(_mm256_unpackhi_epi8(a, zero), _mm256_unpackhi_epi8(b, zero)));
    }
    const __m256i low_edges =
        _mm256_add_epi16(_mm256_unpacklo_epi8(before, zero), _mm256_unpacklo_epi8(after, zero));
    const __m256i high_edges =
        _mm256_add_epi16(_mm256_unpackhi_epi8(before, zero), _mm256_unpackhi_epi8(after, zero));
    Store(_mm256_packus_epi16(Means(low, low_edges, weights), Means(high, high_edges, weights)),
          to + x);
  }
}

}  // namespace

bool WeightedBlocks(const uint8_t* from, size_t stride, const int32_t* weights, int taps, int n,
                    uint8_t* to) {
  if (n < kBlock || !HasAvx2()) return false;
  thread_local std::vector<PairOfWeights<11>> pairs;
  pairs.clear();
  for (int i = 0; i < taps; i += 2)
    pairs.emplace_back(weights[i], i + 1 < taps ? weights[i + 1] : 0);
  const auto row = pairs.size() == 1   ? WeightedRow<1>
                   : pairs.size() == 2 ? WeightedRow<2>
                                       : WeightedRow<0>;
  row(from, stride, pairs, taps % 2 == 1, n, to);
  return true;
}

bool BlurBlocks(const uint8_t* from, ptrdiff_t step, int n, int whole, uint32_t inner,
                uint32_t outer, uint8_t* to) {
  if (n < kBlock || !HasAvx2()) return false;
  (whole == 0 ? BlurRow<0> : BlurRow<1>)(from, step, n, inner, outer, to);
  return true;
}

}  // namespace augment
#else
namespace augment {

bool WeightedBlocks(const uint8_t*, size_t, const int32_t*, int, int, uint8_t*) { return false; }
bool BlurBlocks(const uint8_t*, ptrdiff_t, int, int, uint32_t, uint32_t, uint8_t*) { return false; }

}  // namespace augment
#endif
