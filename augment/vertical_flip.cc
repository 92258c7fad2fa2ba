// Mirrors the image top to bottom with some probability; for images without an up and a down.
#include <memory>

#include "augment/augmentation.h"
#include "augment/ops.h"

namespace augment {
namespace {

struct VerticalFlipOptions {
  double p = 0.5;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("p", p, "probability of applying this step", registry::Between(0, 1));
  }
};

class RandomVerticalFlip : public Augmentation {
 public:
  explicit RandomVerticalFlip(const VerticalFlipOptions& options) : options_(options) {}

  void Apply(base::Rng& rng, cv::Mat& image) const override {
    if (rng.Bernoulli(options_.p)) image = VerticalFlip(image);
  }

 private:
  const VerticalFlipOptions options_;
};

absl::StatusOr<std::unique_ptr<Augmentation>> MakeVerticalFlip(const VerticalFlipOptions& options) {
  return std::make_unique<RandomVerticalFlip>(options);
}

REGISTER_PLUGIN(Augmentations, "vertical_flip", "mirrors top to bottom", VerticalFlipOptions,
                MakeVerticalFlip);

}  // namespace
}  // namespace augment
