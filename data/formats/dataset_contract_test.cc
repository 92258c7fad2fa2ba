// What every registered format keeps. A new plugin joins by a few lines in Write().
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/rng.h"
#include "data/dataset.h"
#include "data/decode.h"
#include "data/encode.h"
#include "data/formats/pack.h"
#include "data/loader.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::HasSubstr;

// Images of two classes, in the order in which every format has them.
struct Sample {
  int label;
  cv::Mat image;
  std::string file;  // PNG; of the formats that hold images of one size, nothing
};

class DatasetContract : public testing::TestWithParam<std::string> {
 protected:
  static bool HoldsFiles() {
    for (const char* pixels : {"cifar10", "cifar100", "idx", "npy", "npz", "stl10"}) {
      if (Is(pixels)) return false;
    }
    return true;
  }

  static std::vector<Sample> Samples() {
    const int size = Is("stl10") ? 96 : Is("idx") ? 28 : 32;
    std::vector<Sample> samples;
    for (int i = 0; i < 5; ++i) {
      cv::Mat image = HoldsFiles() ? TestImage(i, 20 + i, 31) : TestImage(i, size, size);
      if (Is("idx")) image = ToChannels(image, 1);
      samples.push_back({i < 2 ? 0 : 1, image, HoldsFiles() ? EncodePng(image) : ""});
    }
    return samples;
  }

  // Writes them in the form that the plugin reads, in a new folder, where they are the training
  // images, or all. Returns what the user would name.
  static std::string Write(const std::vector<Sample>& samples) {
    const std::string root = TestFolder("data");
    const auto write = [&](const std::string& name, const std::string& contents) {
      WriteTestFile(root + "/" + name, contents);
    };
    const auto join = [&](auto part) {
      std::string all;
      for (size_t i = 0; i < samples.size(); ++i) absl::StrAppend(&all, part(i, samples[i]));
      return all;
    };
    const auto name = [](int i, const Sample& s) { return absl::StrCat(s.label, "/", i, ".png"); };
    const auto planes = [](const Sample& s) { return Planes(s.image); };
    if (Is("image_folder")) {
      for (size_t i = 0; i < samples.size(); ++i) write(name(i, samples[i]), samples[i].file);
    } else if (Is("flat_folder")) {
      for (size_t i = 0; i < samples.size(); ++i) write(absl::StrCat(i, ".png"), samples[i].file);
    } else if (Is("file_list")) {
      for (size_t i = 0; i < samples.size(); ++i) write(name(i, samples[i]), samples[i].file);
      write("list.csv", join([&](int i, const Sample& s) {
              return absl::StrCat(name(i, s), ",", s.label, "\n");
            }));
      return root + "/list.csv";
    } else if (Is("tar")) {
      write("images.tar",
            join([&](int i, const Sample& s) { return TarEntry(name(i, s), s.file); }) + TarEnd());
      return root + "/images.tar";
    } else if (Is("zip")) {
      std::vector<ZipMember> members;
      for (size_t i = 0; i < samples.size(); ++i) {
        members.push_back({name(i, samples[i]), samples[i].file, /*deflated=*/i % 2 == 0});
      }
      write("images.zip", ZipArchive(members));
      return root + "/images.zip";
    } else if (Is("npy") || Is("npz")) {
      const std::string images =
          NpyFile("|u1", "(5, 32, 32, 3)", join([](int, const Sample& s) {
                    return std::string(reinterpret_cast<const char*>(s.image.data), 32 * 32 * 3);
                  }));
      const std::string labels = NpyFile(
          "|u1", "(5, 1)", join([](int, const Sample& s) { return std::string(1, s.label); }));
      if (Is("npy")) {
        write("train_images.npy", images);
        write("train_labels.npy", labels);
      } else {
        write("images.npz", ZipArchive({{"train_images.npy", images, /*deflated=*/true},
                                        {"train_labels.npy", labels}}));
        return root + "/images.npz";
      }
    } else if (Is("numbered_png")) {
      std::vector<int64_t> labels;
      for (size_t i = 0; i < samples.size(); ++i) {
        write(absl::StrCat("train/", i, ".png"), samples[i].file);
        labels.push_back(samples[i].label);
      }
      write("train_label_tensor.pt", LabelTensor(labels));
    } else if (Is("cifar10") || Is("cifar100")) {
      const auto record = [&](const Sample& s) {
        return absl::StrCat(Is("cifar100") ? "c" : "", std::string(1, s.label), planes(s));
      };
      write(Is("cifar10") ? "test_batch.bin" : "test.bin", record(samples[0]));
      if (Is("cifar10")) {
        for (int i = 0; i < 5; ++i) {
          write(absl::StrCat("data_batch_", i + 1, ".bin"), record(samples[i]));
        }
      } else {
        write("train.bin", join([&](int, const Sample& s) { return record(s); }));
      }
    } else if (Is("stl10")) {
      write("train_X.bin", join([&](int, const Sample& s) { return Planes(s.image.t()); }));
      write("train_y.bin", join([&](int, const Sample& s) { return std::string(1, s.label + 1); }));
    } else if (Is("idx")) {
      const std::string count{0, 0, 0, static_cast<char>(samples.size())};
      write("train-images-idx3-ubyte",
            absl::StrCat(std::string{0, 0, 8, 3}, count, std::string{0, 0, 0, 28, 0, 0, 0, 28},
                         join([&](int, const Sample& s) { return planes(s); })));
      write("train-labels-idx1-ubyte",
            absl::StrCat(std::string{0, 0, 8, 1}, count,
                         join([&](int, const Sample& s) { return std::string(1, s.label); })));
    } else if (Is("packed")) {
      for (size_t i = 0; i < samples.size(); ++i)
        write("folder/" + name(i, samples[i]), samples[i].file);
      const auto folder =
          Datasets().Create("image_folder").value()->Open(root + "/folder", Split::kTraining, {});
      EXPECT_TRUE(WritePack(**folder, Split::kTraining, /*decoded=*/false, root + "/images.pack",
                            [](int64_t) {})
                      .ok());
      std::filesystem::remove_all(root + "/folder");
      return root + "/images.pack";
    } else {
      ADD_FAILURE() << "say here how the contract writes data for '" << GetParam() << "'";
    }
    return root;
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

  static bool Is(const char* format) { return GetParam() == format; }

 private:
  // The channels one after the other.
  static std::string Planes(const cv::Mat& image) {
    std::string bytes;
    for (int c = 0; c < image.channels(); ++c) {
      for (int y = 0; y < image.rows; ++y) {
        for (int x = 0; x < image.cols; ++x) bytes += image.ptr(y, x)[c];
      }
    }
    return bytes;
  }
};

TEST_P(DatasetContract, ImagesAndLabelsInEveryNumberOfChannels) {
  const std::vector<Sample> samples = Samples();
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
      const int label = Is("flat_folder") ? -1 : samples[i].label;
      EXPECT_EQ((*dataset)->Label(i), label) << i;
      EXPECT_LT(label, static_cast<int>((*dataset)->classes().size())) << i;
      names.insert((*dataset)->Name(i));
    }
    EXPECT_EQ(names.size(), 5u);
  }
}

