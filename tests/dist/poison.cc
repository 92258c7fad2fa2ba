// An augmentation that does harm on the process with POISON=WHAT:N in its environment: after N
// views pixels are not numbers (nan), or the process is killed (kill).
#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "augment/augmentation.h"

namespace augment {
namespace {

struct PoisonOptions {
  template <class Visitor>
  void Visit(Visitor&) {}
};

class Poison : public Augmentation {
 public:
  Poison() {
    const char* text = std::getenv("POISON");
    if (text == nullptr) return;
    kill_ = absl::StartsWith(text, "kill:");
    left_ = std::atoi(std::string(text).substr(std::string(text).find(':') + 1).c_str());
    harmful_ = true;
  }
  absl::StatusOr<ImageType> Output(const ImageType& in) const override { return in; }
  void Apply(base::Rng&, cv::Mat& image) const override {
    if (!harmful_ || left_-- > 0) return;
    if (kill_) raise(SIGKILL);
    image.setTo(std::numeric_limits<float>::quiet_NaN());
  }

 private:
  bool harmful_ = false, kill_ = false;
  mutable std::atomic<int64_t> left_ = 0;
};

absl::StatusOr<std::unique_ptr<Augmentation>> MakePoison(const PoisonOptions&) {
  return std::make_unique<Poison>();
}

REGISTER_PLUGIN(Augmentations, "poison", "does harm when told to", PoisonOptions, MakePoison);

}  // namespace
}  // namespace augment
