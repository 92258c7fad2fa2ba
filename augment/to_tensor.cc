// From 8 bits to float in [0, 1].
#include <memory>

#include "augment/augmentation.h"

namespace augment {
namespace {

struct ToTensorOptions {
  template <class Visitor>
  void Visit(Visitor&) {}
};

class ToTensor : public Augmentation {
 public:
  absl::StatusOr<ImageType> Output(const ImageType& in) const override {
    auto out = Augmentation::Output(in);
    if (out.ok()) out->depth = CV_32F;
    return out;
  }

  void Apply(base::Rng&, cv::Mat& image) const override {
    cv::Mat result(image.rows, image.cols, CV_32FC3);
    for (int y = 0; y < image.rows; ++y) {
      const uint8_t* from = image.ptr(y);
      float* to = result.ptr<float>(y);
      for (int i = 0; i < 3 * image.cols; ++i) to[i] = static_cast<float>(from[i]) / 255.0f;
    }
    image = result;
  }
};

absl::StatusOr<std::unique_ptr<Augmentation>> MakeToTensor(const ToTensorOptions&) {
  return std::make_unique<ToTensor>();
}

REGISTER_PLUGIN(Augmentations, "to_tensor", "from 8 bits to float, 0 to 1", ToTensorOptions,
                MakeToTensor);

}  // namespace
}  // namespace augment
