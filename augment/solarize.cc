// Inverts the bright values with some probability (Grill et al., "Bootstrap your own latent", 2020,
// appendix B).
#include <memory>

#include "augment/augmentation.h"
#include "augment/ops.h"

namespace augment {
namespace {

struct SolarizeOptions {
  double p = 0.2;
  double threshold = 0.5;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("p", p, "probability of applying this step", registry::Between(0, 1));
    v("threshold", threshold, "values from here on are inverted; 0 is black, 1 is white",
      registry::Between(0, 1));
  }
};

class RandomSolarize : public Augmentation {
 public:
  explicit RandomSolarize(const SolarizeOptions& options) : options_(options) {}

  void Apply(base::Rng& rng, cv::Mat& image) const override {
    if (rng.Bernoulli(options_.p)) image = Solarize(image, static_cast<float>(options_.threshold));
  }

 private:
  const SolarizeOptions options_;
};

absl::StatusOr<std::unique_ptr<Augmentation>> MakeSolarize(const SolarizeOptions& options) {
  return std::make_unique<RandomSolarize>(options);
}

REGISTER_PLUGIN(Augmentations, "solarize", "inverts bright values", SolarizeOptions, MakeSolarize);

}  // namespace
}  // namespace augment
