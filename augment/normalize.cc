// Each channel less its mean, over its standard deviation.
#include <array>
#include <memory>

#include "augment/augmentation.h"
#include "augment/ops.h"

namespace augment {
namespace {

// The defaults are ImageNet's.
struct NormalizeOptions {
  double mean_r = 0.485, mean_g = 0.456, mean_b = 0.406;
  double std_r = 0.229, std_g = 0.224, std_b = 0.225;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("mean_r", mean_r, "mean of red, of 1", registry::Between(0, 1));
    v("mean_g", mean_g, "mean of green", registry::Between(0, 1));
    v("mean_b", mean_b, "mean of blue", registry::Between(0, 1));
    v("std_r", std_r, "standard deviation of red", registry::Positive());
    v("std_g", std_g, "standard deviation of green", registry::Positive());
    v("std_b", std_b, "standard deviation of blue", registry::Positive());
  }
};

class Normalize : public Augmentation {
 public:
  explicit Normalize(const NormalizeOptions& o)
      : mean_{static_cast<float>(o.mean_r), static_cast<float>(o.mean_g),
              static_cast<float>(o.mean_b)},
        std_{static_cast<float>(o.std_r), static_cast<float>(o.std_g),
             static_cast<float>(o.std_b)} {}

  absl::StatusOr<ImageType> Output(const ImageType& in) const override {
    if (in.depth != CV_32F)
      return absl::InvalidArgumentError("wants floats; put it after to_tensor");
    return in;
  }

  void Apply(base::Rng&, cv::Mat& image) const override {
    NormalizeChannels(image, mean_, std_);  // in place: floats are to_tensor's own
  }

 private:
  const std::array<float, 3> mean_, std_;
};

absl::StatusOr<std::unique_ptr<Augmentation>> MakeNormalize(const NormalizeOptions& options) {
  return std::make_unique<Normalize>(options);
}

REGISTER_PLUGIN(Augmentations, "normalize", "subtracts the mean, divides by the deviation",
                NormalizeOptions, MakeNormalize);

}  // namespace
}  // namespace augment
