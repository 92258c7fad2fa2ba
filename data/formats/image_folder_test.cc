// What only folders of images have: folders, and links.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/dataset.h"
#include "data/encode.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path) {
  return Datasets().Create("image_folder").value()->Open(path, Split::kPretraining, {});
}

TEST(ImageFolderTest, ClassesAreFolders) {
  const std::string root = TestFolder("data");
  const std::vector<std::string> names = {"cat/2.png", "cat-b/1.png", "dog/3.png",
                                          "dog/below/4.PNG"};
  for (int i = 0; i < 4; ++i) WriteTestFile(root + "/" + names[i], EncodePng(TestImage(i)));
  for (const char* other : {"cat/notes.txt", ".hidden/x.png", "dog/.hidden.png", "png"}) {
    WriteTestFile(root + "/" + other, "x");
  }
  const auto dataset = Open(root).value();
  EXPECT_THAT(dataset->classes(), ElementsAre("cat", "cat-b", "dog"));
  ASSERT_EQ(dataset->size(), 4);
  const std::vector<int> labels = {0, 1, 2, 2};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(dataset->Name(i), root + "/" + names[i]);
    EXPECT_EQ(dataset->Label(i), labels[i]);
    EXPECT_TRUE(SameImage(dataset->Image(i).value(), TestImage(i)));
  }
}

// torchvision sorts the classes, then the folders of a class, then the files of a folder.
TEST(ImageFolderTest, TheOrderIsTorchvisions) {
  const std::string root = TestFolder("data");
  const std::vector<std::string> names = {
      "0.png",         "a/1.png", "a/z.png",  "a/sub/0.png", "a/sub/2.png",   "a/sub-b/0.png",
      "a/sub/x/0.png", "b/0.png", "b-/0.png", "b-/a/0.png",  "\xC3\xA9/0.png"};
  for (const std::string& name : names) WriteTestFile(root + "/" + name, EncodePng(TestImage(1)));
  std::filesystem::create_directories(root + "/empty/below");
  const auto dataset = Open(root).value();
  EXPECT_THAT(dataset->classes(), ElementsAre("a", "b", "b-", "\xC3\xA9"));
  for (size_t i = 0; i < names.size(); ++i) EXPECT_EQ(dataset->Name(i), root + "/" + names[i]);
  EXPECT_THAT(dataset->notes(), ElementsAre(HasSubstr("'empty'")));
}

// Pickles, JSON and CSV hold the names of classes as UTF-8; images keep their paths.
TEST(ImageFolderTest, NamesOfClassesAreUtf8) {
  const std::string root = TestFolder("data");
  for (const char* name : {"caf\xE9/1.png", "th\xC3\xA9/2.png"}) {
    WriteTestFile(root + "/" + name, EncodePng(TestImage(1)));
  }
  const auto dataset = Open(root).value();
  EXPECT_THAT(dataset->classes(), ElementsAre("caf\\xe9", "th\xC3\xA9"));
  EXPECT_THAT(dataset->notes(), IsEmpty());
  EXPECT_EQ(dataset->Name(0), root + "/caf\xE9/1.png");
  EXPECT_TRUE(dataset->Image(0).ok());
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

// What no codec reads is told by its name, counted, and left out with the way to convert it.
TEST(ImageFolderTest, KindsThatAreNotReadAreLeftOutAndCounted) {
  const std::string root = TestFolder("data");
  for (const char* name : {"cat/1.png", "cat/2.HEIC", "dog/3.dcm", "dog/4.heic", "dog/5.jpg"}) {
    WriteTestFile(absl::StrCat(root, "/", name), "x");
  }
  const auto dataset = Datasets().Create("image_folder").value()->Open(root, Split::kTraining, {});
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ((*dataset)->size(), 2);
  ASSERT_EQ((*dataset)->notes().size(), 1u);
  const std::string note = (*dataset)->notes()[0];
  for (const char* part : {"2 .heic", "1 .dcm", "heif-convert", "dcmj2pnm", "libheif-examples"}) {
    EXPECT_NE(note.find(part), std::string::npos) << part << " is not in " << note;
  }
}

TEST(ImageFolderTest, OnlyKindsThatAreNotReadAreRefusedWithTheCommandThatConverts) {
  const std::string folders = TestFolder("folders"), flat = TestFolder("flat");
  WriteTestFile(folders + "/train/cat/1.heic", "x");
  WriteTestFile(folders + "/train/dog/2.heic", "x");
  WriteTestFile(flat + "/1.jxl", "x");
  for (const auto& [root, parts] : {std::pair(folders, std::vector{"2 .heic", "heif-convert"}),
                                    {flat, std::vector{".jxl", "djxl"}}}) {
    const absl::Status status = OpenDataset(root, Split::kPretraining).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    for (const char* part : parts) {
      EXPECT_NE(status.message().find(part), std::string::npos) << status;
    }
  }
}

}  // namespace
}  // namespace data
