#include "moco/backbones/resnet_shapes.h"

#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
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
  for (const char* conv : {"conv1", "conv2", "conv3"}) {
    shapes[absl::StrCat("layer4.3.", conv, ".weight")] = {512, 2048, 1, 1};
  }
  EXPECT_THAT(error(), HasSubstr("3, 4, 6, 4 bottleneck blocks"));
  EXPECT_THAT(error(), HasSubstr("--arch"));
}

// Blocks counted up to the gap would be those of a smaller network.
TEST(ResNetShapesTest, NamesAMissingConvolution) {
  for (const std::string spec : {"resnet18", "resnet50"}) {
    const ShapesByName whole = ShapesOf(spec);
    for (const auto& [name, shape] : whole) {
      if (!absl::StartsWith(name, "layer") || !absl::StrContains(name, "conv")) continue;
      ShapesByName shapes = whole;
      shapes.erase(name);
      EXPECT_THAT(std::string(ResNetOfShapes(shapes, "cifar").status().message()),
                  HasSubstr(absl::StrCat("'", name, "' is missing")));
    }
  }
  ShapesByName shapes = ShapesOf("resnet18");
  const auto erase = [&](const std::string& beginning) {
    for (auto it = shapes.begin(); it != shapes.end();) {
      it = absl::StartsWith(it->first, beginning) ? shapes.erase(it) : std::next(it);
    }
  };
  erase("layer2.0.");
  EXPECT_THAT(std::string(ResNetOfShapes(shapes, "cifar").status().message()),
              HasSubstr("'layer2.0.conv1.weight' is missing"));
  erase("layer2.");
  EXPECT_THAT(std::string(ResNetOfShapes(shapes, "cifar").status().message()),
              HasSubstr("'layer2.0.conv1.weight' is missing beside 'layer4."));
}

// A network that is no ResNet may have layers with such names.
TEST(ResNetShapesTest, OtherNamesAreIgnored) {
  ShapesByName shapes = ShapesOf("resnet18");
  shapes["layer5.weight"] = shapes["layer5.0.weight"] =
      shapes["layer6.1.attention.weight"] = {4, 4};
  EXPECT_EQ(ResNetOfShapes(shapes, "cifar").value(), "resnet18:stem=imagenet,channels=3");
}

}  // namespace
}  // namespace moco
