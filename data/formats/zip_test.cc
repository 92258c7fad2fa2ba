// Zip archives as people's programs write them, and as they do not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "data/dataset.h"
#include "data/encode.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Png(int seed) { return EncodePng(TestImage(seed)); }

std::string Write(const std::string& bytes) {
  const std::string path = TestFolder("zip") + "/images.zip";
  WriteTestFile(path, bytes);
  return path;
}

// An archive with an image under each of the names.
std::string WriteImages(const std::vector<std::string>& names) {
  std::vector<ZipMember> members;
  for (size_t i = 0; i < names.size(); ++i) members.push_back({names[i], Png(i)});
  return Write(ZipArchive(members));
}

std::unique_ptr<Dataset> Open(const std::string& path, Split split = Split::kPretraining) {
  auto opened = OpenDataset(path, split);
  EXPECT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->format, "zip");
  return std::move(opened->dataset);
}

absl::Status ErrorOf(const std::string& path, Split split = Split::kPretraining,
                     const std::string& format = "") {
  const absl::Status status = OpenDataset(path, split, format).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("images.zip"));
  return status;
}

std::vector<std::string> NamesOf(const Dataset& dataset) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const std::string name = dataset.Name(i);
    names.push_back(name.substr(name.find(".zip:") + 5));
  }
  return names;
}

TEST(ZipTest, AnArchiveIsReadAsTheFolderItIsUnpackedTo) {
  const std::string root = TestFolder("data");
  std::vector<ZipMember> members;
  for (const char* name :
       {"b/2.png", "a/sub/1.png", "a/2.png", "a/.hidden.png", "__MACOSX/a/._2.png", "a/notes.txt",
        "empty/", "b/x.heic", "top.png", "a/10.PNG"}) {
    members.push_back({name, Png(members.size()), members.size() % 2 == 0});
    if (members.back().name != "empty/") {
      WriteTestFile(root + "/" + name, members.back().contents);
    }
  }
  std::filesystem::create_directories(root + "/empty");
  WriteTestFile(root + ".zip", ZipArchive(members));
  const auto archive = OpenDataset(root + ".zip", Split::kPretraining).value();
  const auto folder = OpenDataset(root, Split::kPretraining, "image_folder").value();
  ASSERT_EQ(archive.dataset->size(), folder.dataset->size());
  EXPECT_EQ(archive.dataset->classes(), folder.dataset->classes());
  for (int64_t i = 0; i < folder.dataset->size(); ++i) {
    EXPECT_EQ(archive.dataset->Label(i), folder.dataset->Label(i));
    EXPECT_EQ(archive.dataset->Name(i).substr(root.size() + 5),
              folder.dataset->Name(i).substr(root.size() + 1));
    EXPECT_EQ(archive.dataset->File(i).value(), folder.dataset->File(i).value());
    EXPECT_TRUE(SameImage(archive.dataset->Image(i).value(), folder.dataset->Image(i).value()));
  }
  for (const auto& notes : {archive.notes, folder.notes}) {
    EXPECT_THAT(notes, ElementsAre(AllOf(HasSubstr("1 .heic"), HasSubstr("heif-convert")),
                                   HasSubstr("'empty'")));
  }
}

TEST(ZipTest, SplitsAreFoldersOfTheArchive) {
  // With and without the folder that was packed.
  for (const std::string wrapper : {"", "pets/", "home/pets/"}) {
    const std::string path =
        WriteImages({wrapper + "train/a/1.png", wrapper + "train/b/2.png", wrapper + "val/a/3.png",
                     wrapper + "val/b/4.png", wrapper + "val/b/5.png"});
    EXPECT_EQ(Open(path)->size(), 2);
    EXPECT_EQ(Open(path, Split::kTraining)->size(), 2);
    const auto validation = Open(path, Split::kValidation);
    EXPECT_EQ(validation->size(), 3);
    EXPECT_THAT(validation->classes(), ElementsAre("a", "b"));
    EXPECT_EQ(NamesOf(*validation)[0], wrapper + "val/a/3.png");
    EXPECT_EQ(OpenDataset(path, Split::kPretraining, "zip:splits=false")->dataset->size(), 5);
  }
  const std::string test = WriteImages({"train/a/1.png", "test/a/2.png"});
  EXPECT_THAT(OpenDataset(test, Split::kValidation)->notes, Contains(HasSubstr("no val")));
}

