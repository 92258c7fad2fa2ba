#include "data/arch_channels.h"

#include <gtest/gtest.h>

namespace data {
namespace {

TEST(ArchChannelsTest, TheWholeNumberCounts) {
  EXPECT_EQ(ChannelsOfArch("resnet50:channels=1"), 1);
  EXPECT_EQ(ChannelsOfArch("resnet50:stem=cifar,channels=13"), 13);
  EXPECT_EQ(ChannelsOfArch("resnet50:channels=64"), 64);
}

TEST(ArchChannelsTest, OthersAreOfThreeChannels) {
  for (const char* arch : {"", "resnet50", "resnet50:stem=cifar", "resnet50:channels=65",
                           "resnet50:channels=x", "resnet50:channels", "x:channels=-1"}) {
    EXPECT_EQ(ChannelsOfArch(arch), 3) << arch;
  }
}

}  // namespace
}  // namespace data
