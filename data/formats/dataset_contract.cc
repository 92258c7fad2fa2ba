// What every registered format keeps.
#include "data/formats/dataset_contract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/rng.h"
#include "data/dataset.h"
#include "data/decode.h"
#include "data/encode.h"
#include "data/loader.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::HasSubstr;

std::map<std::string, ContractFormat>& Formats() {
  static auto& formats = *new std::map<std::string, ContractFormat>;
  return formats;
}

class DatasetContract : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ASSERT_EQ(Formats().count(GetParam()), 1u)
        << "the test does not say how data of '" << GetParam()
        << "' are written: see data/formats/dataset_contract.h";
  }

  static const ContractFormat& ThisFormat() { return Formats().at(GetParam()); }

  static std::vector<ContractImage> Images() {
    const ContractFormat& format = ThisFormat();
    std::vector<ContractImage> images;
    for (int i = 0; i < 5; ++i) {
      const cv::Mat image =
          format.holds_files ? TestImage(i, 20 + i, 31) : TestImage(i, format.size, format.size);
      images.push_back({i < 2 ? 0 : 1, ToChannels(image, format.channels),
                        format.holds_files ? EncodePng(image) : ""});
    }
    return images;
  }

  // Writes them in a new folder. Returns what the user would name.
  static std::string Write(const std::vector<ContractImage>& images) {
    return ThisFormat().write(images, TestFolder("data"));
  }

  static absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path, int channels = 3) {
    return Datasets()
        .Create(GetParam())
        .value()
        ->Open(path, Split::kTraining, {.channels = channels});
  }

  static void ExpectOneLine(const absl::Status& status) {
    EXPECT_FALSE(status.ok());
    EXPECT_FALSE(absl::StrContains(status.message(), "\n")) << status;
  }
};

TEST_P(DatasetContract, ImagesAndLabelsInEveryNumberOfChannels) {
  const std::vector<ContractImage> samples = Images();
  const std::string path = Write(samples);
  for (int channels = 1; channels <= 4; ++channels) {
    const auto dataset = Open(path, channels);
    ASSERT_TRUE(dataset.ok()) << dataset.status();
    ASSERT_EQ((*dataset)->size(), 5);
    std::set<std::string> names;
    for (int i = 0; i < 5; ++i) {
      const auto image = (*dataset)->Image(i);
      ASSERT_TRUE(image.ok()) << image.status();
      EXPECT_TRUE(SameImage(*image, ToChannels(samples[i].image, channels))) << i;
      const int label = ThisFormat().has_labels ? samples[i].label : -1;
      EXPECT_EQ((*dataset)->Label(i), label) << i;
      EXPECT_LT(label, static_cast<int>((*dataset)->classes().size())) << i;
      names.insert((*dataset)->Name(i));
    }
    EXPECT_EQ(names.size(), 5u);
  }
}

TEST_P(DatasetContract, IsDetected) {
  const std::string path = Write(Images());
  const auto opened = OpenDataset(path, Split::kPretraining);
  if (!ThisFormat().pretraining_part.empty()) {
    EXPECT_THAT(std::string(opened.status().message()), HasSubstr(ThisFormat().pretraining_part));
    EXPECT_EQ(OpenDataset(path, Split::kTraining)->format, GetParam());
  } else {
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(opened->format, GetParam());
  }
}

TEST_P(DatasetContract, ThreadsMayReadAtOnce) {
  const std::vector<ContractImage> samples = Images();
  const auto dataset = Open(Write(samples)).value();
  std::vector<cv::Mat> expected;
  for (const ContractImage& sample : samples) expected.push_back(ToChannels(sample.image, 3));
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const int index = (i * 7 + t) % 5;
        const auto image = dataset->Image(index);
        right += image.ok() && SameImage(*image, expected[index]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 8 * 200);
}

// A resumed run goes on with the batches that it would have had.
TEST_P(DatasetContract, BatchesFromAnyStepOn) {
  const std::string path = Write(Images());
  const auto batches = [&](int64_t first_step) {
    const auto dataset = Open(path).value();
    LoaderOptions options;
    options.batch_size = 2;
    options.rows = options.cols = 1;
    options.views = {
        [](const cv::Mat& image, base::Rng&) { return image.row(image.rows / 2).col(0); }};
    options.threads = 2;
    options.first_step = first_step;
    options.last_step = 8;  // four epochs
    const auto loader = Loader::Create(*dataset, options).value();
    std::vector<std::vector<float>> seen;
    for (int64_t step = first_step; step < 8; ++step) {
      const Batch& batch = **loader->Next();
      const uint8_t* const values = batch.views[0].ptr();
      seen.emplace_back(values, values + 3 * batch.size);
      seen.back().insert(seen.back().end(), batch.samples.begin(), batch.samples.end());
      seen.back().insert(seen.back().end(), batch.labels.begin(), batch.labels.end());
    }
    return seen;
  };
  const auto all = batches(0);
  for (int step = 1; step < 8; ++step) {
    EXPECT_EQ(batches(step), std::vector(all.begin() + step, all.end())) << "from step " << step;
  }
}

