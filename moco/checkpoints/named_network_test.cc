#include "moco/checkpoints/named_network.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"

namespace moco {
namespace {

std::string Beside(const std::string& config, const std::string& file = "model.safetensors") {
  const std::string folder = ::testing::TempDir() + "/network";
  std::filesystem::create_directories(folder);
  EXPECT_TRUE(base::WriteFileAtomically(folder + "/config.json", config).ok());
  return NetworkBeside(folder + "/" + file);
}

TEST(NamedNetworkTest, FoldersOfTimm) {
  const std::string rest = R"(, "num_classes": 0, "pretrained_cfg": {"tag": "a"})";
  EXPECT_EQ(Beside(R"({"architecture": "resnetaa50")" + rest + "}"), "resnetaa50");
  const auto with = [&](const std::string& arguments) {
    return Beside(R"({"architecture": "resnet50")" + rest + R"(, "model_args": {)" + arguments +
                  "}}");
  };
  EXPECT_EQ(with(R"("in_chans": 4, "output_stride": 32, "act_layer": null)"), "resnet50");
  EXPECT_EQ(with(R"("in_chans": 4, "output_stride": 16)"), "resnet50 with output_stride=16");
  EXPECT_EQ(with(R"("act_layer": "silu")"), "resnet50 with act_layer=\"silu\"");
}

TEST(NamedNetworkTest, FoldersOfTransformers) {
  EXPECT_EQ(Beside(R"({"model_type": "resnet", "hidden_act": "relu"})"), "");
  EXPECT_EQ(
      Beside(R"({"model_type": "resnet", "downsample_in_bottleneck": true})", "pytorch_model.bin"),
      "resnet with downsample_in_bottleneck=true");
  EXPECT_EQ(Beside(R"({"model_type": "resnet", "hidden_act": "gelu"})"),
            "resnet with hidden_act=\"gelu\"");
}

TEST(NamedNetworkTest, OtherFolders) {
  EXPECT_EQ(Beside(R"({"architecture": "mine"})"), "");
  EXPECT_EQ(Beside(R"({"architecture": 1, "pretrained_cfg": {}})"), "");
  EXPECT_EQ(Beside(R"({"model_type": "vit", "hidden_act": "gelu"})"), "");
  EXPECT_EQ(Beside(R"({"architecture": "resnetaa50", "pretrained_cfg": {}})", "other.pth"), "");
  EXPECT_EQ(Beside("[1]"), "");
  EXPECT_EQ(Beside("{"), "");
  EXPECT_EQ(NetworkBeside("model.safetensors"), "");
}

TEST(NamedNetworkTest, Mmengine) {
  EXPECT_EQ(NetworkOfMmengine("model = dict(backbone=dict(type='ResNet', style='pytorch'))"), "");
  EXPECT_EQ(NetworkOfMmengine("backbone=dict(style='caffe')"), "ResNet with style='caffe'");
  EXPECT_EQ(NetworkOfMmengine("dilations=(1, 1, 1, 1), x, dilations=(1, 1, 2, 4), y"),
            "ResNet with dilations=(1, 1, 2, 4)");
  EXPECT_EQ(NetworkOfMmengine("dilations=(2"), "ResNet with dilations=(2");
  EXPECT_EQ(NetworkOfMmengine(""), "");
}

}  // namespace
}  // namespace moco
