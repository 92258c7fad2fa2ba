// For not_finite_test: pixels that are no numbers, on the process with POISONED in its environment.
#include <atomic>
#include <cstdlib>
#include <limits>
#include <memory>

#include "augment/augmentation.h"

namespace augment {
namespace {

struct PoisonOptions {
  int64_t after = 0;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("after", after, "views that stay as they are", registry::AtLeast(0));
  }
};

class Poison : public Augmentation {
 public:
  explicit Poison(int64_t after) : left_(after) {}
  absl::StatusOr<ImageType> Output(const ImageType& in) const override { return in; }
  void Apply(base::Rng&, cv::Mat& image) const override {
    if (std::getenv("POISONED") != nullptr && left_-- <= 0) {
      image.setTo(std::numeric_limits<float>::quiet_NaN());
    }
  }

 private:
  mutable std::atomic<int64_t> left_;
};

absl::StatusOr<std::unique_ptr<Augmentation>> MakePoison(const PoisonOptions& options) {
  return std::make_unique<Poison>(options.after);
}

REGISTER_PLUGIN(Augmentations, "poison", "pixels that are no numbers", PoisonOptions, MakePoison);

}  // namespace
}  // namespace augment
