#include "lincls/encoders/frozen_backbone.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "moco/backbones/backbone.h"

namespace lincls {
namespace {

constexpr char kSpec[] = "resnet_small:width=4,blocks=1,stages=2,stem=cifar,channels=3";

std::string TestFolder() {
  const std::string folder = ::testing::TempDir() + "/frozen_backbone_" +
                             ::testing::UnitTest::GetInstance()->current_test_info()->name();
  std::filesystem::create_directories(folder);
  return folder;
}

at::Tensor Images(int64_t n) {
  return at::randn({n, 3, 16, 16}, at::detail::createCPUGenerator(1), at::TensorOptions(at::kFloat))
      .contiguous(at::MemoryFormat::ChannelsLast);
}

// What pretraining writes, as far as it matters here: a query encoder with a head, a key encoder,
// the queue.
class FrozenBackboneTest : public ::testing::Test {
 protected:
  FrozenBackboneTest() {
    backbone_->Initialize();
    backbone_->forward(Images(8));  // running statistics that are not the initial ones
    for (const auto& [name, tensor] : moco::GetState(*backbone_)) {
      checkpoint_.state.emplace_back(kPretrained + name, tensor);
      checkpoint_.state.emplace_back("module.encoder_k." + name, at::zeros_like(tensor));
    }
    checkpoint_.state.emplace_back(std::string(kPretrained) + "fc.weight", at::zeros({2, 8}));
    checkpoint_.state.emplace_back("module.queue", at::zeros({2, 4}));
    checkpoint_.arch = "resnet_small";
    checkpoint_.facts.settings["arch"] = kSpec;
  }

  // Through a file, as the program gets it.
  absl::StatusOr<std::unique_ptr<FrozenBackbone>> Load(const std::string& arch = "",
                                                       const std::string& prefix = "") {
    const std::string path = TestFolder() + "/checkpoint_0001.pth.tar";
    EXPECT_TRUE(moco::WriteCheckpoint(path, checkpoint_).ok());
    auto read = moco::ReadCheckpoint(path);
    if (!read.ok()) return read.status();
    return FrozenBackbone::Create(*read, {arch, prefix});
  }

  void ExpectRefused(const absl::Status& status, const std::string& what) {
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), what)) << status;
  }

  std::unique_ptr<moco::Backbone> backbone_ =
      moco::Backbones().Create(kSpec, moco::BackboneContext{}).value();
  moco::Checkpoint checkpoint_;
};

TEST_F(FrozenBackboneTest, HasTheFeaturesOfThePretrainedNetworkInEvaluation) {
  const auto frozen = Load();
  ASSERT_TRUE(frozen.ok()) << frozen.status();
  EXPECT_EQ((*frozen)->spec(), kSpec);
  EXPECT_EQ((*frozen)->feature_dim(), 8);
  backbone_->eval();
  const at::Tensor features = (**frozen)(Images(4));
  EXPECT_TRUE(features.allclose(backbone_->forward(Images(4)), 1e-5, 1e-6));
  EXPECT_FALSE(features.requires_grad());
}

TEST_F(FrozenBackboneTest, ManyPixelsAreComputedInParts) {
  const auto backbone = Load().value();
  const at::Tensor images = Images(5000);  // 1.3 million pixels
  const at::Tensor features = (*backbone)(images);
  ASSERT_EQ(features.size(0), 5000);
  // Each part, and what lies on both sides of a border between parts.
  for (const int64_t first : {0L, 1660L, 3330L, 4990L}) {
    const at::Tensor few = (*backbone)(images.narrow(0, first, 10));
    EXPECT_LT((features.narrow(0, first, 10) - few).abs().max().item<double>(), 1e-5) << first;
  }
}

TEST_F(FrozenBackboneTest, DoesNotChangeAndWouldTell) {
  const auto frozen = Load();
  ASSERT_TRUE(frozen.ok()) << frozen.status();
  (**frozen)(Images(8));
  EXPECT_TRUE((*frozen)->CheckUnchanged().ok()) << (*frozen)->CheckUnchanged();
  (*frozen)->State()[0].second[0][0][0][0].add_(1e-6);
  EXPECT_FALSE((*frozen)->CheckUnchanged().ok());
}

