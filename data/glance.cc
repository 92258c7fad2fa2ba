#include "data/glance.h"

#include <algorithm>
#include <chrono>
#include <opencv2/core/mat.hpp>

#include "absl/strings/str_cat.h"
#include "data/overview.h"

namespace data {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kMostImages = 16;
constexpr std::chrono::milliseconds kMostTime{300};
constexpr double kMuchLarger = 1.5;  // a view, than the images

constexpr char kDoctor[] = "bazel run //tools:doctor looks at all of them";

}  // namespace

std::vector<std::string> Glance(const Dataset& dataset, const GlanceOptions& options) {
  const std::string note =
      absl::StrCat("note     ", options.what, options.what.empty() ? "" : ": ");
  const Overview overview = Summarize(dataset);
  std::vector<std::string> lines = DescribeOverview(overview, dataset.classes(), options.what);
  if (options.labels) {
    const std::string empty = EmptyClassesNote(overview, dataset.classes());
    if (!empty.empty()) lines.push_back(note + empty);
  }

  const auto end = Clock::now() + kMostTime;
  const int64_t count = std::min(kMostImages, dataset.size());
  int64_t read = 0, unreadable = 0;
  std::string why;  // the first cannot be read
  std::vector<int> sides;
  while (read < count && (read == 0 || Clock::now() < end)) {
    const auto image = ReadImageAt(dataset, read++ * dataset.size() / count);
    if (image.ok()) {
      sides.push_back(std::min(image->rows, image->cols));
    } else if (unreadable++ == 0) {
      why = std::string(image.status().message());
    }
  }
  if (unreadable > 0) {
    lines.push_back(absl::StrCat(note, unreadable, " of ", read,
                                 " images that were tried cannot be read: ", why,
                                 unreadable > 1 ? ", ..." : "", "; ", kDoctor));
  }
  if (sides.empty()) return lines;
  std::nth_element(sides.begin(), sides.begin() + sides.size() / 2, sides.end());
  const int median = sides[sides.size() / 2];
  if (options.view_size > kMuchLarger * median) {
    lines.push_back(absl::StrCat(note, "the views of ", options.view_size,
                                 " pixels are larger than the images, whose shorter side is ",
                                 median, " pixels (the median of ", sides.size(),
                                 "); lower --image-size; ", kDoctor));
  }
  return lines;
}

}  // namespace data
