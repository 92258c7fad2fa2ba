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
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/cores.h"
#include "base/files.h"
#include "base/program.h"
#include "base/shared_flags.h"
#include "data/dataset.h"

MOCOPP_DATA_FLAGS;
MOCOPP_SPLIT_FLAG;
MOCOPP_CHANNELS_FLAG;
DEFINE_int64(images, 0, "[data: at least 0] number of images to sample, evenly spaced; 0: all");
MOCOPP_THREADS_FLAG;

namespace {

constexpr char kUsage[] =
    "Prints the mean and standard deviation of each channel over all pixels, as a normalize step "
    "for "
    "--views.\n\n"
    "  bazel run //tools:data_stats -- DATA\n";

// Sums of the channels' values. They are exact, so that the result does not depend on the number of
// threads.
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

// Computes the sums over `count` images, evenly spaced. ResourceExhausted if memory is short, or no
// thread can be started.
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

absl::Status Stats(const base::Arguments& arguments) {
  const auto split = data::ReadSplit(FLAGS_split);
  if (!split.ok()) return split.status();
  FLAGS_val = base::UserPath(FLAGS_val);
  const auto opened =
      data::OpenDataset(MOCOPP_DATA_SOURCE(base::UserPath(arguments[0]), FLAGS_channels), *split);
  if (!opened.ok()) return opened.status();
  const int64_t size = opened->dataset->size();
  const auto summed =
      SumOver(*opened->dataset, FLAGS_images == 0 ? size : std::min(FLAGS_images, size),
              FLAGS_threads == 0 ? base::Cores() : static_cast<int>(FLAGS_threads));
  if (!summed.ok()) return summed.status();
  const Sums& sums = *summed;
  if (sums.images == 0) {
    return absl::DataLossError(
        absl::StrCat("none of the images of '", opened->place, "' can be read"));
  }
  std::printf("%lld images of %s (%s), %lld pixels; %lld damaged\n",
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

int main(int argc, char** argv) {
  return base::Main(argc, argv, {.usage = kUsage, .arguments = "DATA"}, Stats);
}
