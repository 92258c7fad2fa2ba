// Subtracts each channel's mean and divides by its standard deviation.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "augment/augmentation.h"
#include "augment/ops.h"

namespace augment {
namespace {

constexpr size_t kMaxChannels = 64;

// The defaults are ImageNet's.
struct NormalizeOptions {
  std::string mean = "0.485 0.456 0.406";
  std::string std = "0.229 0.224 0.225";
  template <class Visitor>
  void Visit(Visitor& v) {
    v("mean", mean, "means of the channels, 0 to 1: one for all channels, or one for each");
    v("std", std, "standard deviations of the channels: one for all, or one for each");
  }
};

class Normalize : public Augmentation {
 public:
  Normalize(std::vector<float> mean, std::vector<float> deviation)
      : mean_(std::move(mean)), std_(std::move(deviation)) {}

  absl::StatusOr<ImageType> Output(const ImageType& in) const override {
    if (!in.tensor) return absl::InvalidArgumentError("requires a tensor; put it after to_tensor");
    for (const auto* constants : {&mean_, &std_}) {
      if (constants->size() == 1 || constants->size() == static_cast<size_t>(in.channels)) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("has constants for ", constants->size(), " channels, but the images have ",
                       in.channels, "; give mean= and std= (bazel run //tools:doctor)"));
    }
    return in;
  }

  std::optional<ChannelConstants> Normalization(int channels) const override {
    return ChannelConstants{ForEach(mean_, channels), ForEach(std_, channels)};
  }

  void Apply(base::Rng&, cv::Mat& image) const override {
    // In place: to_tensor has made the floats for this pipeline alone.
    NormalizeChannels(image, ForEach(mean_, image.channels()), ForEach(std_, image.channels()));
  }

 private:
  static std::vector<float> ForEach(const std::vector<float>& constants, int channels) {
    return constants.size() == 1 ? std::vector<float>(channels, constants[0]) : constants;
  }

  const std::vector<float> mean_, std_;
};

// "0.485 0.456 0.406" as numbers in [low, 1]; InvalidArgument names the option.
absl::StatusOr<std::vector<float>> ReadConstants(const char* option, const std::string& text,
                                                 double low) {
  std::vector<float> constants;
  bool valid = true;
  for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    double value;
    valid = valid && absl::SimpleAtod(word, &value) && value >= low && value <= 1;
    constants.push_back(valid ? static_cast<float>(value) : 0);
  }
  if (valid && !constants.empty() && constants.size() <= kMaxChannels) return constants;
  return absl::InvalidArgumentError(
      absl::StrCat("normalize: ", option, " is '", text, "', must be 1 to ", kMaxChannels,
                   " numbers, separated by spaces, from ", low, " to 1"));
}

absl::StatusOr<std::unique_ptr<Augmentation>> MakeNormalize(const NormalizeOptions& options) {
  auto mean = ReadConstants("mean", options.mean, 0);
  if (!mean.ok()) return mean.status();
  auto deviation = ReadConstants("std", options.std, 1e-6);
  if (!deviation.ok()) return deviation.status();
  return std::make_unique<Normalize>(*std::move(mean), *std::move(deviation));
}

REGISTER_PLUGIN(Augmentations, "normalize",
                "subtracts the mean and divides by the standard deviation", NormalizeOptions,
                MakeNormalize);

}  // namespace
}  // namespace augment
