#include "lincls/tables/feature_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "data/test_images.h"
#include "lincls/tables/feature_table.h"

namespace lincls {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

FeatureFolderOptions Options(const std::string& seed = "0") {
  FeatureFolderOptions options;
  options.settings = {{"data", "/d"},
                      {"dataset", "tar"},
                      {"split", "training"},
                      {"folder", "/d/"},
                      {"images", 6},
                      {"classes", {"cat", "ship"}},
                      {"checkpoint", "c"},
                      {"weights", "0a1b2c3d"},
                      {"arch", "resnet18"},
                      {"eval_views", "to_tensor"},
                      {"features", {{"backbone", 2}, {"head", 1}}},
                      {"columns", {"moco_loss"}},
                      {"seed", seed}};
  options.seconds_between_syncs = 1e9;  // when it is told to
  return options;
}

// Images `from` and the next one; of the second batch the first is damaged.
FeatureFolder::Batch Batch(int from) {
  const float f = static_cast<float>(from);
  FeatureFolder::Batch batch;
  batch.images = 2;
  if (from == 2) {
    batch.files = {"3, or \"so\".jpg"};
    batch.labels = {-1};
    batch.matrices = {{3.5, 3.25}, {-3}};
    batch.columns = {{0.1f}};
    batch.bad_images = {{2, "/d/2.jpg", "is cut"}};
    return batch;
  }
  batch.files = {absl::StrCat(from, ".jpg"), absl::StrCat(from + 1, ".jpg")};
  batch.labels = {0, 1};
  batch.matrices = {{f, f + 0.5f, f + 1, f + 1.5f}, {-f, -f - 1}};
  batch.columns = {{f / 3, 1e-9f}};
  if (from == 4) batch.bad_images = {{2, "/d/2.jpg", "is cut"}};  // drawn as a substitute
  return batch;
}

std::map<std::string, std::string> Contents(const std::string& folder) {
  std::map<std::string, std::string> contents;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    contents[entry.path().filename()] = base::ReadFile(entry.path()).value();
  }
  return contents;
}

// All batches at once.
std::string Whole() {
  const std::string path = data::TestFolder("whole") + "/out";
  auto folder = FeatureFolder::Open(path, Options()).value();
  for (const int from : {0, 2, 4}) EXPECT_TRUE(folder->Append(Batch(from)).ok());
  EXPECT_TRUE(folder->Finish().ok());
  return path;
}

TEST(FeatureFolderTest, IsATableOfFeatures) {
  const std::string path = Whole();
  const auto table = OpenFeatures(path);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_THAT(table->files, ElementsAre("0.jpg", "1.jpg", "3, or \"so\".jpg", "4.jpg", "5.jpg"));
  EXPECT_THAT(table->labels, ElementsAre(0, 1, -1, 0, 1));
  const std::vector<double>& losses = table->columns.at("moco_loss");
  EXPECT_THAT(std::vector<float>(losses.begin(), losses.end()),
              ElementsAre(0, 1e-9f, 0.1f, 4 / 3.f, 1e-9f))
      << "not to the bit";
  std::vector<float> values(10);
  table->features.Read(0, 5, values.data());
  EXPECT_THAT(values, ElementsAre(0, 0.5, 1, 1.5, 3.5, 3.25, 4, 4.5, 5, 5.5));
  const auto head = OpenFeatures(path + "/head.npy").value();
  head.features.Read(0, 5, values.data());
  EXPECT_THAT(std::vector<float>(values.begin(), values.begin() + 5),
              ElementsAre(0, -1, -3, -4, -5));
  EXPECT_EQ(Contents(path).at("bad_images.txt"), "/d/2.jpg\tis cut\n");
  const auto again = FeatureFolder::Open(path, Options());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE((*again)->finished());
}

