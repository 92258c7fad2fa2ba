// What only folders of images have: folders, and links.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/encode.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path) {
  return Datasets().Create("image_folder").value()->Open(path, Split::kPretraining, {});
}

TEST(ImageFolderTest, ClassesAreFolders) {
  const std::string root = TestFolder("data");
  const std::vector<std::string> names = {"cat-b/1.png", "cat/2.png", "dog/3.png",
                                          "dog/below/4.PNG"};
  for (int i = 0; i < 4; ++i) WriteTestFile(root + "/" + names[i], EncodePng(TestImage(i)));
  for (const char* other : {"cat/notes.txt", ".hidden/x.png", "dog/.hidden.png", "png"}) {
    WriteTestFile(root + "/" + other, "x");
  }
  const auto dataset = Open(root).value();
  EXPECT_THAT(dataset->classes(), ElementsAre("cat", "cat-b", "dog"));
  ASSERT_EQ(dataset->size(), 4);
  const std::vector<int> labels = {1, 0, 2, 2};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(dataset->Name(i), root + "/" + names[i]);
    EXPECT_EQ(dataset->Label(i), labels[i]);
    EXPECT_TRUE(SameImage(dataset->Image(i).value(), TestImage(i)));
  }
}

TEST(ImageFolderTest, NoImageInIt) {
  const std::string root = TestFolder("data");
  for (const char* name : {"a/notes.txt", "b/.hidden.png", "png"}) {
    WriteTestFile(root + "/" + name, "x");
  }
  EXPECT_THAT(std::string(Open(root).status().message()),
              HasSubstr("'" + root + "' holds no images"));
}

TEST(ImageFolderTest, LinksAreFollowedAndDoNotGoRound) {
  const std::string store = TestFolder("store"), root = TestFolder("data");
  WriteTestFile(store + "/1.png", EncodePng(TestImage(1)));
  std::filesystem::create_directory_symlink(store, root + "/a");
  std::filesystem::create_directory_symlink(store,
                                            root + "/b");  // a second class of the same images
  std::filesystem::create_directory_symlink(root, store + "/up");
  std::filesystem::create_symlink(store + "/1.png", root + "/2.png");
  const auto dataset = Open(root).value();
  EXPECT_THAT(dataset->classes(), ElementsAre("a", "b"));
  ASSERT_EQ(dataset->size(), 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(SameImage(dataset->Image(i).value(), TestImage(1)));
}

TEST(ImageFolderTest, BrokenLinksAreDamagedImages) {
  const std::string root = TestFolder("data");
  std::filesystem::create_symlink(root + "/nowhere", root + "/1.png");
  const auto dataset = Open(root).value();
  EXPECT_EQ(dataset->Image(0).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(dataset->Image(0).status().message()), HasSubstr(root + "/1.png'"));
}

TEST(ImageFolderTest, AFileIsNoFolder) {
  const std::string path = TestFolder("data") + "/1.png";
  WriteTestFile(path, "x");
  EXPECT_EQ(Open(path).status().message(),
            "cannot read folder '" + path + "': Not a directory; check the path");
}

}  // namespace
}  // namespace data
