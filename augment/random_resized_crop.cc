// A random part of the image, resized: the augmentation that matters most to contrastive learning.
#include <memory>

#include "augment/augmentation.h"
#include "augment/draws.h"
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
    v("scale_min", scale_min, "smallest share of the image's area", registry::Between(0, 1));
    v("scale_max", scale_max, "largest share of the image's area", registry::Between(0, 1));
    v("ratio_min", ratio_min, "smallest ratio of width to height", registry::Positive());
    v("ratio_max", ratio_max, "largest ratio of width to height", registry::Positive());
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
    const CropOptions& o = options_;
    const int size = o.size;
    const cv::Rect box =
        DrawCrop(rng, image.size(), {o.scale_min, o.scale_max, o.ratio_min, o.ratio_max});
    image = ResizedCrop(image, box, {size, size});
  }

 private:
  const CropOptions options_;
};

absl::StatusOr<std::unique_ptr<Augmentation>> MakeRandomResizedCrop(const CropOptions& options) {
  if (options.scale_min > options.scale_max || options.ratio_min > options.ratio_max) {
    return absl::InvalidArgumentError(
        "random_resized_crop: scale_min or ratio_min is above its maximum; exchange them");
  }
  return std::make_unique<RandomResizedCrop>(options);
}

REGISTER_PLUGIN(Augmentations, "random_resized_crop",
                "crops a random part of the image and resizes it", CropOptions,
                MakeRandomResizedCrop);

}  // namespace
}  // namespace augment
