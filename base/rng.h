// Counter-based random numbers: a stream depends only on its key, not on what was drawn before.
//
// Crops, orders and shuffles are keyed by what they belong to (seed, epoch, sample, view). They are
// therefore the same with any number of threads and after any resume, and no generator state has to
// be saved.
//
// Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#ifndef BASE_RNG_H_
#define BASE_RNG_H_

#include <array>
#include <cstdint>
#include <vector>

namespace base {

// What a stream is for; two purposes never share numbers.
enum class Purpose : uint32_t {
  kOrder = 1,
  kView = 2,
  kSubstitute = 3,
  kShuffle = 4,
  kTest = 5,
  kLabels = 6,
  kSelection = 7,
  kSample = 8,
  kHeldOut = 9,
};

class Rng {
 public:
  // The stream of (seed, purpose, a, b, c): for a view, a = epoch, b = sample, c = view.
  // a < 2^32, c < 2^16, b < 2^48.
  Rng(uint64_t seed, Purpose purpose, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0);

  uint32_t NextBits();                            // uniform over all 32-bit words
  double Uniform();                               // [0, 1), 53 bits
  double Uniform(double low, double high);        // [low, high)
  int64_t UniformInt(int64_t low, int64_t high);  // low to high, both included, without bias
  bool Bernoulli(double p) { return Uniform() < p; }

  // A permutation of 0 .. n-1 (Fisher-Yates).
  std::vector<int64_t> Permutation(int64_t n);

 private:
  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> counter_;
  std::array<uint32_t, 4> block_;
  int used_ = 4;  // words of block_ that have been used
};

}  // namespace base

#endif  // BASE_RNG_H_
