// What every registered backbone keeps. A test that links this library and plugins runs it over
// them.
#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "moco/backbones/backbone.h"
#include "moco/checkpoints/state_dict.h"

namespace moco {
namespace {

// n x 3 x rows x cols, channels_last; the same on every call.
at::Tensor Images(int64_t n, int64_t rows = 32, int64_t cols = 32) {
  at::manual_seed(7);
  return at::randn({n, 3, rows, cols}).contiguous(at::MemoryFormat::ChannelsLast);
}

class BackboneContract : public testing::TestWithParam<std::string> {
 protected:
  static std::shared_ptr<Backbone> Make(int64_t splits = 1, const std::string& spec = GetParam()) {
    at::manual_seed(3);
    std::shared_ptr<Backbone> backbone = Backbones().Create(spec, {.bn_splits = splits}).value();
    backbone->Initialize();
    return backbone;
  }
};

TEST_P(BackboneContract, GivesAVectorForEachImage) {
  at::NoGradGuard no_grad;
  const auto backbone = Make();
  for (const bool training : {true, false}) {
    backbone->train(training);
    for (const at::Tensor& images : {Images(4), Images(2, 40, 33)}) {
      const at::Tensor features = backbone->forward(images);
      EXPECT_EQ(features.sizes(), std::vector<int64_t>({images.size(0), backbone->feature_dim()}));
      EXPECT_EQ(features.scalar_type(), at::kFloat);
      EXPECT_TRUE(features.isfinite().all().item<bool>());
    }
  }
}

TEST_P(BackboneContract, BackwardReachesEveryParameterAndLeavesTheImages) {
  const auto backbone = Make();
  const at::Tensor images = Images(4), before = images.clone();
  const at::Tensor features = backbone->forward(images);
  features.mul(at::randn(features.sizes())).sum().backward();
  EXPECT_TRUE(images.equal(before)) << "the images were written to";
  for (const auto& p : backbone->named_parameters()) {
    const at::Tensor& gradient = p.value().grad();
    ASSERT_TRUE(gradient.defined()) << p.key();
    EXPECT_TRUE(gradient.isfinite().all().item<bool>()) << p.key();
  }
}

TEST_P(BackboneContract, EvaluationIsAFunctionOfTheImageAlone) {
  at::NoGradGuard no_grad;
  const auto backbone = Make();
  backbone->forward(Images(4));  // moves running statistics
  backbone->eval();
  const at::Tensor images = Images(3), in_float = backbone->forward(images);
  backbone->to(at::kDouble);
  const at::Tensor features = backbone->forward(images.to(at::kDouble));
  EXPECT_EQ(features.scalar_type(), at::kDouble);
  EXPECT_TRUE(at::allclose(features, in_float.to(at::kDouble), 1e-3, 1e-4)) << "float and double";
  const at::Tensor contiguous = images.to(at::kDouble).contiguous();
  EXPECT_TRUE(at::allclose(features, backbone->forward(contiguous), 1e-9, 1e-9)) << "layout";
  for (int64_t i = 0; i < images.size(0); ++i) {
    const at::Tensor alone = backbone->forward(images.slice(0, i, i + 1).to(at::kDouble));
    EXPECT_TRUE(at::allclose(features[i], alone[0], 1e-9, 1e-9)) << "image " << i << " alone";
  }
}

TEST_P(BackboneContract, TheLastStageIsTheFeatures) {
  at::NoGradGuard no_grad;
  const auto backbone = Make();
  backbone->forward(Images(4));  // moves running statistics
  backbone->eval();
  const at::Tensor images = Images(3);
  const std::vector<at::Tensor> stages = backbone->Stages(images);
  if (stages.empty()) GTEST_SKIP() << "a network without stages";
  EXPECT_TRUE(stages.back().equal(backbone->forward(images)));
  const std::vector<at::Tensor> larger = backbone->Stages(Images(2, 40, 33));
  ASSERT_EQ(larger.size(), stages.size());
  for (size_t i = 0; i < stages.size(); ++i) {
    ASSERT_EQ(stages[i].dim(), 2) << "stage " << i + 1;
    EXPECT_EQ(stages[i].size(0), 3) << "stage " << i + 1;
    EXPECT_EQ(larger[i].size(1), stages[i].size(1)) << "stage " << i + 1;
    EXPECT_TRUE(stages[i].isfinite().all().item<bool>()) << "stage " << i + 1;
  }
  backbone->to(at::kDouble);
  const std::vector<at::Tensor> all = backbone->Stages(images.to(at::kDouble));
  const std::vector<at::Tensor> alone = backbone->Stages(images.slice(0, 1, 2).to(at::kDouble));
  for (size_t i = 0; i < stages.size(); ++i) {
    EXPECT_TRUE(at::allclose(all[i][1], alone[i][0], 1e-9, 1e-9)) << "stage " << i + 1;
  }
}

TEST_P(BackboneContract, SplitsOfATrainingBatchDoNotKnowEachOther) {
  at::NoGradGuard no_grad;
  const auto split = Make(/*splits=*/2), whole = Make();
  split->to(at::kDouble);
  whole->to(at::kDouble);
  const at::Tensor images = Images(8).to(at::kDouble);
  const at::Tensor parts =
      at::cat({whole->forward(images.slice(0, 0, 4)), whole->forward(images.slice(0, 4, 8))});
  EXPECT_TRUE(at::allclose(split->forward(images), parts, 1e-9, 1e-9));
}

TEST_P(BackboneContract, SeedAndCanonicalSpecDecideTheWeights) {
  const auto backbone = Make(), again = Make(1, Backbones().Canonical(GetParam()).value());
  const StateDict state = GetState(*backbone);
  EXPECT_TRUE(CheckEqual(state, GetState(*again)).ok()) << CheckEqual(state, GetState(*again));
  std::set<std::string> names;
  for (const auto& [name, tensor] : state) names.insert(name);
  EXPECT_EQ(names.size(), state.size()) << "two tensors have one name";
}

// Large networks that are the code of others with more layers or channels would take minutes;
// tests/parity compares them with torchvision's.
std::vector<std::string> Names() {
  const std::set<std::string> large = {"resnet101",        "resnet152",       "resnext101_32x8d",
                                       "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2"};
  std::vector<std::string> names;
  for (const std::string& name : Backbones().Names()) {
    if (large.count(name) == 0) names.push_back(name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, BackboneContract, testing::ValuesIn(Names()),
                         [](const auto& info) { return info.param; });

TEST(BackboneContractTest, IsOfSomething) { EXPECT_FALSE(Backbones().Names().empty()); }

}  // namespace
}  // namespace moco
