// Resizes the whole image so that its shorter side has a given length.
#include <algorithm>
#include <memory>

#include "augment/augmentation.h"
#include "augment/ops.h"

namespace augment {
namespace {

struct ResizeOptions {
  int64_t size = 256;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("size", size, "length of the shorter side", registry::Between(1, 8192));
  }
};

constexpr int64_t kMaxPixels = 1 << 26;  // of the result, as in the largest square

// torchvision's Resize(size).
class Resize : public Augmentation {
 public:
  explicit Resize(const ResizeOptions& options) : options_(options) {}

  absl::StatusOr<ImageType> Output(const ImageType& in) const override {
    auto out = Augmentation::Output(in);
    if (!out.ok() || in.rows == 0) return out;
    const cv::Size size = Size(in.cols, in.rows);
    out->rows = size.height;
    out->cols = size.width;
    return out;
  }

  void Apply(base::Rng&, cv::Mat& image) const override {
    image = ResizedCrop(image, {0, 0, image.cols, image.rows}, Size(image.cols, image.rows));
  }

 private:
  cv::Size Size(int width, int height) const {
    const int64_t size = options_.size;
    // The result of a very long image is cut to a size that fits into memory.
    const auto longer = [&](int64_t a, int64_t b) {
      return static_cast<int>(std::min(size * a / b, std::max(size, kMaxPixels / size)));
    };
    if (width <= height) return {static_cast<int>(size), longer(height, width)};
    return {longer(width, height), static_cast<int>(size)};
  }

  const ResizeOptions options_;
};

absl::StatusOr<std::unique_ptr<Augmentation>> MakeResize(const ResizeOptions& options) {
  return std::make_unique<Resize>(options);
}

REGISTER_PLUGIN(Augmentations, "resize",
                "resizes the image so that its shorter side has a given length", ResizeOptions,
                MakeResize);

}  // namespace
}  // namespace augment
