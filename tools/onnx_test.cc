// What cannot be an ONNX file of a ResNet, and files that are none. That the others are right is
// tested with onnxruntime: tests/parity/exports.py.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/files.h"
#include "tools/onnx_file.h"
#include "tools/onnx_resnet.h"

namespace tools {
namespace {

// One block of two convolutions after a 3x3 stem.
moco::StateDict Small() {
  moco::StateDict state;
  const auto conv_norm = [&](const std::string& conv, const std::string& bn, int64_t in) {
    state.emplace_back(conv + ".weight", at::ones({2, in, 3, 3}));
    for (const char* name : {".weight", ".bias", ".running_mean", ".running_var"}) {
      state.emplace_back(bn + name, at::ones({2}));
    }
    state.emplace_back(bn + ".num_batches_tracked", at::ones({}, at::kLong));
  };
  conv_norm("conv1", "bn1", 3);
  conv_norm("layer1.0.conv1", "layer1.0.bn1", 2);
  conv_norm("layer1.0.conv2", "layer1.0.bn2", 2);
  return state;
}

void ExpectRefused(const moco::StateDict& state, const std::string& what) {
  const absl::Status status = ResNetGraph(state).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), what)) << status;
}

TEST(OnnxTest, GivesFeaturesOfItsLength) {
  const auto model = ResNetGraph(Small());
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->input.shape, std::vector<std::string>({"batch", "3", "height", "width"}));
  EXPECT_EQ(model->output.shape, std::vector<std::string>({"batch", "2"}));
  EXPECT_EQ(Evaluate(*model, at::ones({3, 3, 5, 7})).value().sizes(), at::IntArrayRef({3, 2}));
}

TEST(OnnxTest, DeclaresTheChannelsOfTheNetwork) {
  moco::StateDict state = Small();
  state[0].second = at::ones({2, 5, 3, 3});
  const OnnxModel model = ResNetGraph(state).value();
  EXPECT_EQ(model.input.shape[1], "5");
  EXPECT_TRUE(Evaluate(model, at::ones({1, 5, 4, 4})).ok());
  EXPECT_TRUE(absl::IsDataLoss(Evaluate(model, at::ones({1, 3, 4, 4})).status()));
  // A file whose declaration is not the network's.
  OnnxModel other = model;
  other.input.shape[1] = "3";
  for (const int64_t channels : {3, 5}) {
    EXPECT_TRUE(absl::IsDataLoss(Evaluate(other, at::ones({1, channels, 4, 4})).status()));
  }
  other = model;
  other.output.shape[1] = "3";
  EXPECT_TRUE(absl::IsDataLoss(Evaluate(other, at::ones({1, 5, 4, 4})).status()));
}

TEST(OnnxTest, ClassifiersGiveLogits) {
  moco::StateDict state = Small();
  state.emplace_back("fc.weight", at::ones({4, 2}));
  EXPECT_TRUE(absl::StrContains(ResNetGraph(state).status().message(), "'fc.bias'"));
  state.emplace_back("fc.bias", at::zeros({4}));
  const OnnxModel model = ResNetGraph(state).value();
  EXPECT_EQ(model.output.name, "logits");
  EXPECT_EQ(Evaluate(model, at::ones({3, 3, 5, 7})).value().sizes(), at::IntArrayRef({3, 4}));
}

TEST(OnnxTest, TakesBytesWithPreprocessing) {
  const OnnxModel plain = ResNetGraph(Small()).value();
  const OnnxModel model =
      ResNetGraph(Small(), {.opset = kNewestOnnxOpset, .mean = {0.5, 0.25, 0}, .std = {1, 2, 4}})
          .value();
  EXPECT_EQ(model.input.shape, std::vector<std::string>({"batch", "height", "width", "3"}));
  const at::Tensor bytes = at::arange(2 * 5 * 4 * 3).view({2, 5, 4, 3}).to(at::kByte);
  const at::Tensor mean = at::tensor({0.5f, 0.25f, 0.f}), std = at::tensor({1.f, 2.f, 4.f});
  const at::Tensor values = ((bytes.to(at::kFloat) / 255 - mean) / std).permute({0, 3, 1, 2});
  EXPECT_TRUE(Evaluate(model, bytes).value().allclose(Evaluate(plain, values).value()));
  EXPECT_TRUE(absl::IsDataLoss(Evaluate(model, values).status()));
  // What is written is read.
  const std::string path = ::testing::TempDir() + "/bytes.onnx";
  ASSERT_TRUE(WriteOnnx(path, model).ok());
  const auto read = ReadOnnx(path);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->opset, kNewestOnnxOpset);
  EXPECT_TRUE(Evaluate(*read, bytes).value().equal(Evaluate(model, bytes).value()));
}

TEST(OnnxTest, NetworksThatAreNoResNetAreNamed) {
  moco::StateDict state = Small();
  state.emplace_back("layer1.0.attention.weight", at::ones({1}));
  ExpectRefused(state, "'layer1.0.attention.weight'");
  state = Small();
  state.erase(state.begin() + 2);  // bn1.bias
  ExpectRefused(state, "'bn1.bias'");
  ExpectRefused({{"patch_embed.weight", at::ones({1})}}, "'conv1.weight'");
}

TEST(OnnxTest, FilesThatItDidNotWriteAreRefused) {
  const std::string path = ::testing::TempDir() + "/model.onnx";
  const OnnxModel model = ResNetGraph(Small()).value();
  ASSERT_TRUE(WriteOnnx(path, model).ok());
  ASSERT_TRUE(ReadOnnx(path).ok());
  const std::string bytes = base::ReadFile(path).value();
  for (const std::string& other : {std::string("no ONNX"), bytes + bytes.substr(0, 2),
                                   bytes.substr(0, bytes.size() / 2), std::string()}) {
    ASSERT_TRUE(base::WriteFileAtomically(path, other).ok());
    const absl::Status status = ReadOnnx(path).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), path)) << status;
  }
}

TEST(OnnxTest, AGraphThatMakesNoSenseIsRefused) {
  OnnxModel model = ResNetGraph(Small()).value();
  OnnxModel other = model;
  other.nodes[1].op = "Sigmoid";
  EXPECT_TRUE(absl::IsDataLoss(Evaluate(other, at::ones({1, 3, 4, 4})).status()));
  other = model;
  other.weights.erase("bn1.bias");
  EXPECT_TRUE(absl::IsDataLoss(Evaluate(other, at::ones({1, 3, 4, 4})).status()));
  other = model;
  other.weights["bn1.bias"].bytes.resize(4);
  EXPECT_TRUE(absl::IsDataLoss(Evaluate(other, at::ones({1, 3, 4, 4})).status()));
}

}  // namespace
}  // namespace tools
