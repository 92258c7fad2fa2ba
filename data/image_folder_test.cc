// What only a folder of images has: links.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "data/dataset.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ImageFolderTest, LinksAreFollowedAndDoNotGoRound) {
  const std::string store = TestFolder("store"), root = TestFolder("data");
  WriteTestFile(store + "/1.png", EncodePng(TestImage(1)));
  std::filesystem::create_directory_symlink(store, root + "/a");
  std::filesystem::create_directory_symlink(store,
                                            root + "/b");  // a second class of the same images
  std::filesystem::create_directory_symlink(root, store + "/up");
  std::filesystem::create_symlink(store + "/1.png", root + "/2.png");
  const auto dataset = Datasets().Create("image_folder", root).value();
  EXPECT_THAT(dataset->classes(), ElementsAre("a", "b"));
  ASSERT_EQ(dataset->size(), 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(SameImage(dataset->Image(i).value(), TestImage(1)));
}

TEST(ImageFolderTest, BrokenLinksAreDamagedImages) {
  const std::string root = TestFolder("data");
  std::filesystem::create_symlink(root + "/nowhere", root + "/1.png");
  const auto dataset = Datasets().Create("image_folder", root).value();
  EXPECT_EQ(dataset->Image(0).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(dataset->Image(0).status().message()), HasSubstr(root + "/1.png'"));
}

TEST(ImageFolderTest, AFileIsNoFolder) {
  const std::string path = TestFolder("data") + "/1.png";
  WriteTestFile(path, "x");
  EXPECT_EQ(Datasets().Create("image_folder", path).status().message(),
            "cannot read folder '" + path + "': Not a directory; check the path");
}

}  // namespace
}  // namespace data
