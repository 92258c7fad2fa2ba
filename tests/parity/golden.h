// The golden files of this folder, and the inputs that both sides (see reference.py) generate in
// the same way.
#ifndef TESTS_PARITY_GOLDEN_H_
#define TESTS_PARITY_GOLDEN_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "moco/checkpoints/state_dict.h"

namespace parity {

// Returns the contents of golden/<name>.json, written by make_golden.py.
nlohmann::json Golden(const std::string& name);

// Values in [-1, 1), float64, by stream and index in row-major order.
at::Tensor Noise(int64_t stream, at::IntArrayRef sizes);

// Two noisy views of the same images, each n x 3 x size x size, float64, channels_last.
std::pair<at::Tensor, at::Tensor> Views(int64_t stream, int64_t n, int64_t size);

// Returns the checksum of the bits of the tensors, one after the other, each in row-major order.
uint32_t Crc32(const std::vector<at::Tensor>& tensors);

// Groups the tensors of a state dict by the first part of their names: conv1, bn1, layer1, ..., fc.
std::map<std::string, std::vector<at::Tensor>> Groups(const moco::StateDict& state,
                                                      const std::string& prefix);

// Seeds LibTorch's default generator.
void Seed(uint64_t seed);

// Compares values with golden ones, prints the largest difference, and fails if it is above `bound`
// or nothing was compared.
class Comparison {
 public:
  Comparison(std::string what, double bound) : what_(std::move(what)), bound_(bound) {}
  ~Comparison();

  // Compares a number by its relative difference.
  void Number(const std::string& name, double ours, const nlohmann::json& golden);

  // Compares the concatenated tensors by norm and product with a fixed vector, relative to the
  // norm.
  void Tensors(const std::string& name, const std::vector<at::Tensor>& ours,
               const nlohmann::json& golden);

 private:
  void Check(const std::string& name, double difference);

  const std::string what_;
  const double bound_;
  double largest_ = -1;
  std::string where_;
};

}  // namespace parity

#endif  // TESTS_PARITY_GOLDEN_H_