TEST_P(DatasetContract, IsDetected) {
  const std::string path = Write(Samples());
  const auto opened = OpenDataset(path, Split::kPretraining);
  if (Is("numbered_png") || Is("stl10")) {  // these have images for pretraining of their own
    EXPECT_THAT(std::string(opened.status().message()), HasSubstr("/unlabeled"));
    EXPECT_EQ(OpenDataset(path, Split::kTraining)->format, GetParam());
  } else {
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(opened->format, GetParam());
  }
}

TEST_P(DatasetContract, ThreadsMayReadAtOnce) {
  const std::vector<Sample> samples = Samples();
  const auto dataset = Open(Write(samples)).value();
  std::vector<cv::Mat> expected;
  for (const Sample& sample : samples) expected.push_back(ToChannels(sample.image, 3));
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
  const std::string path = Write(Samples());
  const auto batches = [&](int64_t first_step) {
    const auto dataset = Open(path).value();
    LoaderOptions options;
    options.batch_size = 2;
    options.rows = options.cols = 1;
    options.views = {[](const cv::Mat& image, base::Rng&, float* out) {
      std::copy_n(image.ptr(image.rows / 2), 3, out);
    }};
    options.threads = 2;
    options.first_step = first_step;
    options.last_step = 8;  // four epochs
    const auto loader = Loader::Create(*dataset, options).value();
    std::vector<std::vector<float>> seen;
    for (int64_t step = first_step; step < 8; ++step) {
      const Batch& batch = **loader->Next();
      seen.emplace_back(batch.views[0], batch.views[0] + 3 * batch.size);
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
  if (!HoldsFiles()) GTEST_SKIP() << "no images that could be damaged by themselves";
  std::vector<Sample> samples = Samples();
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
  const std::string path = Write(Samples());
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

}  // namespace
}  // namespace data
