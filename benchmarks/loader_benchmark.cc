// Measures how long a data set takes to open and how much memory its index needs; then how many
// images per second one core decodes and augments: each step alone, and everything from the file to
// the network's floats for MoCo v2.
//
// Times are CPU time of this thread, so that a busy machine gives nearly the same numbers. Of
// several passes over the images, the fastest counts.
#include <gflags/gflags.h>
#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "augment/augmentation.h"
#include "augment/ops.h"
#include "augment/presets.h"
#include "base/exit_code.h"
#include "base/files.h"
#include "base/flags.h"
#include "base/rng.h"
#include "data/dataset.h"
#include "tensors/memory.h"

DEFINE_string(data, "", "images, in any format of docs/data.md");
DEFINE_string(dataset, "", "data set format (a plugin name); empty: detect it");
DEFINE_int32(channels, 3, "channels that the images are decoded to");
DEFINE_int32(size, 224, "rows and columns of a view");
DEFINE_int32(images, 200, "number of images to read, evenly spaced");
DEFINE_double(seconds, 1, "duration of each measurement");

namespace {

double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

size_t HeapBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Prints the rate of `work`, which is called repeatedly with 0 to count - 1.
void Measure(const std::string& what, int64_t count, const std::function<void(int64_t)>& work) {
  const double end = CpuSeconds() + FLAGS_seconds;
  double fastest = std::numeric_limits<double>::infinity();
  do {
    const double begin = CpuSeconds();
    for (int64_t i = 0; i < count; ++i) work(i);
    fastest = std::min(fastest, CpuSeconds() - begin);
  } while (CpuSeconds() < end);
  std::printf("%9.0f images/s %9.1f us  %s\n", count / fastest, 1e6 * fastest / count,
              what.c_str());
  std::fflush(stdout);
}

absl::Status Run(int argc, char** argv) {
  if (auto line = base::ParseCommandLine(argc, argv, {}); !line.ok()) return line.status();
  const std::string path = base::UserPath(FLAGS_data);
  const size_t before = HeapBytes();
  const auto began = std::chrono::steady_clock::now();
  auto opened = data::OpenDataset(
      {.path = path, .format = FLAGS_dataset, .decode = {.channels = FLAGS_channels}},
      data::Split::kPretraining);
  if (!opened.ok()) return opened.status();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const data::Dataset& dataset = *opened->dataset;
  std::printf("%lld images of %s (%s) opened in %.2f s, %.1f bytes in memory for each\n",
              static_cast<long long>(dataset.size()), opened->place.c_str(), opened->format.c_str(),
              took.count(), static_cast<double>(HeapBytes() - before) / dataset.size());

  // Evenly spaced, so that every class is included.
  const int64_t count = std::min<int64_t>(FLAGS_images, dataset.size());
  const auto index = [&](int64_t i) { return i * dataset.size() / count; };
  const auto stream = [](int64_t i, int view = 0) {
    return base::Rng(0, base::Purpose::kView, 0, i, view);
  };
  std::vector<cv::Mat> images;
  for (int64_t i = 0; i < count; ++i) {
    auto image = dataset.Image(index(i));
    if (!image.ok()) return image.status();
    images.push_back(*std::move(image));
  }
  std::printf("%lld of them, views of %d x %d, one core\n", static_cast<long long>(count),
              FLAGS_size, FLAGS_size);
  Measure("read and decode", count, [&](int64_t i) { (void)dataset.Image(index(i)); });

  // The later steps work on the results of the first.
  const std::string crop = absl::StrCat("random_resized_crop:scale_min=0.2,size=", FLAGS_size);
  const auto pipeline = augment::Pipeline::Create(crop, FLAGS_channels);
  if (!pipeline.ok()) return pipeline.status();
  std::vector<cv::Mat> crops;
  for (int64_t i = 0; i < count; ++i) {
    base::Rng rng = stream(i);
    crops.push_back((*pipeline)(images[i], rng));
  }
  const auto measure_step = [&](const std::string& step, const std::vector<cv::Mat>& inputs) {
    const auto pipeline = augment::Pipeline::Create(step, FLAGS_channels);
    if (!pipeline.ok()) return;  // a step on colours
    Measure(step, count, [&](int64_t i) {
      base::Rng rng = stream(i);
      (*pipeline)(inputs[i], rng);
    });
  };
  measure_step(crop, images);
  for (const char* step :
       {"color_jitter:brightness=0.4", "color_jitter:contrast=0.4", "color_jitter:saturation=0.4",
        "color_jitter:hue=0.1", "grayscale:p=1", "gaussian_blur:p=1", "intensity:p=1", "flip:p=1",
        "to_tensor", "to_tensor|normalize"}) {
    measure_step(step, crops);
  }

  const bool colour = FLAGS_channels == 3;
  const std::string normalize = augment::NormalizeSpec(colour ? "imagenet" : "grey");
  const augment::Pipeline view =
      augment::Pipeline::Create(augment::V2Views(FLAGS_size, 0.2, normalize, colour),
                                FLAGS_channels)
          .value();
  std::vector<float> floats(size_t{1} * FLAGS_size * FLAGS_size * FLAGS_channels);
  Measure("read, decode and two MoCo v2 views", count, [&](int64_t i) {
    const cv::Mat image = dataset.Image(index(i)).value();
    for (int v = 0; v < 2; ++v) {
      base::Rng rng = stream(i, v);
      // The loader hands out bytes; what trains makes floats of them.
      augment::WriteFloats(view.Image(image, rng), view.normalizations(), floats.data());
    }
  });
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  tensors::KeepFreedMemory();  // as the trainer does
  return base::RunMain(Run, argc, argv);
}
