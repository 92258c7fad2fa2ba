#include "data/image_names.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/encode.h"
#include "data/test_images.h"

namespace data {
namespace {

std::string DigestAt(const std::string& path) {
  const auto opened = OpenDataset(path, Split::kPretraining);
  EXPECT_TRUE(opened.ok()) << opened.status();
  return DigestOfNames(*opened->dataset, /*with_labels=*/true);
}

std::string DigestOf(const std::string& folder, const std::vector<std::string>& names) {
  const std::string root = TestFolder(folder);
  for (const std::string& name : names) {
    WriteTestFile(absl::StrCat(root, "/", name), EncodePng(TestImage(1)));
  }
  return DigestAt(root);
}

TEST(ImageNamesTest, OtherNamesHaveAnotherDigest) {
  const std::string digest = DigestOf("data", {"a/1.png", "b/2.png"});
  EXPECT_EQ(digest.size(), 16u);
  EXPECT_NE(digest, DigestOf("data", {"a/1.png", "b/3.png"}));
  EXPECT_NE(digest, DigestOf("data", {"a/1.png", "a/2.png"}));
  EXPECT_NE(digest, DigestOf("data", {"a/1.png", "b/2.png", "b/3.png"}));
  EXPECT_NE(DigestOf("data", {"1.png", "23.png"}), DigestOf("data", {"12.png", "3.png"}));
}

TEST(ImageNamesTest, MovedDataKeepTheirDigest) {
  const std::string digest = DigestOf("before", {"a/1.png", "b/2.png"});
  EXPECT_EQ(digest, DigestOf("elsewhere/deeper", {"a/1.png", "b/2.png"}));
  const std::string before = TestFolder("moved");
  WriteTestFile(before + "/train/a/1.png", EncodePng(TestImage(1)));
  WriteTestFile(before + "/train/a/2.png", EncodePng(TestImage(2)));
  const std::string held = DigestAt(before), after = TestFolder("another") + "/place";
  std::filesystem::rename(before, after);
  EXPECT_EQ(held, DigestAt(after));
}

// Rows of an array have no other names than their numbers.
class Rows : public Dataset {
 public:
  explicit Rows(std::string file, int64_t size = 3, int label = -1)
      : file_(std::move(file)), size_(size), label_(label) {}
  int64_t size() const override { return size_; }
  absl::StatusOr<cv::Mat> Image(int64_t) const override { return absl::UnimplementedError(""); }
  std::string Name(int64_t i) const override { return absl::StrCat(file_, ":", i); }
  int Label(int64_t i) const override { return i == 1 ? label_ : -1; }
  const std::vector<std::string>& classes() const override { return classes_; }

 private:
  const std::string file_;
  const int64_t size_;
  const int label_;
  const std::vector<std::string> classes_;
};

TEST(ImageNamesTest, AFileCountsAndSoDoLabelsIfAskedFor) {
  const auto digest = [](const Rows& rows) { return DigestOfNames(rows, /*with_labels=*/true); };
  EXPECT_EQ(digest(Rows("/d/a.npy")), digest(Rows("/e/a.npy")));
  EXPECT_NE(digest(Rows("/d/a.npy")), digest(Rows("/d/b.npy")));
  EXPECT_NE(digest(Rows("/d/a.npy")), digest(Rows("/d/a.npy", 3, 4)));
  EXPECT_EQ(DigestOfNames(Rows("/d/a.npy"), /*with_labels=*/false),
            DigestOfNames(Rows("/d/a.npy", 3, 4), /*with_labels=*/false));
  // Checkpoints hold it, so that it must not change.
  EXPECT_EQ(digest(Rows("/d/a.npy")), "07e50feda3c2abe2");
}

}  // namespace
}  // namespace data