// Stopped after each batch: what was written after the last Sync is as if it had never been.
TEST(FeatureFolderTest, GoesOnAsIfItHadNotStopped) {
  const auto whole = Contents(Whole());
  for (const int synced : {0, 1, 2, 3}) {
    for (int written = synced; written <= 3; ++written) {
      const std::string path = data::TestFolder("stopped") + "/out";
      {
        auto folder = FeatureFolder::Open(path, Options()).value();
        for (int i = 0; i < written; ++i) {
          if (i == synced && synced > 0) EXPECT_TRUE(folder->Sync().ok());
          ASSERT_TRUE(folder->Append(Batch(2 * i)).ok());
        }
        if (written == synced && synced > 0) EXPECT_TRUE(folder->Sync().ok());
      }
      EXPECT_EQ(OpenFeatures(path).status().code(), absl::StatusCode::kDataLoss);
      auto folder = FeatureFolder::Open(path, Options());
      ASSERT_TRUE(folder.ok()) << folder.status();
      EXPECT_EQ((*folder)->done(), 2 * synced);
      EXPECT_EQ((*folder)->rows(), synced < 2 ? 2 * synced : 2 * synced - 1);
      EXPECT_EQ((*folder)->bad_images().size(), synced < 2 ? 0 : 1);
      for (int i = synced; i < 3; ++i) ASSERT_TRUE((*folder)->Append(Batch(2 * i)).ok());
      ASSERT_TRUE((*folder)->Finish().ok());
      EXPECT_EQ(Contents(path), whole) << synced << " of " << written;
    }
  }
}

TEST(FeatureFolderTest, SyncsByItself) {
  const std::string path = data::TestFolder("often") + "/out";
  FeatureFolderOptions options = Options();
  options.seconds_between_syncs = 0;
  {
    auto folder = FeatureFolder::Open(path, options).value();
    ASSERT_TRUE(folder->Append(Batch(0)).ok());
  }
  EXPECT_EQ(FeatureFolder::Open(path, options).value()->done(), 2);
}

TEST(FeatureFolderTest, OtherSettingsAreRefused) {
  const std::string path = Whole();
  const auto before = Contents(path);
  const auto other = FeatureFolder::Open(path, Options("1"));
  EXPECT_EQ(other.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(other.status().message()),
              AllOf(HasSubstr("'seed' is \"0\""), HasSubstr("\"1\""), HasSubstr("--out")));
  FeatureFolderOptions options = Options();
  options.settings["features"] = {{"backbone", 2}};
  EXPECT_THAT(std::string(FeatureFolder::Open(path, options).status().message()),
              AllOf(HasSubstr("'features' is {\"backbone\":2,\"head\":1}"),
                    HasSubstr(" {\"backbone\":2}")));
  EXPECT_EQ(Contents(path), before);
}

TEST(FeatureFolderTest, FilesOfAnotherOriginAreLeftAlone) {
  for (const char* name : {"images.csv", "head.npy"}) {
    const std::string path = data::TestFolder("theirs");
    data::WriteTestFile(absl::StrCat(path, "/", name), "mine");
    const auto folder = FeatureFolder::Open(path, Options());
    EXPECT_EQ(folder.status().code(), absl::StatusCode::kAlreadyExists) << folder.status();
    EXPECT_THAT(std::string(folder.status().message()), HasSubstr(name));
    EXPECT_EQ(Contents(path).size(), 1);
  }
}

TEST(FeatureFolderTest, AFolderThatWasDamagedIsRefused) {
  const auto unfinished = [] {
    const std::string path = data::TestFolder("damaged") + "/out";
    auto folder = FeatureFolder::Open(path, Options()).value();
    EXPECT_TRUE(folder->Append(Batch(0)).ok());
    EXPECT_TRUE(folder->Sync().ok());
    return path;
  };
  const std::string description = base::ReadFile(unfinished() + "/features.json").value();
  std::string without_rows = description;
  without_rows.replace(without_rows.find("\"rows\""), 6, "\"sows\"");
  const struct {
    const char* file;
    std::string contents;
  } cases[] = {{"features.json", description.substr(0, 100)},
               {"features.json", without_rows},
               {"images.csv", "file,label"},
               {"head.npy", "short"},
               {"head.npy", ""}};
  for (const auto& c : cases) {
    const std::string path = unfinished();
    data::WriteTestFile(absl::StrCat(path, "/", c.file), c.contents);
    const auto folder = FeatureFolder::Open(path, Options());
    EXPECT_EQ(folder.status().code(), absl::StatusCode::kDataLoss) << folder.status();
    EXPECT_THAT(std::string(folder.status().message()), HasSubstr(c.file));
    EXPECT_THAT(std::string(folder.status().message()), HasSubstr("another --out"));
  }
}

TEST(FeatureFolderTest, IsHeldByOneProcess) {
  const std::string path = data::TestFolder("busy") + "/out";
  const auto folder = FeatureFolder::Open(path, Options()).value();
  const auto second = FeatureFolder::Open(path, Options());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable) << second.status();
}

}  // namespace
}  // namespace lincls
