#include "lincls/encoders/feature_network.h"

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "moco/backbones/backbone.h"
#include "moco/checkpoints/state_dict.h"
#include "moco/heads/head.h"

namespace lincls {
namespace {

using ::testing::HasSubstr;

constexpr char kSpec[] = "resnet_small:width=4,blocks=1,stages=2,stem=cifar,channels=3";

// A plugin's: the mean of each channel, and no stages.
class Means : public moco::Backbone {
 public:
  Means() { register_parameter("scale", at::randn({1})); }
  at::Tensor forward(const at::Tensor& images) override {
    return images.mean({2, 3}) * parameters()[0];
  }
  int64_t feature_dim() const override { return 3; }
};

struct NoOptions {
  template <class Visitor>
  void Visit(Visitor&) {}
};

absl::StatusOr<std::unique_ptr<moco::Backbone>> MakeMeans(const NoOptions&,
                                                          const moco::BackboneContext&) {
  return std::make_unique<Means>();
}

REGISTER_PLUGIN(moco::Backbones, "means", "for this test", NoOptions, MakeMeans);

at::Tensor Images(int64_t n) {
  at::manual_seed(7);
  return at::randn({n, 3, 16, 16}).contiguous(at::MemoryFormat::ChannelsLast);
}

// A checkpoint of pretraining with the encoder of `backbone` and, unless it is empty, `head`.
struct Pretrained {
  Pretrained(const std::string& arch, const std::string& head_spec) {
    at::manual_seed(1);
    backbone = moco::Backbones().Create(arch, {}).value();
    backbone->Initialize();
    backbone->eval();
    checkpoint.facts.settings["arch"] = arch;
    checkpoint.state = moco::GetState(*backbone, kPretrained);
    if (head_spec.empty()) return;
    head = moco::Heads().Create(head_spec, backbone->feature_dim()).value();
    head->Initialize();
    for (auto& entry : moco::GetState(*head, absl::StrCat(kPretrained, "fc."))) {
      checkpoint.state.push_back(entry);
    }
  }

  std::shared_ptr<moco::Backbone> backbone;
  std::shared_ptr<moco::Head> head;
  moco::Checkpoint checkpoint;
};

std::vector<std::string> Names(const FeatureNetwork& network) {
  std::vector<std::string> names;
  for (const auto& [name, width] : network.outputs()) {
    names.push_back(absl::StrCat(name, " ", width));
  }
  return names;
}

void ExpectRefused(const moco::Checkpoint& checkpoint, const std::string& features,
                   const std::string& message) {
  const auto network = FeatureNetwork::Create(checkpoint, {}).value();
  const absl::Status s = network->Choose(features, 16, 16);
  EXPECT_EQ(s.code(), absl::StatusCode::kInvalidArgument) << s;
  EXPECT_THAT(std::string(s.message()), HasSubstr(message));
}

TEST(FeatureNetworkTest, GivesWhatTheNetworksGive) {
  // The reference's checkpoints do not say which head it is.
  for (const std::string head : {"mlp:dim=5", "linear:dim=5"}) {
    const Pretrained pretrained(kSpec, head);
    const auto network = FeatureNetwork::Create(pretrained.checkpoint, {}).value();
    ASSERT_TRUE(network->Choose("all", 16, 16).ok());
    EXPECT_THAT(Names(*network),
                testing::ElementsAre("backbone 8", "head 5", "stage1 4", "stage2 8"));
    const at::Tensor images = Images(3);
    const std::vector<at::Tensor> outputs = (*network)(images);
    ASSERT_EQ(outputs.size(), 4);
    at::NoGradGuard no_grad;
    const at::Tensor features = pretrained.backbone->forward(images);
    EXPECT_TRUE(outputs[0].equal(features));
    EXPECT_TRUE(outputs[1].equal(pretrained.head->forward(features)));
    EXPECT_TRUE(outputs[2].equal(pretrained.backbone->Stages(images)[0]));
    EXPECT_TRUE(outputs[3].equal(features));
    for (const at::Tensor& output : outputs) EXPECT_FALSE(output.requires_grad());
  }
}

TEST(FeatureNetworkTest, ChoosesByName) {
  const Pretrained pretrained(kSpec, "mlp:dim=5");
  auto network = FeatureNetwork::Create(pretrained.checkpoint, {}).value();
  ASSERT_TRUE(network->Choose("stage1, head,stage1", 16, 16).ok());
  EXPECT_THAT(Names(*network), testing::ElementsAre("head 5", "stage1 4"));
  EXPECT_TRUE((*network)(Images(2))[0].equal((*network->head())(network->backbone()(Images(2)))));
  ExpectRefused(pretrained.checkpoint, "backbone,stage3", "with 2 stages; leave 'stage3' out");
  ExpectRefused(pretrained.checkpoint, "haed", "did you mean 'head'");
  ExpectRefused(pretrained.checkpoint, " ,", "give --features=backbone");
}

TEST(FeatureNetworkTest, SaysWhatACheckpointDoesNotHave) {
  const Pretrained headless(kSpec, "");
  ExpectRefused(headless.checkpoint, "head", "no head below 'module.encoder_q.fc.'");
  const auto all = FeatureNetwork::Create(headless.checkpoint, {}).value();
  ASSERT_TRUE(all->Choose("all", 16, 16).ok());
  EXPECT_THAT(Names(*all), testing::ElementsAre("backbone 8", "stage1 4", "stage2 8"));

  const Pretrained stageless("means", "");
  ExpectRefused(stageless.checkpoint, "stage1", "'means' with no stages");
  const auto means = FeatureNetwork::Create(stageless.checkpoint, {}).value();
  ASSERT_TRUE(means->Choose("all", 16, 16).ok());
  EXPECT_THAT(Names(*means), testing::ElementsAre("backbone 3"));

  Pretrained wrong(kSpec, "mlp:dim=5");
  wrong.checkpoint.facts.settings["head"] = "mlp:dim=6";
  const auto refused = FeatureNetwork::Create(wrong.checkpoint, {});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("does not fit the head"));
}

TEST(FeatureNetworkTest, AClassifiersLayerIsNoHead) {
  const Pretrained pretrained(kSpec, "linear:dim=5");
  moco::Checkpoint classifier;
  classifier.facts.settings["arch"] = kSpec;
  for (const auto& [name, tensor] : moco::Below(pretrained.checkpoint.state, kPretrained)) {
    classifier.state.emplace_back(kClassifier + name, tensor);
  }
  const auto network = FeatureNetwork::Create(classifier, {}).value();
  EXPECT_EQ(network->head(), nullptr);
  ASSERT_TRUE(network->Choose("backbone", 16, 16).ok());
  at::NoGradGuard no_grad;
  EXPECT_TRUE((*network)(Images(2))[0].equal(pretrained.backbone->forward(Images(2))));
  ExpectRefused(classifier, "head", "a linear classifier");
}

}  // namespace
}  // namespace lincls
