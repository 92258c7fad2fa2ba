// Makes the image grey with some probability.
#include <memory>

#include "augment/augmentation.h"
#include "augment/ops.h"

namespace augment {
namespace {

struct GrayscaleOptions {
  double p = 0.2;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("p", p, "probability of applying this step", registry::Between(0, 1));
  }
};

class RandomGrayscale : public Augmentation {
 public:
  explicit RandomGrayscale(const GrayscaleOptions& options) : options_(options) {}

  absl::StatusOr<ImageType> Output(const ImageType& in) const override {
    auto out = Augmentation::Output(in);
    return out.ok() ? OutputOfColours(in) : out;
  }

  void Apply(base::Rng& rng, cv::Mat& image) const override {
    if (rng.Bernoulli(options_.p)) image = Grayscale(image);
  }

 private:
  const GrayscaleOptions options_;
};

absl::StatusOr<std::unique_ptr<Augmentation>> MakeGrayscale(const GrayscaleOptions& options) {
  return std::make_unique<RandomGrayscale>(options);
}

REGISTER_PLUGIN(Augmentations, "grayscale", "makes the image grey", GrayscaleOptions,
                MakeGrayscale);

}  // namespace
}  // namespace augment