TEST_P(DatasetContract, MissingPath) {
  const std::string path = TestFolder("data") + "/nowhere";
  for (const absl::Status& status :
       {Open(path).status(), OpenDataset(path, Split::kPretraining, GetParam()).status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
    ExpectOneLine(status);
    EXPECT_THAT(std::string(status.message()), HasSubstr("'" + path));
  }
}

TEST_P(DatasetContract, NothingInIt) {
  const std::string path = TestFolder("data");
  const absl::Status status = Open(path).status();
  ExpectOneLine(status);
  EXPECT_THAT(std::string(status.message()), HasSubstr("'" + path));
}

// The ending of a name is no promise, and a damaged image says its name and harms no other.
TEST_P(DatasetContract, DamagedImagesAreNamedAndTheOthersStay) {
  if (!ThisFormat().holds_files) GTEST_SKIP() << "no images that could be damaged by themselves";
  std::vector<ContractImage> samples = Images();
  const std::string good = samples[1].file;
  samples[0].file = "";
  samples[2].file = good.substr(0, good.size() / 2);
  samples[3].file = "<html>";
  const auto dataset = Open(Write(samples));
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  const std::pair<int, const char*> damaged[] = {
      {0, "is empty"}, {2, "is cut or damaged"}, {3, "is not an image"}};
  for (const auto& [index, why] : damaged) {
    const absl::Status status = (*dataset)->Image(index).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    ExpectOneLine(status);
    EXPECT_THAT(std::string(status.message()), HasSubstr("'" + (*dataset)->Name(index) + "'"));
    EXPECT_THAT(std::string(status.message()), HasSubstr(why));
  }
  for (int i : {1, 4}) EXPECT_TRUE(SameImage((*dataset)->Image(i).value(), samples[i].image));
}

// Whatever a file holds, the answer is an error of one line or images.
TEST_P(DatasetContract, FilesThatAreCutOrChanged) {
  const std::string path = Write(Images());
  std::vector<std::string> files;
  const std::string root = std::filesystem::is_directory(path)
                               ? path
                               : std::filesystem::path(path).parent_path().string();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  base::Rng rng(1, base::Purpose::kTest);
  for (const std::string& file : files) {
    const std::string whole = base::ReadFile(file).value();
    for (int i = 0; i < 24; ++i) {
      std::string bytes = whole;
      if (i % 4 == 0) bytes.resize(rng.UniformInt(0, whole.size()));
      for (int flips = 1 << i % 5; i > 3 && !bytes.empty() && flips > 0; --flips) {
        // The beginning has the headers.
        const int64_t last = std::min<int64_t>(bytes.size(), i % 2 == 0 ? 64 : bytes.size()) - 1;
        bytes[rng.UniformInt(0, last)] = static_cast<char>(rng.NextBits());
      }
      WriteTestFile(file, bytes);
      const auto dataset = Open(path);
      if (!dataset.ok()) {
        ExpectOneLine(dataset.status());
        continue;
      }
      for (int64_t s = 0; s < std::min<int64_t>((*dataset)->size(), 10); ++s) {
        if (const auto image = (*dataset)->Image(s); !image.ok()) ExpectOneLine(image.status());
        EXPECT_GE((*dataset)->Label(s), -1);
        EXPECT_LT((*dataset)->Label(s), static_cast<int>((*dataset)->classes().size()));
      }
    }
    WriteTestFile(file, whole);
  }
}

INSTANTIATE_TEST_SUITE_P(All, DatasetContract, testing::ValuesIn(Datasets().Names()),
                         [](const auto& info) { return info.param; });

TEST(DatasetContractTest, IsOfSomething) { EXPECT_FALSE(Datasets().Names().empty()); }

}  // namespace

bool AddContractFormat(const std::string& name, ContractFormat format) {
  return Formats().emplace(name, std::move(format)).second;
}

}  // namespace data