TEST_F(FrozenBackboneTest, InBf16FeaturesDifferByItsRounding) {
  const auto frozen = Load(), rounded = Load();
  ASSERT_TRUE(frozen.ok() && rounded.ok());
  (*rounded)->To(at::kCPU, /*bf16=*/true);
  const at::Tensor exact = (**frozen)(Images(4)), features = (**rounded)(Images(4));
  EXPECT_EQ(features.dtype(), at::kFloat);
  EXPECT_FALSE(features.equal(exact)) << "float32 was used";
  // bfloat16 has 8 bits of mantissa.
  EXPECT_LT((features - exact).norm().item<double>(), 0.02 * exact.norm().item<double>());
  const std::vector<at::Tensor> stages = (*rounded)->Stages(Images(4));
  EXPECT_TRUE(stages.back().equal(features));
  EXPECT_TRUE((*rounded)->CheckUnchanged().ok());

  (*rounded)->Thaw();
  const at::Tensor trained = (*rounded)->Train(Images(4));
  EXPECT_EQ(trained.dtype(), at::kFloat);
  trained.sum().backward();
  for (const at::Tensor& p : (*rounded)->Parameters()) EXPECT_EQ(p.grad().dtype(), at::kFloat);
}

TEST_F(FrozenBackboneTest, ReadsTheLinearClassifiersCheckpointToo) {
  moco::Checkpoint classifier;
  for (const auto& [name, tensor] : moco::GetState(*backbone_)) {
    classifier.state.emplace_back(kClassifier + name, tensor);
  }
  classifier.state.emplace_back("module.fc.weight", at::zeros({10, 8}));
  classifier.state.emplace_back("module.fc.bias", at::zeros({10}));
  classifier.facts = checkpoint_.facts;
  checkpoint_ = classifier;
  EXPECT_TRUE(Load("", kClassifier).ok()) << Load("", kClassifier).status();
  EXPECT_EQ(Load().value()->prefix(), kClassifier);
  ExpectRefused(Load("", kPretrained).status(), kPretrained);
}

TEST_F(FrozenBackboneTest, AMissingKeyIsNamed) {
  const std::string name = checkpoint_.state[2].first;
  checkpoint_.state.erase(checkpoint_.state.begin() + 2);
  ExpectRefused(Load().status(), "'" + name.substr(sizeof(kPretrained) - 1) + "' is missing");
}

TEST_F(FrozenBackboneTest, AnUnexpectedKeyIsNamed) {
  checkpoint_.state.emplace_back(std::string(kPretrained) + "layer9.weight", at::zeros({1}));
  ExpectRefused(Load().status(), "'layer9.weight' is not expected");
}

TEST_F(FrozenBackboneTest, AnotherShapeIsNamed) {
  checkpoint_.facts.settings["arch"] = "resnet_small:width=8,blocks=1,stages=2,stem=cifar";
  ExpectRefused(Load().status(), "'conv1.weight' is [4 x 3 x 3 x 3], expected [8 x 3 x 3 x 3]");
}

TEST_F(FrozenBackboneTest, AnArchThatTheCheckpointDenies) {
  EXPECT_TRUE(Load(kSpec).ok());
  ExpectRefused(Load("resnet18").status(), kSpec);
  EXPECT_TRUE(absl::StrContains(Load("resnet_smal").status().message(), "'resnet_small'"));
}

// The reference's checkpoints say the name alone.
TEST_F(FrozenBackboneTest, AnArchRefinesTheReferencesName) {
  checkpoint_.facts = {};
  EXPECT_EQ(Load().value()->spec(), kSpec);  // as the shapes say
  EXPECT_TRUE(Load(kSpec).ok()) << Load(kSpec).status();
  ExpectRefused(Load("resnet_small").status(), "does not fit the backbone 'resnet_small:");
  ExpectRefused(Load("resnet18").status(), "'resnet_small'");
}

TEST_F(FrozenBackboneTest, AThawedOneIsTrained) {
  const auto backbone = Load().value();
  EXPECT_TRUE(backbone->Parameters().empty());
  EXPECT_TRUE(backbone->frozen());
  EXPECT_FALSE(backbone->Train(Images(4)).requires_grad());
  const at::Tensor frozen = (*backbone)(Images(4));
  backbone->Thaw();
  EXPECT_FALSE((*backbone)(Images(4)).requires_grad());
  EXPECT_TRUE(at::equal((*backbone)(Images(4)), frozen));
  backbone->Train(Images(4)).sum().backward();
  ASSERT_FALSE(backbone->Parameters().empty());
  for (const at::Tensor& p : backbone->Parameters()) EXPECT_TRUE(p.grad().defined());
  EXPECT_FALSE(at::equal((*backbone)(Images(4)), frozen));  // the running statistics have moved
}

TEST_F(FrozenBackboneTest, WeightsInDoublePrecisionAreTakenAsSingle) {
  for (auto& [name, tensor] : checkpoint_.state) {
    if (tensor.is_floating_point()) tensor = tensor.to(at::kDouble) + 1e-12;
  }
  const auto frozen = Load();
  ASSERT_TRUE(frozen.ok()) << frozen.status();
  EXPECT_EQ((**frozen)(Images(1)).scalar_type(), at::kFloat);
  EXPECT_TRUE((*frozen)->CheckUnchanged().ok()) << (*frozen)->CheckUnchanged();
}

}  // namespace
}  // namespace lincls
