#include "data/values.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <opencv2/core/mat.hpp>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "registry/options.h"

namespace data {
namespace {

constexpr int64_t kImages = 256;          // of the sample
constexpr int64_t kPixelsOfImage = 4096;  // looked at for a range
constexpr double kLowShare = 0.001, kHighShare = 0.999;

// Calls look(image) for the images of the sample, evenly spread. Those that cannot be read are left
// out, unless none can.
absl::Status ForSample(const Dataset& dataset, const std::function<void(const cv::Mat&)>& look) {
  const int64_t count = std::min(kImages, dataset.size());
  absl::Status first;
  bool any = false;
  for (int64_t i = 0; i < count; ++i) {
    const auto image = ReadImageAt(dataset, i * dataset.size() / count);
    if (image.ok()) {
      any = true;
      look(*image);
    } else if (!absl::IsDataLoss(image.status())) {
      return image.status();
    } else if (first.ok()) {
      first = image.status();
    }
  }
  return any ? absl::OkStatus() : first;
}

float ValueAt(const cv::Mat& image, int y, int i) {
  return image.depth() == CV_16U ? image.ptr<uint16_t>(y)[i] : image.ptr<float>(y)[i];
}

absl::StatusOr<ValueRange> Percentiles(std::vector<float> values, int channel) {
  const auto at = [&](double share) {
    const auto place = values.begin() + std::lround(share * (values.size() - 1.0));
    std::nth_element(values.begin(), place, values.end());
    return static_cast<double>(*place);
  };
  if (values.empty()) {
    return absl::InvalidArgumentError(
        "--range=auto finds no finite value in a sample of the images; give LOW:HIGH");
  }
  const double low = at(kLowShare), high = at(kHighShare);
  if (low < high) return ValueRange{low, high};
  return absl::InvalidArgumentError(
      absl::StrCat("--range=auto finds only the value ", low, " in a sample of ",
                   channel < 0 ? "the images" : absl::StrCat("channel ", channel),
                   "; give LOW:HIGH, or leave the channel out"));
}

}  // namespace

absl::StatusOr<RangeFlag> ReadRange(const std::string& text, int channels) {
  if (text == "auto") return RangeFlag{{}, true, false};
  if (text == "auto-channels") return RangeFlag{{}, true, true};
  RangeFlag flag;
  for (const absl::string_view pair : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::vector<std::string> ends = absl::StrSplit(pair, ':');
    ValueRange range;
    if (ends.size() != 2 || !absl::SimpleAtod(ends[0], &range.low) ||
        !absl::SimpleAtod(ends[1], &range.high) || !std::isfinite(range.low) ||
        !std::isfinite(range.high) || !(range.low < range.high)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--range is '", text, "', must be LOW:HIGH (LOW below HIGH), one such pair ",
                       "for each channel with commas between, auto, or auto-channels"));
    }
    flag.ranges.push_back(range);
  }
  if (flag.ranges.size() > 1 && flag.ranges.size() != static_cast<size_t>(channels)) {
    return absl::InvalidArgumentError(absl::StrCat("--range has ", flag.ranges.size(),
                                                   " pairs for ", channels,
                                                   " channels; give one, or one for each"));
  }
  return flag;
}

std::string WriteRange(const std::vector<ValueRange>& ranges) {
  return absl::StrJoin(ranges, ",", [](std::string* out, const ValueRange& range) {
    absl::StrAppend(out, registry::WriteValue(range.low), ":", registry::WriteValue(range.high));
  });
}

absl::StatusOr<std::vector<ValueRange>> FindRange(const Dataset& raw, bool by_channel) {
  std::vector<std::vector<float>> values;  // of each channel, or of all
  absl::Status read = ForSample(raw, [&](const cv::Mat& image) {
    if (image.depth() == CV_8U) return;
    const int channels = image.channels();
    values.resize(by_channel ? channels : 1);
    const int64_t pixels = static_cast<int64_t>(image.total());
    const int64_t step = (pixels + kPixelsOfImage - 1) / kPixelsOfImage;
    for (int64_t p = 0; p < pixels; p += step) {
      const int y = static_cast<int>(p / image.cols), x = static_cast<int>(p % image.cols);
      for (int c = 0; c < channels; ++c) {
        const float value = ValueAt(image, y, x * channels + c);
        if (std::isfinite(value)) values[by_channel ? c : 0].push_back(value);
      }
    }
  });
  if (!read.ok()) return read;
  std::vector<ValueRange> ranges;
  for (size_t c = 0; c < values.size(); ++c) {
    auto range = Percentiles(std::move(values[c]), by_channel ? static_cast<int>(c) : -1);
    if (!range.ok()) return range.status();
    ranges.push_back(*range);
  }
  return ranges;
}

}  // namespace data
