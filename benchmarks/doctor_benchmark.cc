// How fast the doctor looks at images, beside the loader that makes the views of MoCo v2 from the
// same images with as many threads; and how long the doctor and the start of a program take for
// many images, of which nothing is read.
//
// Both rates are wall-clock, in turn, --rounds times; the medians count.
#include <gflags/gflags.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <opencv2/core/utility.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "augment/augmentation.h"
#include "augment/presets.h"
#include "base/cores.h"
#include "base/exit_code.h"
#include "base/files.h"
#include "base/flags.h"
#include "base/format_count.h"
#include "base/progress.h"
#include "base/rng.h"
#include "data/dataset.h"
#include "data/glance.h"
#include "data/loader.h"
#include "tools/doctor/duplicates.h"
#include "tools/doctor/look.h"

DEFINE_string(data, "", "images in any form of docs/data.md; empty: only the parts without images");
DEFINE_int64(images, 2000, "number of images to read in each round");
DEFINE_int32(size, 224, "rows and columns of the loader's views");
DEFINE_int32(threads, 0, "threads of either; 0: one for each core");
DEFINE_int32(rounds, 3, "rounds");
DEFINE_int64(many, 512'000, "number of images of which nothing is read");

namespace {

using Clock = std::chrono::steady_clock;

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Images per second.
absl::StatusOr<double> LoaderRate(const data::Dataset& dataset, int64_t images, int threads,
                                  const augment::Pipeline& pipeline) {
  const augment::ImageType& type = pipeline.output();
  const data::ViewFunction view = [&](const cv::Mat& image, base::Rng& rng) {
    return pipeline.Image(image, rng);
  };
  data::LoaderOptions options;
  options.batch_size = 64;
  options.rows = type.rows;
  options.cols = type.cols;
  options.views = {view, view};
  options.threads = threads;
  options.last_step = images / options.batch_size;
  options.max_bad_images = dataset.size();
  const auto start = Clock::now();
  auto loader = data::Loader::Create(dataset, options);
  if (!loader.ok()) return loader.status();
  for (int64_t step = 0; step < options.last_step; ++step) {
    if (const auto batch = (*loader)->Next(); !batch.ok()) return batch.status();
  }
  return options.last_step * options.batch_size / base::SecondsSince(start);
}

absl::Status CompareRates(const std::string& path, int threads) {
  auto start = Clock::now();
  auto opened = data::OpenDataset(path, data::Split::kPretraining);
  if (!opened.ok()) return opened.status();
  const data::Dataset& dataset = *opened->dataset;
  std::printf("%6.2f s opening %s images\n", base::SecondsSince(start),
              base::FormatCount(dataset.size()).c_str());
  start = Clock::now();
  const auto glance =
      data::Glance(dataset, {.decode = opened->decode, .labels = true, .view_size = FLAGS_size});
  if (!glance.ok()) return glance.status();
  std::printf("%6.2f s glance at them, as at the start of a run\n", base::SecondsSince(start));
  const int64_t images = std::min<int64_t>(FLAGS_images, dataset.size());
  auto pipeline = augment::Pipeline::Create(augment::V2Views(FLAGS_size, 0.2, "normalize"));
  if (!pipeline.ok()) return pipeline.status();
  std::vector<double> looks, loads, ratios;
  for (int round = 0; round < FLAGS_rounds; ++round) {
    const auto look = doctor::LookAt(dataset, {images, threads, path});
    if (!look.ok()) return look.status();
    const auto load = LoaderRate(dataset, images, threads, *pipeline);
    if (!load.ok()) return load.status();
    looks.push_back(look->looked_at / look->seconds);
    loads.push_back(*load);
    ratios.push_back(looks.back() / loads.back());
  }
  std::printf("%6.0f images/s doctor, %6.0f images/s loader, two views of %d pixels, %d threads\n",
              Median(looks), Median(loads), FLAGS_size, threads);
  std::printf("%6.2f times the loader's rate (median of %d; %.2f to %.2f)\n", Median(ratios),
              FLAGS_rounds, *std::min_element(ratios.begin(), ratios.end()),
              *std::max_element(ratios.begin(), ratios.end()));
  return absl::OkStatus();
}

// Names and labels of so many images of 1,000 classes.
class ManyNames : public data::Dataset {
 public:
  explicit ManyNames(int64_t size) : size_(size) {
    for (int c = 0; c < 1000; ++c) classes_.push_back(absl::StrFormat("n%08d", c));
  }

  int64_t size() const override { return size_; }
  absl::StatusOr<cv::Mat> Image(int64_t) const override {
    return cv::Mat(8, 8, CV_8UC3, cv::Scalar());
  }
  std::string Name(int64_t i) const override {
    return absl::StrFormat("/data/imagenet/train/%s/%s_%d.JPEG", classes_[i % 1000],
                           classes_[i % 1000], i);
  }
  int Label(int64_t i) const override { return static_cast<int>(i % 1000); }
  const std::vector<std::string>& classes() const override { return classes_; }

 private:
  const int64_t size_;
  std::vector<std::string> classes_;
};

// Frequencies as photographs have them, of which the lower ones are stronger and those of the
// vertical are alike in many images; one image in a hundred is a near copy of another.
std::vector<doctor::Fingerprint> ManyFingerprints(int64_t count) {
  std::vector<doctor::Fingerprint> fingerprints(count);
  base::Rng rng(1, base::Purpose::kTest);
  for (int64_t i = 0; i < count; ++i) {
    doctor::Fingerprint& one = fingerprints[i];
    if (i % 100 == 99) one = fingerprints[rng.UniformInt(0, i - 1)];
    one.pixels = {static_cast<uint64_t>(i), 1};
    if (i % 100 == 99) {
      for (int flip = 0; flip < 3; ++flip) one.perceptual ^= uint64_t{1} << rng.UniformInt(0, 62);
      continue;
    }
    for (int bit = 0; bit < 63; ++bit) {
      const double ones = bit % 8 == 7 ? 0.8 : 0.5;
      one.perceptual = one.perceptual << 1 | (rng.Uniform(0, 1) < ones ? 1 : 0);
    }
    for (uint8_t& value : one.thumbnail) value = rng.UniformInt(0, 255);
  }
  return fingerprints;
}

absl::Status Run(int argc, char** argv) {
  if (auto line = base::ParseCommandLine(argc, argv, {}); !line.ok()) return line.status();
  cv::setNumThreads(1);
  const int threads = FLAGS_threads > 0 ? FLAGS_threads : base::Cores();
  if (!FLAGS_data.empty()) {
    if (absl::Status s = CompareRates(base::UserPath(FLAGS_data), threads); !s.ok()) return s;
  }
  const std::string many = base::FormatCount(FLAGS_many);
  const ManyNames names(FLAGS_many);
  auto start = Clock::now();
  const auto glance = data::Glance(names, {.labels = true});
  if (!glance.ok()) return glance.status();
  for (const std::string& line : *glance) std::printf("  %s\n", line.c_str());
  std::printf("%6.2f s glance at %s names and labels\n", base::SecondsSince(start), many.c_str());
  const std::vector<doctor::Fingerprint> fingerprints = ManyFingerprints(FLAGS_many);
  start = Clock::now();
  const doctor::Duplicates found = doctor::FindDuplicates(fingerprints, threads);
  std::printf("%6.2f s search for duplicates among %s images, %d threads: %s groups\n",
              base::SecondsSince(start), many.c_str(), threads,
              base::FormatCount(found.near.size()).c_str());
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) { return base::RunMain(Run, argc, argv); }
