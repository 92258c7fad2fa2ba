// Every backbone and head: a pass forward and backward in training mode, then one in evaluation
// mode on what it left in the running statistics.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "moco/encoder.h"
#include "tests/parity/golden.h"

namespace parity {
namespace {

using nlohmann::json;

class Encoders : public testing::TestWithParam<json> {};

at::Tensor Images(const json& golden) {
  const std::vector<int64_t> shape = golden["shape"];
  return Noise(2, shape).contiguous(at::MemoryFormat::ChannelsLast);
}

TEST_P(Encoders, PassesAreTheReferences) {
  const json& golden = GetParam();
  Seed(1);
  const auto f =
      moco::Encoder::Create(
          {.backbone = golden["backbone"], .head = golden["head"], .bn_splits = golden["splits"]})
          .value();
  f->Initialize();
  f->To(at::kCPU, at::kDouble);
  const moco::StateDict state = f->State();
  for (const std::string mode : {"train", "eval"}) {
    f->Train(mode == "train");
    const at::Tensor vectors = (*f)(Images(golden));
    for (at::Tensor p : f->Parameters()) p.mutable_grad().reset();
    (vectors * Noise(3, vectors.sizes())).sum().backward();
    Comparison forward(mode + " forward", 1e-10), backward(mode + " backward", 1e-10);
    forward.Tensors("vectors", {vectors}, golden[mode]["vectors"]);
    size_t parameters = 0;
    for (const auto& [name, tensor] : state) {
      if (!tensor.requires_grad()) continue;
      backward.Tensors(name, {tensor.grad()}, golden[mode]["gradients"].at(name));
      ++parameters;
    }
    EXPECT_EQ(parameters, golden[mode]["gradients"].size());
  }
  Comparison buffers("running statistics", 1e-10);
  for (const auto& [name, summary] : golden["buffers"].items()) {
    for (const auto& [ours, tensor] : state) {
      if (ours == name) buffers.Tensors(name, {tensor}, summary);
    }
  }
  EXPECT_EQ(golden["buffers"].size() + golden["eval"]["gradients"].size(), state.size());

  // In float32, with the statistics that were gathered in float64. PyTorch's own float32 differs by
  // 3e-6 from its float64 here (ResNet-50).
  f->To(at::kCPU, at::kFloat);
  at::NoGradGuard no_grad;
  Comparison in_float("float32 eval forward", 1e-5);
  in_float.Tensors("vectors", {(*f)(Images(golden).to(at::kFloat))}, golden["eval"]["vectors"]);
}

INSTANTIATE_TEST_SUITE_P(All, Encoders,
                         testing::ValuesIn(Golden("encoders").get<std::vector<json>>()),
                         [](const auto& info) {
                           std::string name = info.param["backbone"];
                           for (char& c : name) c = std::isalnum(c) ? c : '_';
                           return name + "_" + info.param["head"].template get<std::string>() +
                                  "_splits" + info.param["splits"].dump();
                         });

}  // namespace
}  // namespace parity
