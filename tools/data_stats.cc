// Mean and standard deviation of each channel: bazel run //tools:data_stats -- DATA
#include <gflags/gflags.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <opencv2/core/mat.hpp>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/exit_code.h"
#include "base/files.h"
#include "base/flags.h"
#include "data/dataset.h"

DEFINE_string(split, "pretraining", "images to read: pretraining, training or validation");
DEFINE_string(dataset, "", "data set format (a plugin name); empty: detect it");
DEFINE_int32(channels, 3, "channels that images are decoded to, 1 to 4");
DEFINE_int64(images, 0, "number of images to sample, evenly spaced; 0: all");
DEFINE_int32(threads, 0, "threads that read images; 0: one for each core");

namespace {

constexpr char kUsage[] =
    "Prints the mean and the standard deviation of each channel over all pixels, as the step for "
    "--views.\n\n"
    "  bazel run //tools:data_stats -- DATA\n\n";

// Sums of the channels' values. They are exact, so that the number of threads changes nothing.
struct Sums {
  std::array<uint64_t, 4> values = {}, squares = {};
  uint64_t pixels = 0;
  int64_t images = 0, damaged = 0;

  void Add(const cv::Mat& image) {
    for (int y = 0; y < image.rows; ++y) {
      const uint8_t* value = image.ptr(y);
      for (int x = 0; x < image.cols; ++x) {
        for (int c = 0; c < image.channels(); ++c, ++value) {
          values[c] += *value;
          squares[c] += *value * *value;
        }
      }
    }
    pixels += image.total();
    ++images;
  }

  void Add(const Sums& other) {
    for (int c = 0; c < 4; ++c) {
      values[c] += other.values[c];
      squares[c] += other.squares[c];
    }
    pixels += other.pixels;
    images += other.images;
    damaged += other.damaged;
  }
};

// The sums over `count` images, evenly spaced. ResourceExhausted if memory is short, or no thread
// can be started.
absl::StatusOr<Sums> SumOver(const data::Dataset& dataset, int64_t count, int threads) {
  Sums total;
  absl::Status status;  // the first error
  std::mutex mutex;
  std::atomic<int64_t> next = 0;
  const auto work = [&] {
    Sums sums;
    absl::Status own;
    for (int64_t i = next++; i < count && own.ok(); i = next++) {
      const auto image = data::ReadImageAt(dataset, i * dataset.size() / count);
      if (image.ok()) {
        sums.Add(*image);
      } else if (absl::IsResourceExhausted(image.status())) {
        own = image.status();
        next = count;  // the other threads stop, too
      } else {
        ++sums.damaged;
      }
    }
    std::lock_guard<std::mutex> lock(mutex);
    total.Add(sums);
    status.Update(own);
  };
  std::vector<std::thread> workers;
  std::string why;
  try {
    for (int t = 0; t < threads; ++t) workers.emplace_back(work);
  } catch (const std::system_error& e) {
    why = e.what();
  }
  // The threads that were started do all of the work.
  for (std::thread& worker : workers) worker.join();
  if (workers.empty()) {
    return absl::ResourceExhaustedError(absl::StrCat("cannot start a thread: ", why));
  }
  if (!status.ok()) return status;
  return total;
}

absl::Status Stats(int argc, char** argv) {
  const auto line = base::ParseCommandLine(argc, argv, /*aliases=*/{});
  if (!line.ok()) return line.status();
  if (line->help) {
    std::printf("%s%s", kUsage, base::FlagHelp("tools/data_stats.cc").c_str());
    return absl::OkStatus();
  }
  if (line->positional.size() != 1) return absl::InvalidArgumentError("give the data: DATA");
  const auto split = data::ReadSplit(FLAGS_split);
  if (!split.ok()) return split.status();
  for (const auto& [flag, value, low, high] :
       {std::tuple<const char*, double, double, double>{"channels", FLAGS_channels, 1, 4},
        {"images", FLAGS_images, 0, 1e12},
        {"threads", FLAGS_threads, 0, 1024}}) {
    if (absl::Status s = base::CheckFlag(flag, value, low, high); !s.ok()) return s;
  }
  const auto opened =
      data::OpenDataset(base::UserPath(line->positional[0]), *split, FLAGS_dataset, FLAGS_channels);
  if (!opened.ok()) return opened.status();
  const int64_t size = opened->dataset->size();
  const int cores = std::max(1u, std::thread::hardware_concurrency());
  const auto summed =
      SumOver(*opened->dataset, FLAGS_images == 0 ? size : std::min(FLAGS_images, size),
              FLAGS_threads == 0 ? cores : FLAGS_threads);
  if (!summed.ok()) return summed.status();
  const Sums& sums = *summed;
  if (sums.images == 0) {
    return absl::DataLossError(absl::StrCat("no image of '", opened->place, "' can be read"));
  }
  std::printf("%lld images of %s (%s), %lld pixels; %lld cannot be read\n",
              static_cast<long long>(sums.images), opened->place.c_str(), opened->format.c_str(),
              static_cast<long long>(sums.pixels), static_cast<long long>(sums.damaged));
  std::string means, deviations;
  for (int c = 0; c < FLAGS_channels; ++c) {
    const double n = static_cast<double>(sums.pixels);
    const double mean = sums.values[c] / n;
    const double variance = std::max(0.0, sums.squares[c] / n - mean * mean);
    const char* space = c == 0 ? "" : " ";
    absl::StrAppendFormat(&means, "%s%.4f", space, mean / 255);
    absl::StrAppendFormat(&deviations, "%s%.4f", space, std::sqrt(variance) / 255);
  }
  std::printf("normalize:mean=%s,std=%s\n", means.c_str(), deviations.c_str());
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) { return base::RunMain(Stats, argc, argv); }
