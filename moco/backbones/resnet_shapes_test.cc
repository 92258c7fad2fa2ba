#include "moco/backbones/resnet_shapes.h"

#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "moco/backbones/backbone.h"
#include "moco/checkpoints/state_dict.h"

namespace moco {
namespace {

using ::testing::HasSubstr;

ShapesByName ShapesOf(const std::string& spec) {
  ShapesByName shapes;
  const auto backbone = Backbones().Create(spec, BackboneContext{}).value();
  for (const auto& [name, tensor] : GetState(*backbone)) shapes[name] = tensor.sizes().vec();
  return shapes;
}

// Every registered ResNet is told from the others by its shapes.
TEST(ResNetShapesTest, TellsEachNetwork) {
  for (const std::string& name : Backbones().Names()) {
    if (!absl::StrContains(name, "resne") || name == "resnet_small") continue;
    for (const std::string options : {":stem=imagenet,channels=3", ":stem=cifar,channels=5"}) {
      const std::string spec = name + options;
      const auto told = ResNetOfShapes(ShapesOf(spec), "cifar");
      ASSERT_TRUE(told.ok()) << told.status();
      EXPECT_EQ(*told, spec);
    }
  }
  const std::string small = "resnet_small:width=8,blocks=1,stages=3,stem=cifar,channels=1";
  EXPECT_EQ(ResNetOfShapes(ShapesOf(small), "cifar").value(), small);
  EXPECT_EQ(ResNetOfShapes(ShapesOf("resnet18:stem=cifar_linear"), "cifar_padded").value(),
            "resnet18:stem=cifar_padded,channels=3");
}

TEST(ResNetShapesTest, SaysWhatNoResNetHas) {
  ShapesByName shapes = ShapesOf("resnet50");
  const auto error = [&] {
    return std::string(ResNetOfShapes(shapes, "cifar").status().message());
  };
  shapes["conv1.weight"] = {64, 3, 5, 5};
  EXPECT_THAT(error(), HasSubstr("'conv1' is a convolution of 5x5"));
  shapes.erase("conv1.weight");
  EXPECT_THAT(error(), HasSubstr("no convolution 'conv1'"));
  shapes = ShapesOf("resnet50");
  shapes["layer4.3.conv1.weight"] = {512, 2048, 1, 1};
  EXPECT_THAT(error(), HasSubstr("3, 4, 6, 4 bottleneck blocks"));
  EXPECT_THAT(error(), HasSubstr("--arch"));
}

}  // namespace
}  // namespace moco
