// Turns the image by a random number of quarters of a circle; for images without an up and a down.
#include <memory>

#include "augment/augmentation.h"
#include "augment/ops.h"

namespace augment {
namespace {

struct Rotate90Options {
  double p = 1;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("p", p, "probability of applying this step", registry::Between(0, 1));
  }
};

class RandomRotate90 : public Augmentation {
 public:
  explicit RandomRotate90(const Rotate90Options& options) : options_(options) {}

  absl::StatusOr<ImageType> Output(const ImageType& in) const override {
    auto out = Augmentation::Output(in);
    if (out.ok() && in.rows != in.cols) out->rows = out->cols = 0;
    return out;
  }

  void Apply(base::Rng& rng, cv::Mat& image) const override {
    if (rng.Bernoulli(options_.p)) image = Rotate90(image, static_cast<int>(rng.UniformInt(0, 3)));
  }

 private:
  const Rotate90Options options_;
};

absl::StatusOr<std::unique_ptr<Augmentation>> MakeRotate90(const Rotate90Options& options) {
  return std::make_unique<RandomRotate90>(options);
}

REGISTER_PLUGIN(Augmentations, "rotate90",
                "turns by 0, 90, 180 or 270 degrees, each as likely as the others", Rotate90Options,
                MakeRotate90);

}  // namespace
}  // namespace augment