TEST(ZipTest, WhatIsUnclearIsAskedAbout) {
  const std::string classes = WriteImages({"bus/1.png", "car/2.png", "train/3.png"});
  EXPECT_THAT(std::string(ErrorOf(classes).message()),
              AllOf(HasSubstr("/train'"), HasSubstr("zip:splits=false")));
  const std::string two = WriteImages({"train/a/1.png", "val/a/2.png", "valid/a/3.png"});
  EXPECT_THAT(std::string(ErrorOf(two, Split::kValidation).message()),
              AllOf(HasSubstr("/val'"), HasSubstr("/valid'")));
  const std::string train = WriteImages({"train/a/1.png", "train/b/2.png"});
  const absl::Status status = ErrorOf(train, Split::kValidation);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("--val"));
  // An archive without splits is not both of them.
  EXPECT_EQ(ErrorOf(WriteImages({"a/1.png", "b/2.png"}), Split::kTraining).code(),
            absl::StatusCode::kNotFound);
}

TEST(ZipTest, ArchivesAreTheSplitsOfAFolder) {
  const std::string root = TestFolder("data");
  // As `zip -r train.zip train` makes it, and without the folder.
  WriteTestFile(root + "/train.zip",
                ZipArchive({{"train/a/1.png", Png(1)}, {"train/b/2.png", Png(2)}}));
  WriteTestFile(root + "/val.ZIP", ZipArchive({{"a/3.png", Png(3)}}));
  EXPECT_THAT(Open(root)->classes(), ElementsAre("a", "b"));
  EXPECT_EQ(Open(root, Split::kTraining)->size(), 2);
  EXPECT_THAT(Open(root, Split::kValidation)->classes(), ElementsAre("a"));
  const auto elsewhere =
      OpenDataset({root + "/train.zip", root + "/val.ZIP"}, Split::kValidation).value();
  EXPECT_EQ(elsewhere.dataset->size(), 1);
}

TEST(ZipTest, AFolderAroundEverythingIsNoClass) {
  const std::string path = WriteImages({"pets/cat/1.png", "pets/dog/2.png"});
  const auto opened = OpenDataset(path, Split::kPretraining).value();
  EXPECT_THAT(opened.dataset->classes(), ElementsAre("cat", "dog"));
  EXPECT_THAT(opened.notes, ElementsAre(HasSubstr("folder 'pets'")));
  EXPECT_THAT(Open(WriteImages({"cat/1.png", "cat/2.png"}))->classes(), ElementsAre("cat"));
  EXPECT_THAT(Open(WriteImages({"1.png", "2.png"}))->classes(), IsEmpty());
}

// Records of 64 bits, sizes that follow, a comment, bytes before and after.
TEST(ZipTest, ArchivesInEveryForm) {
  std::vector<ZipMember> members;
  for (int i = 0; i < 4; ++i) {
    ZipMember member{absl::StrCat(i % 2, "/", i, ".png"), Png(i), i < 2};
    if (i % 2 == 0) member.flags = 8;
    members.push_back(member);
  }
  for (const bool zip64 : {false, true}) {
    const std::string plain = ZipArchive(members, zip64);
    std::string commented = plain;
    commented.replace(commented.size() - 2, 2, std::string("\x07\0", 2));
    for (const std::string& bytes : {plain, commented + "PK\5\6 no", "#!/bin/sh\nexit\n" + plain,
                                     plain + "\n\n", "x" + commented + "comment" + "y"}) {
      const auto dataset = Open(Write(bytes));
      ASSERT_EQ(dataset->size(), 4);
      for (int i = 0; i < 4; ++i) {
        const int seed = i % 2 * 2 + i / 2;
        EXPECT_TRUE(SameImage(dataset->Image(i).value(), TestImage(seed))) << zip64 << i;
      }
    }
  }
}

