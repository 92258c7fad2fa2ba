// Blurs by a random radius with some probability; MoCo v2 took it from SimCLR (Chen et al., 2020).
#include <memory>

#include "augment/augmentation.h"
#include "augment/ops.h"

namespace augment {
namespace {

struct BlurOptions {
  double p = 0.5;
  double radius_min = 0.1;
  double radius_max = 2;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("p", p, "probability of applying this step", registry::Between(0, 1));
    v("radius_min", radius_min, "smallest standard deviation, in pixels",
      registry::Between(0, 100));
    v("radius_max", radius_max, "largest standard deviation, in pixels", registry::Between(0, 100));
  }
};

class RandomGaussianBlur : public Augmentation {
 public:
  explicit RandomGaussianBlur(const BlurOptions& options) : options_(options) {}
  void Apply(base::Rng& rng, cv::Mat& image) const override {
    if (!rng.Bernoulli(options_.p)) return;
    image = GaussianBlur(image, rng.Uniform(options_.radius_min, options_.radius_max));
  }

 private:
  const BlurOptions options_;
};

absl::StatusOr<std::unique_ptr<Augmentation>> MakeGaussianBlur(const BlurOptions& options) {
  if (options.radius_min > options.radius_max) {
    return absl::InvalidArgumentError(
        "gaussian_blur: radius_min is above radius_max; exchange them");
  }
  return std::make_unique<RandomGaussianBlur>(options);
}

REGISTER_PLUGIN(Augmentations, "gaussian_blur", "blurs by a random radius", BlurOptions,
                MakeGaussianBlur);

}  // namespace
}  // namespace augment
