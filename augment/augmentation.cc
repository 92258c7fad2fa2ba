#include "augment/augmentation.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace augment {

absl::StatusOr<ImageType> Augmentation::Output(const ImageType& in) const {
  if (in.tensor) {
    return absl::InvalidArgumentError("requires an image; put it before to_tensor");
  }
  return in;
}

absl::StatusOr<ImageType> OutputOfColours(const ImageType& in) {
  if (!in.tensor && in.channels != 3) {
    return absl::InvalidArgumentError(absl::StrCat("requires images of 3 channels, but they have ",
                                                   in.channels, "; leave it out"));
  }
  return in;
}

AugmentationRegistry& Augmentations() {
  static AugmentationRegistry& table = *new AugmentationRegistry("augmentation");
  return table;
}

absl::StatusOr<Pipeline> Pipeline::Create(absl::string_view specs, int channels) {
  auto texts = registry::SplitPipeline(specs);
  if (!texts.ok()) return texts.status();
  Pipeline pipeline;
  pipeline.output_.channels = channels;
  std::vector<std::string> canonical;
  size_t to_tensor = texts->size();
  for (const std::string& text : *texts) {
    auto step = Augmentations().Create(text);
    if (!step.ok()) return step.status();
    auto output = (*step)->Output(pipeline.output_);
    if (!output.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("step ", canonical.size() + 1,
                                                     " of the views, '", text, "', ",
                                                     output.status().message()));
    }
    if (output->tensor && !pipeline.output_.tensor) to_tensor = pipeline.steps_.size();
    pipeline.output_ = *output;
    pipeline.steps_.push_back(std::move(*step));
    canonical.push_back(Augmentations().Canonical(text).value());
    pipeline.types_.push_back({canonical.back(), *output});
  }
  pipeline.spec_ = absl::StrJoin(canonical, "|");
  pipeline.FindNormalizations(to_tensor);
  return pipeline;
}

void Pipeline::FindNormalizations(size_t to_tensor) {
  image_steps_ = steps_.size();
  std::vector<ChannelConstants> found;
  for (size_t i = to_tensor; i < steps_.size(); ++i) {
    auto constants = steps_[i]->Normalization(output_.channels);
    if (!constants) return;
    if (i > to_tensor) found.push_back(*std::move(constants));
  }
  image_steps_ = to_tensor;
  normalizations_ = std::move(found);
}

cv::Mat Pipeline::Image(const cv::Mat& image, base::Rng& rng) const {
  cv::Mat result = image;
  for (size_t i = 0; i < image_steps_; ++i) steps_[i]->Apply(rng, result);
  return result;
}

cv::Mat Pipeline::operator()(const cv::Mat& image, base::Rng& rng) const {
  cv::Mat result = image;
  for (const auto& step : steps_) step->Apply(rng, result);
  return result;
}

std::vector<cv::Mat> Pipeline::Trace(const cv::Mat& image, base::Rng& rng) const {
  std::vector<cv::Mat> after;
  cv::Mat result = image;
  for (const auto& step : steps_) {
    step->Apply(rng, result);
    after.push_back(result.clone());  // since the next step may write to its pixels
  }
  return after;
}

}  // namespace augment
