#include "base/rng.h"

#include <numeric>
#include <utility>

namespace base {
namespace {

constexpr int kRounds = 10;

std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> x, std::array<uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * x[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57} * x[2];
    x = {static_cast<uint32_t>(p1 >> 32) ^ x[1] ^ key[0], static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ x[3] ^ key[1], static_cast<uint32_t>(p0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return x;
}

}  // namespace

Rng::Rng(uint64_t seed, Purpose purpose, uint64_t a, uint64_t b, uint64_t c) {
  // One round trip through the cipher mixes the seed with the purpose, so that neighbouring seeds
  // and purposes give unrelated keys. The remaining arguments identify the stream in the upper
  // words of the counter; the lowest word counts blocks.
  const auto mixed = Philox({static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32),
                             static_cast<uint32_t>(purpose), static_cast<uint32_t>(a)},
                            {0x4D6F436F, 0x2B2B});
  key_ = {mixed[0], mixed[1]};
  counter_ = {0, static_cast<uint32_t>(b),
              static_cast<uint32_t>(b >> 32) << 16 | static_cast<uint32_t>(c & 0xFFFF), mixed[2]};
}

uint32_t Rng::NextBits() {
  if (used_ == 4) {
    block_ = Philox(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[used_++];
}

double Rng::Uniform() {
  const uint64_t high = NextBits() >> 5, low = NextBits() >> 6;
  return static_cast<double>(high << 26 | low) * 0x1p-53;
}

double Rng::Uniform(double low, double high) { return low + (high - low) * Uniform(); }

int64_t Rng::UniformInt(int64_t low, int64_t high) {
  const uint64_t span = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
  // Lemire's multiply-shift with rejection, on 64 bits.
  const auto draw = [this] { return uint64_t{NextBits()} << 32 | NextBits(); };
  if (span == 0) return static_cast<int64_t>(draw());
  const uint64_t reject_below = -span % span;
  unsigned __int128 product;
  do {
    product = static_cast<unsigned __int128>(draw()) * span;
  } while (static_cast<uint64_t>(product) < reject_below);
  return low + static_cast<int64_t>(static_cast<uint64_t>(product >> 64));
}

std::vector<int64_t> Rng::Permutation(int64_t n) {
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), int64_t{0});
  for (int64_t i = n - 1; i > 0; --i) std::swap(order[i], order[UniformInt(0, i)]);
  return order;
}

}  // namespace base
