// Changes brightness, contrast, saturation and hue by random amounts, in random order.
#include <memory>

#include "augment/augmentation.h"
#include "augment/draws.h"
#include "augment/ops.h"

namespace augment {
namespace {

struct JitterOptions {
  double p = 1;
  double brightness = 0;
  double contrast = 0;
  double saturation = 0;
  double hue = 0;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("p", p, "probability of applying this step", registry::Between(0, 1));
    v("brightness", brightness, "factors are drawn from 1 - brightness to 1 + brightness",
      registry::Between(0, 10));
    v("contrast", contrast, "factors are drawn from 1 - contrast to 1 + contrast",
      registry::Between(0, 10));
    v("saturation", saturation, "factors are drawn from 1 - saturation to 1 + saturation",
      registry::Between(0, 10));
    v("hue", hue, "shifts are drawn from -hue to hue, as fractions of the colour circle",
      registry::Between(0, 0.5));
  }
};

// torchvision's ColorJitter.
class ColorJitter : public Augmentation {
 public:
  explicit ColorJitter(const JitterOptions& options) : options_(options) {}

  absl::StatusOr<ImageType> Output(const ImageType& in) const override {
    auto out = Augmentation::Output(in);
    return out.ok() ? OutputOfColours(in) : out;
  }

  void Apply(base::Rng& rng, cv::Mat& image) const override {
    if (!rng.Bernoulli(options_.p)) return;
    const JitterOptions& o = options_;
    for (const auto& [colour, amount] :
         DrawColourChanges(rng, {o.brightness, o.contrast, o.saturation, o.hue})) {
      switch (colour) {
        case Colour::kBrightness:
          image = AdjustBrightness(image, amount);
          break;
        case Colour::kContrast:
          image = AdjustContrast(image, amount);
          break;
        case Colour::kSaturation:
          image = AdjustSaturation(image, amount);
          break;
        case Colour::kHue:
          image = AdjustHue(image, amount);
          break;
      }
    }
  }

 private:
  const JitterOptions options_;
};

absl::StatusOr<std::unique_ptr<Augmentation>> MakeColorJitter(const JitterOptions& options) {
  return std::make_unique<ColorJitter>(options);
}

REGISTER_PLUGIN(Augmentations, "color_jitter", "changes brightness, contrast, saturation and hue",
                JitterOptions, MakeColorJitter);

}  // namespace
}  // namespace augment
