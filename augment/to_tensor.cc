// From 8 bits to float in [0, 1].
#include <memory>

#include "augment/augmentation.h"
#include "augment/ops.h"

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

  void Apply(base::Rng&, cv::Mat& image) const override { image = ToFloat(image); }
};

absl::StatusOr<std::unique_ptr<Augmentation>> MakeToTensor(const ToTensorOptions&) {
  return std::make_unique<ToTensor>();
}

REGISTER_PLUGIN(Augmentations, "to_tensor", "from 8 bits to float, 0 to 1", ToTensorOptions,
                MakeToTensor);

}  // namespace
}  // namespace augment
