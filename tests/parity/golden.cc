#include "tests/parity/golden.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <mutex>

namespace parity {
namespace {

constexpr int64_t kProjection = 1 << 20;  // make_golden.py's PROJECTION

double Relative(double ours, double golden, double scale) {
  return std::abs(ours - golden) / std::max(std::abs(scale), 1e-300);
}

}  // namespace

nlohmann::json Golden(const std::string& name) {
  std::ifstream file("tests/parity/golden/" + name + ".json");
  return nlohmann::json::parse(file).at(name);
}

at::Tensor Noise(int64_t stream, at::IntArrayRef sizes) {
  at::Tensor noise = at::empty(sizes, at::kDouble);
  double* out = noise.mutable_data_ptr<double>();
  uint32_t start = static_cast<uint32_t>(stream) * 0x9E3779B9;
  for (int64_t i = 0; i < noise.numel(); ++i) {
    uint32_t x = start++;
    x = (x ^ x >> 16) * 0x7FEB352D;
    x = (x ^ x >> 15) * 0x846CA68B;
    out[i] = ((x ^ x >> 16) >> 9) * 0x1p-22 - 1;
  }
  return noise;
}

std::pair<at::Tensor, at::Tensor> Views(int64_t stream, int64_t n, int64_t size) {
  const auto noise = [&](int64_t s) {
    return Noise(3 * stream + s, {n, 3, size, size}).contiguous(at::MemoryFormat::ChannelsLast);
  };
  const at::Tensor images = noise(0);
  return {images + noise(1), images + noise(2)};
}

uint32_t Crc32(const std::vector<at::Tensor>& tensors) {
  uint32_t crc = 0;
  for (const at::Tensor& t : tensors) {
    const at::Tensor bits = t.detach().contiguous();
    crc = crc32_z(crc, static_cast<const Bytef*>(bits.const_data_ptr()), bits.nbytes());
  }
  return crc;
}

std::map<std::string, std::vector<at::Tensor>> Groups(const moco::StateDict& state,
                                                      const std::string& prefix) {
  std::map<std::string, std::vector<at::Tensor>> groups;
  for (const auto& [name, tensor] : state) {
    groups[prefix + name.substr(0, name.find('.'))].push_back(tensor);
  }
  return groups;
}

void Seed(uint64_t seed) {
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_current_seed(seed);
}

Comparison::~Comparison() {
  EXPECT_FALSE(where_.empty()) << what_ << ": nothing was compared";
  std::printf("%s: largest difference %.1e, at %s; bound %.0e\n", what_.c_str(), largest_,
              where_.c_str(), bound_);
}

void Comparison::Number(const std::string& name, double ours, const nlohmann::json& golden) {
  const double theirs = golden.get<double>();
  Check(name, Relative(ours, theirs, theirs));
}

void Comparison::Tensors(const std::string& name, const std::vector<at::Tensor>& ours,
                         const nlohmann::json& golden) {
  std::vector<at::Tensor> flat;
  for (const at::Tensor& t : ours) flat.push_back(t.detach().to(at::kDouble).reshape({-1}));
  const at::Tensor all = at::cat(flat);
  const double norm = golden.at(0).get<double>();
  Check(name + " (norm)", Relative(at::linalg_vector_norm(all).item<double>(), norm, norm));
  const double product = (all * Noise(kProjection, {all.numel()})).sum().item<double>();
  Check(name, Relative(product, golden.at(1).get<double>(), norm));
}

void Comparison::Check(const std::string& name, double difference) {
  EXPECT_LE(difference, bound_) << what_ << ": " << name;
  if (!(difference <= largest_)) {
    largest_ = difference;
    where_ = name;
  }
}

}  // namespace parity
