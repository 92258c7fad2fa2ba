// Makes a tensor of the image: float, 0 to 1.
#include <memory>
#include <optional>

#include "augment/augmentation.h"
#include "augment/ops.h"
#include "registry/no_options.h"

namespace augment {
namespace {

class ToTensor : public Augmentation {
 public:
  absl::StatusOr<ImageType> Output(const ImageType& in) const override {
    auto out = Augmentation::Output(in);
    if (out.ok()) out->tensor = true;
    return out;
  }

  std::optional<ChannelConstants> Normalization(int) const override { return ChannelConstants(); }

  void Apply(base::Rng&, cv::Mat& image) const override { image = ToFloat(image); }
};

absl::StatusOr<std::unique_ptr<Augmentation>> MakeToTensor(const registry::NoOptions&) {
  return std::make_unique<ToTensor>();
}

REGISTER_PLUGIN(Augmentations, "to_tensor", "makes a float tensor of the image, 0 to 1",
                registry::NoOptions, MakeToTensor);

}  // namespace
}  // namespace augment
