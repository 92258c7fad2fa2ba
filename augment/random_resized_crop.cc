// A random part of the image, resized: the augmentation that matters most to contrastive learning.
#include <cmath>
#include <memory>

#include "augment/augmentation.h"
#include "augment/ops.h"

namespace augment {
namespace {

struct CropOptions {
  int64_t size = 224;
  double scale_min = 0.08;
  double scale_max = 1;
  double ratio_min = 3.0 / 4;
  double ratio_max = 4.0 / 3;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("size", size, "rows and columns of the result", registry::Between(1, 8192));
    v("scale_min", scale_min, "least share of the image's area", registry::Between(0, 1));
    v("scale_max", scale_max, "greatest share of the image's area", registry::Between(0, 1));
    v("ratio_min", ratio_min, "least width over height", registry::Positive());
    v("ratio_max", ratio_max, "greatest width over height", registry::Positive());
  }
};

// torchvision's RandomResizedCrop.
class RandomResizedCrop : public Augmentation {
 public:
  explicit RandomResizedCrop(const CropOptions& options) : options_(options) {}

  absl::StatusOr<ImageType> Output(const ImageType& in) const override {
    auto out = Augmentation::Output(in);
    if (out.ok()) out->rows = out->cols = options_.size;
    return out;
  }

  void Apply(base::Rng& rng, cv::Mat& image) const override {
    const int size = options_.size;
    image = ResizedCrop(image, Draw(rng, image.cols, image.rows), {size, size});
  }

 private:
  cv::Rect Draw(base::Rng& rng, int width, int height) const {
    for (int attempt = 0; attempt < 10; ++attempt) {
      const double area =
          static_cast<double>(width) * height * rng.Uniform(options_.scale_min, options_.scale_max);
      const double ratio =
          std::exp(rng.Uniform(std::log(options_.ratio_min), std::log(options_.ratio_max)));
      const int w = std::nearbyint(std::sqrt(area * ratio));
      const int h = std::nearbyint(std::sqrt(area / ratio));
      if (w > 0 && h > 0 && w <= width && h <= height) {
        const int y = rng.UniformInt(0, height - h);
        const int x = rng.UniformInt(0, width - w);
        return {x, y, w, h};
      }
    }
    // No shape fits: the largest central one of an allowed ratio.
    int w = width, h = height;
    const double ratio = static_cast<double>(width) / height;
    if (ratio < options_.ratio_min) {
      h = std::max<int>(std::nearbyint(w / options_.ratio_min), 1);
    } else if (ratio > options_.ratio_max) {
      w = std::max<int>(std::nearbyint(h * options_.ratio_max), 1);
    }
    return {(width - w) / 2, (height - h) / 2, w, h};
  }

  const CropOptions options_;
};

absl::StatusOr<std::unique_ptr<Augmentation>> MakeRandomResizedCrop(const CropOptions& options) {
  if (options.scale_min > options.scale_max || options.ratio_min > options.ratio_max) {
    return absl::InvalidArgumentError("random_resized_crop: a minimum is above its maximum");
  }
  return std::make_unique<RandomResizedCrop>(options);
}

REGISTER_PLUGIN(Augmentations, "random_resized_crop", "a random part of the image, resized",
                CropOptions, MakeRandomResizedCrop);

}  // namespace
}  // namespace augment
