// Mirrors the image with some probability.
#include <memory>

#include "augment/augmentation.h"
#include "augment/ops.h"

namespace augment {
namespace {

struct FlipOptions {
  double p = 0.5;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("p", p, "probability of applying this step", registry::Between(0, 1));
  }
};

class RandomFlip : public Augmentation {
 public:
  explicit RandomFlip(const FlipOptions& options) : options_(options) {}
  void Apply(base::Rng& rng, cv::Mat& image) const override {
    if (rng.Bernoulli(options_.p)) image = Flip(image);
  }

 private:
  const FlipOptions options_;
};

absl::StatusOr<std::unique_ptr<Augmentation>> MakeFlip(const FlipOptions& options) {
  return std::make_unique<RandomFlip>(options);
}

REGISTER_PLUGIN(Augmentations, "flip", "mirrors left to right", FlipOptions, MakeFlip);

}  // namespace
}  // namespace augment
