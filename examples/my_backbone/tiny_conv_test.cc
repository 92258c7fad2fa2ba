#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "moco/backbones/backbone.h"

namespace my {
namespace {

TEST(TinyConvTest, EachLayerDoublesTheChannels) {
  EXPECT_EQ(moco::Backbones().Create("tiny_conv", {}).value()->feature_dim(), 64);
  EXPECT_EQ(moco::Backbones().Create("tiny_conv:width=5,layers=2", {}).value()->feature_dim(), 10);
}

TEST(TinyConvTest, ErrorsNameTheOption) {
  const absl::Status status = moco::Backbones().Create("tiny_conv:layers=0", {}).status();
  EXPECT_NE(status.message().find("option 'layers' is '0'"), std::string::npos) << status;
}

}  // namespace
}  // namespace my
