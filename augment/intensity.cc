// Changes each channel by a random gain and offset, as other sensors, exposures or stains would;
// the counterpart of color_jitter for images of any number of channels.
#include <memory>
#include <vector>

#include "augment/augmentation.h"
#include "augment/ops.h"

namespace augment {
namespace {

struct IntensityOptions {
  double p = 0.8;
  double gain = 0.4;
  double offset = 0.1;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("p", p, "probability of applying this step", registry::Between(0, 1));
    v("gain", gain, "factors are drawn from 1 - gain to 1 + gain, one for each channel",
      registry::Between(0, 1));
    v("offset", offset, "offsets are drawn from -offset to offset, as fractions of white",
      registry::Between(0, 1));
  }
};

class Intensity : public Augmentation {
 public:
  explicit Intensity(const IntensityOptions& options) : options_(options) {}

  void Apply(base::Rng& rng, cv::Mat& image) const override {
    if (!rng.Bernoulli(options_.p)) return;
    std::vector<float> gain, offset;
    for (int c = 0; c < image.channels(); ++c) {
      gain.push_back(rng.Uniform(1 - options_.gain, 1 + options_.gain));
      offset.push_back(rng.Uniform(-options_.offset, options_.offset));
    }
    image = ScaleChannels(image, gain, offset);
  }

 private:
  const IntensityOptions options_;
};

absl::StatusOr<std::unique_ptr<Augmentation>> MakeIntensity(const IntensityOptions& options) {
  return std::make_unique<Intensity>(options);
}

REGISTER_PLUGIN(Augmentations, "intensity", "changes each channel by a random gain and offset",
                IntensityOptions, MakeIntensity);

}  // namespace
}  // namespace augment
