// The middle of the image, padded with black if the image is too small.
#include <algorithm>
#include <cmath>
#include <memory>

#include "augment/augmentation.h"

namespace augment {
namespace {

struct CenterCropOptions {
  int64_t size = 224;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("size", size, "rows and columns of the result", registry::Between(1, 8192));
  }
};

// torchvision's CenterCrop.
class CenterCrop : public Augmentation {
 public:
  explicit CenterCrop(const CenterCropOptions& options) : size_(options.size) {}

  absl::StatusOr<ImageType> Output(const ImageType& in) const override {
    auto out = Augmentation::Output(in);
    if (out.ok()) out->rows = out->cols = size_;
    return out;
  }

  void Apply(base::Rng&, cv::Mat& image) const override {
    const cv::Rect inside(Start(image.cols), Start(image.rows), std::min(size_, image.cols),
                          std::min(size_, image.rows));
    if (inside.width == size_ && inside.height == size_) {
      image = image(inside);
      return;
    }
    cv::Mat padded(size_, size_, image.type(), cv::Scalar::all(0));
    image(inside).copyTo(padded(cv::Rect((size_ - inside.width) / 2, (size_ - inside.height) / 2,
                                         inside.width, inside.height)));
    image = padded;
  }

 private:
  // Where the crop begins; half pixels go to the even side.
  int Start(int length) const {
    return length <= size_ ? 0 : static_cast<int>(std::nearbyint((length - size_) / 2.0));
  }

  const int size_;
};

absl::StatusOr<std::unique_ptr<Augmentation>> MakeCenterCrop(const CenterCropOptions& options) {
  return std::make_unique<CenterCrop>(options);
}

REGISTER_PLUGIN(Augmentations, "center_crop", "crops the middle of the image", CenterCropOptions,
                MakeCenterCrop);

}  // namespace
}  // namespace augment
