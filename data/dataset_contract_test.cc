// What every registered dataset keeps. A new plugin joins by one line in Write().
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "data/dataset.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Files = std::map<std::string, std::string>;  // from names to contents

class DatasetContract : public testing::TestWithParam<std::string> {
 protected:
  // The files in the form that the plugin reads; what the user would name.
  static std::string Write(const Files& files) {
    const std::string folder = TestFolder("data");
    if (GetParam() == "image_folder") {
      for (const auto& [name, contents] : files) WriteTestFile(folder + "/" + name, contents);
      return folder;
    }
    if (GetParam() == "tar") {
      std::string archive;
      for (const auto& [name, contents] : files)
        absl::StrAppend(&archive, TarEntry(name, contents));
      WriteTestFile(folder + "/images.tar", archive + TarEnd());
      return folder + "/images.tar";
    }
    ADD_FAILURE() << "say here how the contract writes data for '" << GetParam() << "'";
    return folder;
  }

  static absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path) {
    return Datasets().Create(GetParam(), path);
  }

  static void ExpectOneLineThatNames(const absl::Status& status, const std::string& path) {
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(std::string(status.message()), HasSubstr("'" + path + "'"));
    EXPECT_FALSE(absl::StrContains(status.message(), "\n"));
  }
};

TEST_P(DatasetContract, ImagesOfClasses) {
  const auto dataset = Open(Write({{"dog/b.png", EncodePng(TestImage(3))},
                                   {"cat/2.png", EncodePng(TestImage(2))},
                                   {"cat/notes.txt", "no image"},
                                   {"cat/1.png", EncodePng(TestImage(1))},
                                   {"dog/below/a.PNG", EncodePng(TestImage(4, 3, 5))},
                                   {".hidden/x.png", EncodePng(TestImage(5))},
                                   {"dog/.hidden.png", EncodePng(TestImage(6))}}));
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  const Dataset& d = **dataset;
  EXPECT_THAT(d.classes(), ElementsAre("cat", "dog"));
  ASSERT_EQ(d.size(), 4);
  const std::vector<std::string> names = {"cat/1.png", "cat/2.png", "dog/b.png", "dog/below/a.PNG"};
  const std::vector<int> labels = {0, 0, 1, 1};
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(d.Name(i), EndsWith(names[i]));
    EXPECT_EQ(d.Label(i), labels[i]);
    const auto image = d.Image(i);
    ASSERT_TRUE(image.ok()) << image.status();
    EXPECT_TRUE(SameImage(*image, i == 3 ? TestImage(4, 3, 5) : TestImage(i + 1))) << i;
  }
}

TEST_P(DatasetContract, ImagesWithoutClasses) {
  const auto dataset =
      Open(Write({{"2.png", EncodePng(TestImage(2))}, {"1.png", EncodePng(TestImage(1))}}));
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_THAT((*dataset)->classes(), IsEmpty());
  ASSERT_EQ((*dataset)->size(), 2);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ((*dataset)->Label(i), -1);
    EXPECT_TRUE(SameImage((*dataset)->Image(i).value(), TestImage(i + 1)));
  }
}

// The ending of a name is no promise.
TEST_P(DatasetContract, ImagesAreReadByContent) {
  const auto dataset = Open(Write({{"1.jpg", EncodePng(TestImage(1))}}));
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_TRUE(SameImage((*dataset)->Image(0).value(), TestImage(1)));
}

TEST_P(DatasetContract, DamagedImagesAreNamedAndTheOthersStay) {
  const std::string good = EncodePng(TestImage(1));
  const auto dataset = Open(Write({{"a/1.png", ""},
                                   {"a/2.png", good},
                                   {"a/3.png", good.substr(0, good.size() / 2)},
                                   {"a/4.png", "<html>"},
                                   {"a/5.png", good}}));
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  for (const auto& [index, why] : std::map<int, std::string>{
           {0, "is empty"}, {2, "is cut or damaged"}, {3, "is neither a JPEG nor a PNG image"}}) {
    const absl::Status status = (*dataset)->Image(index).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    ExpectOneLineThatNames(status, (*dataset)->Name(index));
    EXPECT_THAT(std::string(status.message()), HasSubstr(why));
  }
  for (int i : {1, 4}) EXPECT_TRUE(SameImage((*dataset)->Image(i).value(), TestImage(1)));
}

TEST_P(DatasetContract, ThreadsMayReadAtOnce) {
  Files files;
  for (int i = 0; i < 10; ++i) files[absl::StrCat(i, ".png")] = EncodePng(TestImage(i, 40, 40));
  files["5.png"].resize(100);
  const auto dataset = Open(Write(files)).value();
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const int index = (i * 7 + t) % 10;
        const auto image = dataset->Image(index);
        right +=
            index == 5 ? !image.ok() : image.ok() && SameImage(*image, TestImage(index, 40, 40));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 8 * 200);
}

TEST_P(DatasetContract, MissingPath) {
  const std::string path = TestFolder("data") + "/nowhere";
  const absl::Status status = Open(path).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  ExpectOneLineThatNames(status, path);
}

TEST_P(DatasetContract, NothingInIt) {
  const std::string path = Write({});
  const absl::Status status = Open(path).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  ExpectOneLineThatNames(status, path);
}

TEST_P(DatasetContract, NoImageInIt) {
  const std::string path = Write({{"a/notes.txt", "x"}, {"b/.hidden.png", "x"}, {"png", "x"}});
  const absl::Status status = Open(path).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  ExpectOneLineThatNames(status, path);
  EXPECT_THAT(std::string(status.message()), HasSubstr("holds no images"));
}

TEST_P(DatasetContract, IsDetected) {
  const std::string path = Write({{"1.png", EncodePng(TestImage(1))}});
  EXPECT_EQ(DetectDataset(path).value(), GetParam());
}

INSTANTIATE_TEST_SUITE_P(All, DatasetContract, testing::ValuesIn(Datasets().Names()),
                         [](const auto& info) { return info.param; });

TEST(DatasetTest, DetectionSaysWhatItLookedFor) {
  const std::string folder = TestFolder("data");
  EXPECT_EQ(DetectDataset(folder + "/nowhere").status().code(), absl::StatusCode::kNotFound);
  WriteTestFile(folder + "/a.zip", "x");
  EXPECT_THAT(std::string(DetectDataset(folder + "/a.zip").status().message()),
              HasSubstr("is neither a folder nor a .tar file"));
  WriteTestFile(folder + "/shard-0.tar", "x");
  EXPECT_EQ(DetectDataset(folder).value(), "tar");
}

}  // namespace
}  // namespace data