// UTF-8, stated or not; code page 437; and the backslashes of programs for Windows.
TEST(ZipTest, Names) {
  const auto classes = [](const ZipMember& member) {
    return Open(Write(ZipArchive({member, {"a/b.png", Png(2)}})))->classes();
  };
  const ZipMember utf8{"\xC3\xA9/1.png", Png(1)};
  EXPECT_THAT(classes(utf8), ElementsAre("a", "\xC3\xA9"));
  ZipMember stated = utf8;
  stated.flags = 0x800;
  EXPECT_THAT(classes(stated), ElementsAre("a", "\xC3\xA9"));
  ZipMember cp437{"\x82t\x82/1.png", Png(1)};
  EXPECT_THAT(classes(cp437), ElementsAre("a", "\xC3\xA9t\xC3\xA9"));
  ZipMember windows{"cat\\deep\\1.png", Png(1)};
  windows.system = 0;
  EXPECT_THAT(classes(windows), ElementsAre("a", "cat"));
  EXPECT_THAT(classes({"./../cat/1.png", Png(1)}), ElementsAre("a", "cat"));
  EXPECT_THAT(classes({"/a/x/../../cat//1.png", Png(1)}), ElementsAre("a", "cat"));
}

// As PowerShell 5 writes them, also by programs that state Unix.
TEST(ZipTest, BackslashesSeparateFoldersWhereNoNameHasASlash) {
  const std::string path =
      WriteImages({"train\\dog\\0.png", "train\\cat\\1.png", "val\\dog\\2.png"});
  EXPECT_THAT(Open(path, Split::kTraining)->classes(), ElementsAre("cat", "dog"));
  EXPECT_EQ(Open(path, Split::kValidation)->size(), 1);
  // A slash anywhere says that backslashes are parts of names.
  EXPECT_THAT(NamesOf(*Open(WriteImages({"a/1.png", "b\\2.png"}))),
              ElementsAre("b\\2.png", "a/1.png"));
}

TEST(ZipTest, OfSeveralEntriesWithOneNameTheLastIsUsed) {
  const std::string path =
      Write(ZipArchive({{"a/1.png", Png(1)}, {"a/2.png", Png(2)}, {"a/1.png", Png(3)}}));
  const auto opened = OpenDataset(path, Split::kPretraining).value();
  ASSERT_EQ(opened.dataset->size(), 2);
  EXPECT_TRUE(SameImage(opened.dataset->Image(0).value(), TestImage(3)));
  EXPECT_THAT(opened.notes, ElementsAre(AllOf(HasSubstr("1 images"), HasSubstr("'a/1.png'"))));
}

TEST(ZipTest, WhatCannotBeReadIsNamedWithTheRemedy) {
  ZipMember encrypted{"cat/1.png", Png(1)};
  encrypted.flags = 1;
  ZipMember link{"cat/1.png", "../2.png"};
  link.attributes = 0120777u << 16;
  const std::vector<std::pair<ZipMember, std::string>> cases = [&] {
    std::vector<std::pair<ZipMember, std::string>> all = {{encrypted, "encrypted"}, {link, "link"}};
    for (const auto& [method, name] :
         {std::pair(9, "Deflate64"), std::pair(12, "bzip2"), std::pair(14, "LZMA"),
          std::pair(93, "Zstandard"), std::pair(77, "method 77")}) {
      ZipMember member{"cat/1.png", Png(1)};
      member.method = method;
      all.emplace_back(member, name);
    }
    return all;
  }();
  for (const auto& [member, why] : cases) {
    const absl::Status status = ErrorOf(Write(ZipArchive({{"cat/0.png", Png(0)}, member})));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << why;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("'cat/1.png'"), HasSubstr(why), HasSubstr(";")));
    // What is no image may be as it likes.
    ZipMember other = member;
    other.name = "cat/1.txt";
    EXPECT_EQ(Open(Write(ZipArchive({{"cat/0.png", Png(0)}, other})))->size(), 1);
  }
  for (const char* name : {"x/data.npz", "x/inner.zip", "x/train-0.tar.gz"}) {
    EXPECT_THAT(std::string(ErrorOf(Write(ZipArchive({{name, "x"}}))).message()), HasSubstr(name));
  }
  EXPECT_THAT(std::string(ErrorOf(Write(ZipArchive({{"a/1.heic", "x"}}))).message()),
              AllOf(HasSubstr("1 .heic"), HasSubstr("heif-convert")));
  EXPECT_EQ(ErrorOf(Write(ZipArchive({}))).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(OpenDataset(Write(ZipArchive({{"a/1.png", Png(1)}, {"metadata.csv", "x"}})),
                          Split::kPretraining)
                  ->notes,
              ElementsAre(HasSubstr("'metadata.csv'")));
}

