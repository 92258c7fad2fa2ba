// torchvision's networks with both stems: one seed gives their bits, and the large ones compute
// what they compute.
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

#include "moco/encoder.h"
#include "tests/parity/golden.h"

namespace parity {
namespace {

TEST(ResNets, AreTorchvisions) {
  Comparison forward("forward", 1e-10), backward("backward", 1e-9);
  for (const auto& golden : Golden("resnets")) {
    const std::string backbone = golden["backbone"];
    SCOPED_TRACE(backbone);
    Seed(3);
    const auto f = moco::Encoder::Create({.backbone = backbone, .head = "linear"}).value();
    f->Initialize();
    std::map<std::string, uint32_t> ours;
    for (const auto& [name, tensors] : Groups(f->State(), "")) ours[name] = Crc32(tensors);
    const std::map<std::string, uint32_t> theirs = golden["crc32"];
    EXPECT_EQ(ours, theirs);
    if (!golden.contains("shape")) continue;

    f->To(at::kCPU, at::kDouble);
    const std::vector<int64_t> shape = golden["shape"];
    const at::Tensor vectors = (*f)(Noise(2, shape).contiguous(at::MemoryFormat::ChannelsLast));
    (vectors * Noise(3, vectors.sizes())).sum().backward();
    forward.Tensors(backbone, {vectors}, golden["vectors"]);
    moco::StateDict gradients;
    for (const auto& [name, tensor] : f->State()) {
      if (tensor.requires_grad()) gradients.emplace_back(name, tensor.grad());
    }
    const auto groups = Groups(gradients, "");
    EXPECT_EQ(groups.size(), golden["gradients"].size());
    for (const auto& [name, tensors] : groups) {
      backward.Tensors(backbone + " " + name, tensors, golden["gradients"].at(name));
    }
  }
}

}  // namespace
}  // namespace parity
