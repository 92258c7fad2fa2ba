// The heads of MoCo v1 and v2. The contract of all heads is in head_contract.cc.
#include "moco/heads/head.h"

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "moco/checkpoints/state_dict.h"

namespace moco {
namespace {

using Shapes = std::vector<std::pair<std::string, std::vector<int64_t>>>;

Shapes ShapesOf(const Head& head) {
  Shapes shapes;
  for (const auto& [name, tensor] : GetState(head)) shapes.emplace_back(name, tensor.sizes().vec());
  return shapes;
}

std::map<std::string, at::Tensor> Weights(const Head& head) {
  const StateDict state = GetState(head);
  return {state.begin(), state.end()};
}

TEST(HeadTest, LinearIsTheReferencesFc) {
  at::NoGradGuard no_grad;
  const std::shared_ptr<Head> head = Heads().Create("linear", 6).value();
  EXPECT_EQ(ShapesOf(*head), (Shapes{{"weight", {128, 6}}, {"bias", {128}}}));
  auto w = Weights(*head);
  const at::Tensor x = at::randn({3, 6});
  EXPECT_TRUE(at::allclose(head->forward(x), x.matmul(w["weight"].t()) + w["bias"], 1e-5, 1e-6));
  EXPECT_EQ(Heads().Create("linear:dim=5", 6).value()->dim(), 5);
}

TEST(HeadTest, MlpIsTheReferencesFc) {
  at::NoGradGuard no_grad;
  const std::shared_ptr<Head> head = Heads().Create("mlp:dim=4", 6).value();
  head->Initialize();
  EXPECT_EQ(ShapesOf(*head),
            (Shapes{{"0.weight", {6, 6}}, {"0.bias", {6}}, {"2.weight", {4, 6}}, {"2.bias", {4}}}));
  auto w = Weights(*head);
  const at::Tensor x = at::randn({3, 6});
  const at::Tensor hidden = (x.matmul(w["0.weight"].t()) + w["0.bias"]).clamp_min(0);
  const at::Tensor expected = hidden.matmul(w["2.weight"].t()) + w["2.bias"];
  EXPECT_TRUE(at::allclose(head->forward(x), expected, 1e-5, 1e-6));
}

// torch.nn.Linear draws weights and biases from the uniform distribution within 1 / sqrt(inputs).
TEST(HeadTest, InitialValuesAreTorchsLinears) {
  for (const std::string spec : {"linear", "mlp"}) {
    const std::shared_ptr<Head> head = Heads().Create(spec, 64).value();
    head->Initialize();
    for (const auto& [name, tensor] : GetState(*head)) {
      const double largest = tensor.abs().max().item<double>(), bound = 1 / std::sqrt(64.0);
      EXPECT_LE(largest, bound) << spec << " " << name;
      EXPECT_GT(largest, 0.8 * bound) << spec << " " << name;
    }
  }
}

// The hidden layer's numbers are drawn in Initialize, after those of every encoder's last layer.
TEST(HeadTest, MlpDrawsTheLastLayerFirst) {
  const auto last = [](bool initialize) {
    at::manual_seed(5);
    const std::shared_ptr<Head> head = Heads().Create("mlp", 6).value();
    const bool drawn_early = Weights(*head)["0.weight"].any().item<bool>();
    EXPECT_FALSE(drawn_early);
    if (initialize) head->Initialize();
    return Weights(*head)["2.weight"];
  };
  EXPECT_TRUE(last(true).equal(last(false)));
}

}  // namespace
}  // namespace moco
