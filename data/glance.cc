#include "data/glance.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <opencv2/core.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "data/overview.h"

namespace data {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kMostImages = 16;
constexpr int64_t kImagesForError = 8;
constexpr std::chrono::milliseconds kMostTime{300};
constexpr double kMuchLarger = 1.5;  // a view, than the images

constexpr char kDoctor[] = "bazel run //tools:doctor looks at all of them";

// What the few images show.
struct Sample {
  int64_t tried = 0, unreadable = 0, wide = 0;  // wide: of more than 8 bits
  absl::Status first;                           // of the first that cannot be read
  std::vector<int> sides;                       // the shorter side of each that can be read
  double largest = 0;                           // value of the wide ones

  void Add(const absl::StatusOr<cv::Mat>& image) {
    ++tried;
    if (!image.ok()) {
      if (unreadable++ == 0) first = image.status();
      return;
    }
    sides.push_back(std::min(image->rows, image->cols));
    if (image->depth() == CV_8U) return;
    ++wide;
    double most;
    cv::minMaxLoc(image->reshape(1), nullptr, &most);
    largest = std::max(largest, most);
  }

  static Sample Of(const Dataset& dataset) {
    Sample sample;
    const auto end = Clock::now() + kMostTime;
    const int64_t count = std::min(kMostImages, dataset.size());
    const auto goes_on = [&] {
      return Clock::now() < end || (sample.sides.empty() && sample.tried < kImagesForError);
    };
    while (sample.tried < count && goes_on()) {
      sample.Add(ReadImageAt(dataset, sample.tried * dataset.size() / count));
    }
    return sample;
  }
};

// The number of bits that values of 16 bits use, if it is less; else 0.
int UnusedBits(const Sample& sample, const DecodeOptions& decode) {
  if (sample.wide == 0 || sample.largest == 0 || !decode.range.empty()) return 0;
  const int bits = std::bit_width(static_cast<uint32_t>(std::lround(sample.largest * 65535)));
  return bits < 16 ? bits : 0;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> Glance(const Dataset& dataset,
                                                const GlanceOptions& options) {
  const Sample sample = Sample::Of(dataset);
  if (sample.sides.empty()) {
    return absl::Status(sample.first.code(),
                        absl::StrCat(sample.first.message(), " (none of ", sample.tried,
                                     " images that were tried can be read)"));
  }
  const std::string note =
      absl::StrCat("note     ", options.what, options.what.empty() ? "" : ": ");
  const Overview overview = Summarize(dataset);
  std::vector<std::string> lines = DescribeOverview(overview, dataset.classes(), options.what);
  if (options.labels) {
    const std::string empty = EmptyClassesNote(overview, dataset.classes());
    if (!empty.empty()) lines.push_back(note + empty);
  }
  if (sample.unreadable > 0) {
    lines.push_back(absl::StrCat(note, sample.unreadable, " of ", sample.tried,
                                 " images that were tried cannot be read: ", sample.first.message(),
                                 sample.unreadable > 1 ? ", ..." : "", "; ", kDoctor));
  }
  const auto read = static_cast<int64_t>(sample.sides.size());
  if (sample.wide > 0 && sample.wide < read) {
    lines.push_back(absl::StrCat(note, sample.wide, " of ", read,
                                 " images that were tried have more than 8 bits, the others 8"));
  }
  if (const int bits = UnusedBits(sample, options.decode); bits > 0) {
    lines.push_back(absl::StrCat(
        note, "the images have 16 bits, but no value of those that were tried is above ",
        std::lround(sample.largest * 65535), "; if they were taken with ", bits,
        " bits, give --range=0:", (1 << bits) - 1, ", or --range=auto"));
  }
  std::vector<int> sides = sample.sides;
  std::nth_element(sides.begin(), sides.begin() + sides.size() / 2, sides.end());
  const int median = sides[sides.size() / 2];
  if (options.view_size > kMuchLarger * median) {
    lines.push_back(absl::StrCat(note, "the views of ", options.view_size,
                                 " pixels are larger than the images, whose shorter side is ",
                                 median, " pixels (the median of ", read, "); lower --image-size; ",
                                 kDoctor));
  }
  return lines;
}

}  // namespace data