// Each damages one image and no other.
TEST(ZipTest, EntriesThatLie) {
  const std::string png = Png(1);
  ZipMember larger{"1.png", png, true};
  larger.size = png.size() + 1;
  ZipMember smaller{"1.png", png, true};
  smaller.size = png.size() - 1;
  ZipMember stored{"1.png", png};
  stored.size = png.size() + 1;
  ZipMember bomb{"1.png", std::string(5000, 'x'), true};
  bomb.size = int64_t{1} << 29;
  ZipMember huge{"1.png", png, true};
  huge.size = int64_t{1} << 31;
  ZipMember garbage{"1.png", png};
  garbage.method = 8;
  for (const ZipMember& member : {larger, smaller, stored, bomb, huge, garbage}) {
    const auto dataset =
        Open(Write(ZipArchive({{"0.png", Png(0)}, member, {"2.png", Png(2)}}, true)));
    const absl::Status status = dataset->Image(1).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr("images.zip:1.png'"));
    for (const int i : {0, 2}) {
      EXPECT_TRUE(SameImage(dataset->Image(i).value(), TestImage(i)));
    }
  }
  // A changed byte of an image that would still be one.
  std::string bytes = ZipArchive({{"1.png", png}});
  bytes[bytes.find("IEND") + 3] ^= 1;
  EXPECT_THAT(std::string(Open(Write(bytes))->Image(0).status().message()), HasSubstr("checksum"));
}

TEST(ZipTest, ArraysAreImagesWhereThereAreNoOthers) {
  const std::string array = NpyFile("|u1", "(2, 3)", "\1\2\3\4\5\6");
  const auto arrays = Open(Write(ZipArchive({{"cat/1.npy", array, true}, {"dog/2.npy", array}})));
  EXPECT_THAT(NamesOf(*arrays), ElementsAre("cat/1.npy", "dog/2.npy"));
  EXPECT_THAT(arrays->classes(), ElementsAre("cat", "dog"));
  EXPECT_EQ(arrays->Image(0)->ptr(1)[6], 6);
  // An array that cannot be unpacked matters only if it is an image.
  ZipMember encrypted = {"cat/0.npy", array};
  encrypted.flags = 1;
  EXPECT_THAT(std::string(ErrorOf(Write(ZipArchive({encrypted, {"cat/1.npy", array}}))).message()),
              HasSubstr("encrypted"));
  const auto both = Open(Write(ZipArchive({encrypted, {"cat/1.png", Png(1)}, {"b/2.npy", array}})));
  EXPECT_THAT(NamesOf(*both), ElementsAre("cat/1.png"));
  EXPECT_THAT(both->notes(), Contains(HasSubstr("1 files of arrays")));
}

// Such as the page of an error that a download has left.
TEST(ZipTest, WhatIsNoArchive) {
  for (const auto& [bytes, why] :
       {std::pair("", "is empty"), std::pair("<!DOCTYPE html>", "not a zip archive"),
        std::pair("PK\3\4 and no more", "is cut")}) {
    const absl::Status status = ErrorOf(Write(bytes));
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr(why));
  }
}

TEST(ZipTest, CutArchives) {
  const std::string whole = ZipArchive({{"1.png", Png(1)}, {"2.png", Png(2)}}, true);
  for (size_t size = 0; size < whole.size(); ++size) {
    const absl::Status status = ErrorOf(Write(whole.substr(0, size)));
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << size << ": " << status;
  }
  // The beginning is missing.
  EXPECT_EQ(ErrorOf(Write(whole.substr(20))).code(), absl::StatusCode::kDataLoss);
  std::string part = ZipArchive({{"1.png", Png(1)}});
  part[part.size() - 18] = 1;  // the number of this disk
  EXPECT_EQ(ErrorOf(Write(part)).code(), absl::StatusCode::kInvalidArgument);
  // The file is cut while it is open.
  const std::string path = Write(whole);
  const auto dataset = Open(path);
  std::filesystem::resize_file(path, 100);
  EXPECT_EQ(dataset->Image(1).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace data
