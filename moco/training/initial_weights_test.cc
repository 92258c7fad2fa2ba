#include "moco/training/initial_weights.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/communicators/communicator.h"

namespace moco {
namespace {

using ::testing::HasSubstr;

constexpr char kSpec[] = "resnet_small:width=4,blocks=1,stages=2,stem=cifar,channels=3";

class InitialWeightsTest : public ::testing::Test {
 protected:
  std::unique_ptr<MoCo> Make(const std::string& backbone, const std::string& head = "mlp:dim=6") {
    MoCoOptions options;
    options.encoder = {.backbone = backbone, .head = head};
    options.queue_size = 8;
    return MoCo::Create(options, *alone_).value();
  }

  std::string Path(const std::string& name) const {
    const std::string folder = ::testing::TempDir() + "/initial_weights";
    std::filesystem::create_directories(folder);
    return absl::StrCat(folder, "/", name);
  }

  // The state of a network that is unlike any that is drawn.
  StateDict Other(const std::string& backbone, const std::string& head = "mlp:dim=6") {
    StateDict state = Copy(Make(backbone, head)->query_encoder().State());
    for (auto& [name, tensor] : state) {
      if (tensor.is_floating_point()) tensor = tensor + 0.25;
    }
    return state;
  }

  static StateDict WithoutHead(const StateDict& state) {
    StateDict backbone;
    for (const auto& entry : state) {
      if (!absl::StartsWith(entry.first, "fc.")) backbone.push_back(entry);
    }
    return backbone;
  }

  const std::unique_ptr<Communicator> alone_ = Communicators().Create("single").value();
};

TEST_F(InitialWeightsTest, BothEncodersGetTheBackbone) {
  const StateDict other = WithoutHead(Other(kSpec));
  ASSERT_TRUE(WriteStateDict(Path("bare.pth"), other).ok());
  const auto weights = ReadInitialWeights(Path("bare.pth"), {}, "");
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_EQ(weights->spec, kSpec);
  const auto moco = Make(kSpec);
  const StateDict head = Copy(Below(moco->query_encoder().State(), "fc."));
  const auto taken = Load(*weights, *moco);
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_THAT(*taken, HasSubstr("the head is drawn"));
  for (Encoder* encoder : {&moco->query_encoder(), &moco->key_encoder()}) {
    EXPECT_TRUE(CheckEqual(WithoutHead(encoder->State()), other).ok());
    EXPECT_TRUE(CheckEqual(Below(encoder->State(), "fc."), head).ok());
  }
}

TEST_F(InitialWeightsTest, AMoCoCheckpointBringsItsHeadWhereItFits) {
  Checkpoint checkpoint;
  for (const auto& [name, tensor] : Other(kSpec)) {
    checkpoint.state.emplace_back("module.encoder_q." + name, tensor);
  }
  ASSERT_TRUE(WriteCheckpoint(Path("run/checkpoints/checkpoint_0003.pth.tar"), checkpoint).ok());
  const auto weights = ReadInitialWeights(Path("run"), {}, "");
  ASSERT_TRUE(weights.ok()) << weights.status();
  const auto fitting = Make(kSpec), other = Make(kSpec, "linear:dim=6");
  EXPECT_THAT(Load(*weights, *fitting).value(), HasSubstr("and the head"));
  EXPECT_TRUE(
      CheckEqual(fitting->key_encoder().State(), Below(checkpoint.state, "module.encoder_q."))
          .ok());
  EXPECT_THAT(Load(*weights, *other).value(), HasSubstr("the head is drawn"));
}

TEST_F(InitialWeightsTest, TheFirstConvolutionFollowsTheChannels) {
  const at::Tensor weight = at::randn({4, 3, 3, 3});
  EXPECT_TRUE(ForChannels(weight, 3).equal(weight));
  EXPECT_TRUE(ForChannels(weight, 1).allclose(weight.sum(1, true)));
  const at::Tensor five = ForChannels(weight, 5);
  EXPECT_EQ(five.size(1), 5);
  EXPECT_TRUE(five.select(1, 3).allclose(weight.select(1, 0) * 0.6));
  EXPECT_TRUE(five.select(1, 4).allclose(weight.select(1, 1) * 0.6));

  ASSERT_TRUE(WriteStateDict(Path("rgb.pth"), WithoutHead(Other(kSpec))).ok());
  const auto weights = ReadInitialWeights(Path("rgb.pth"), {}, "").value();
  const auto moco = Make("resnet_small:width=4,blocks=1,stages=2,stem=cifar,channels=5");
  EXPECT_THAT(Load(weights, *moco).value(), HasSubstr("3 channels repeated and scaled for 5"));
  EXPECT_TRUE(
      moco->key_encoder().State()[0].second.equal(ForChannels(weights.backbone[0].second, 5)));
}

TEST_F(InitialWeightsTest, AnotherBackboneIsRefused) {
  ASSERT_TRUE(WriteStateDict(Path("other.pth"), WithoutHead(Other(kSpec))).ok());
  const auto weights = ReadInitialWeights(Path("other.pth"), {}, "").value();
  const auto moco = Make("resnet_small:width=8,blocks=1,stages=2");
  const absl::Status status = Load(weights, *moco).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat("--arch=", kSpec)));
  EXPECT_TRUE(absl::IsNotFound(ReadInitialWeights(Path("none.pth"), {}, "").status()));
}

TEST_F(InitialWeightsTest, TheFingerprintIsThatOfTheTensors) {
  StateDict state = WithoutHead(Other(kSpec));
  ASSERT_TRUE(WriteStateDict(Path("one.pth"), state).ok());
  ASSERT_TRUE(WriteStateDict(Path("copy.pth"), state).ok());
  state[0].second = state[0].second + 1;
  ASSERT_TRUE(WriteStateDict(Path("two.pth"), state).ok());
  const auto of = [&](const char* name) {
    return ReadInitialWeights(Path(name), {}, "").value().fingerprint;
  };
  EXPECT_EQ(of("one.pth"), of("copy.pth"));
  EXPECT_NE(of("one.pth"), of("two.pth"));
}

}  // namespace
}  // namespace moco
