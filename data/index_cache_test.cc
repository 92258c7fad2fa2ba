// The names that are kept of a tree are never believed when they could be wrong.
#include "data/index_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/files.h"
#include "data/binary.h"
#include "data/test_images.h"

namespace data {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

std::vector<std::string> All(const Names& names) {
  std::vector<std::string> all;
  for (int64_t i = 0; i < names.size(); ++i) all.emplace_back(names[i]);
  return all;
}

class IndexCacheTest : public testing::Test {
 protected:
  IndexCacheTest() : root_(TestFolder("data")), cache_(TestFolder("cache")) {
    setenv("XDG_CACHE_HOME", cache_.c_str(), 1);
    for (const char* name : {"/b/2.png", "/a/1.png", "/a/deep/3.png"}) {
      WriteTestFile(root_ + name, "x");
    }
  }

  // Keeps the tree as if it had been read `later` nanoseconds after its last change. A name that is
  // not there tells in what follows whether names come from the cache.
  void Keep(int64_t later = int64_t{1} << 40) {
    Tree tree = ReadTree(root_).value();
    tree.names.Add("kept.png");
    int64_t changed = 0;
    for (const FolderState& folder : tree.folders) changed = std::max(changed, folder.changed);
    WriteIndex(root_, tree, changed + later);
  }
  bool IsTaken() { return ReadIndex(root_).has_value(); }

  const std::string root_, cache_;
  std::vector<std::string> notes_;
};

TEST_F(IndexCacheTest, KeptNamesAreTaken) {
  EXPECT_THAT(All(ListImages(root_, &notes_).value()),
              ElementsAre("a/1.png", "a/deep/3.png", "b/2.png"));
  Keep();
  EXPECT_THAT(All(ListImages(root_, &notes_).value()),
              ElementsAre("a/1.png", "a/deep/3.png", "b/2.png", "kept.png"));
  EXPECT_FALSE(ReadIndex(root_ + "/a").has_value());
}

TEST_F(IndexCacheTest, AnyChangeOfTheTreeIsNoticed) {
  const std::vector<void (*)(const std::string&)> changes = {
      [](const std::string& root) { WriteTestFile(root + "/a/deep/4.png", "x"); },
      [](const std::string& root) { fs::remove(root + "/a/deep/4.png"); },
      [](const std::string& root) { fs::rename(root + "/b/2.png", root + "/b/3.png"); },
      [](const std::string& root) { fs::create_directory(root + "/c"); },
      [](const std::string& root) { fs::remove(root + "/c"); },
      [](const std::string& root) {  // with the time of change set back
        const auto before = fs::last_write_time(root + "/b");
        WriteTestFile(root + "/b/5.png", "x");
        fs::last_write_time(root + "/b", before);
      },
      [](const std::string& root) {  // another folder of the same name
        fs::rename(root + "/b", root + "/../old");
        fs::copy(root + "/../old", root + "/b");
        fs::remove_all(root + "/../old");
      },
      [](const std::string& root) { fs::remove_all(root + "/b"); }};
  for (size_t i = 0; i < changes.size(); ++i) {
    Keep();
    ASSERT_TRUE(IsTaken());
    changes[i](root_);
    EXPECT_FALSE(IsTaken()) << "change " << i;
    EXPECT_EQ(All(ListImages(root_, &notes_).value()), All(ReadTree(root_)->names));
  }
}

TEST_F(IndexCacheTest, FoldersThatHaveJustChangedAreNotKept) {
  Keep(/*later=*/1'900'000'000);
  EXPECT_FALSE(fs::exists(IndexPath(root_)));
  Keep(/*later=*/2'000'000'000);
  EXPECT_TRUE(IsTaken());
}

TEST_F(IndexCacheTest, DamageIsNoticedAndWrittenOver) {
  Keep();
  const std::string whole = base::ReadFile(IndexPath(root_)).value();
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string bytes = whole;
    bytes[i] ^= 1 << i % 8;
    WriteTestFile(IndexPath(root_), bytes);
    EXPECT_FALSE(IsTaken()) << "byte " << i;
    WriteTestFile(IndexPath(root_), whole.substr(0, i));
    EXPECT_FALSE(IsTaken()) << "cut to " << i;
  }
  EXPECT_EQ(ListImages(root_, &notes_)->size(), 3);
  Keep();
  EXPECT_TRUE(IsTaken());
}

// A program with other codecs lists other files.
TEST_F(IndexCacheTest, NamesListedByOtherEndingsAreNotTaken) {
  Keep();
  std::string bytes = base::ReadFile(IndexPath(root_)).value();
  const size_t head = bytes.find('\n') + 1, ending = bytes.find(".png .");
  ASSERT_NE(ending, std::string::npos);
  bytes.replace(ending, 4, ".new");
  std::string crc;
  Append(Crc(absl::string_view(bytes).substr(head + 4)), crc);
  bytes.replace(head, 4, crc);
  WriteTestFile(IndexPath(root_), bytes);
  EXPECT_FALSE(IsTaken());
  bytes.replace(ending, 4, ".png");
  crc.clear();
  Append(Crc(absl::string_view(bytes).substr(head + 4)), crc);
  bytes.replace(head, 4, crc);
  WriteTestFile(IndexPath(root_), bytes);
  EXPECT_TRUE(IsTaken());
}

TEST_F(IndexCacheTest, WithoutAPlaceToKeepThemNamesAreRead) {
  WriteTestFile(cache_ + "/file", "x");
  setenv("XDG_CACHE_HOME", (cache_ + "/file/below").c_str(), 1);
  Keep();
  EXPECT_FALSE(IsTaken());
  EXPECT_EQ(ListImages(root_, &notes_)->size(), 3);
  unsetenv("XDG_CACHE_HOME");
  setenv("HOME", "", 1);
  EXPECT_EQ(IndexPath(root_), "");
  Keep();
  EXPECT_EQ(ListImages(root_, &notes_)->size(), 3);
}

}  // namespace
}  // namespace data
