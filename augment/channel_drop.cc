// Blackens random channels, so that an encoder does not rely on a single one.
#include <memory>
#include <vector>

#include "augment/augmentation.h"
#include "augment/ops.h"

namespace augment {
namespace {

struct ChannelDropOptions {
  double p = 0.1;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("p", p, "probability with which each channel becomes 0; one channel always stays",
      registry::Between(0, 1));
  }
};

class ChannelDrop : public Augmentation {
 public:
  explicit ChannelDrop(const ChannelDropOptions& options) : options_(options) {}

  void Apply(base::Rng& rng, cv::Mat& image) const override {
    const int channels = image.channels();
    const auto stays = rng.UniformInt(0, channels - 1);
    std::vector<float> gain(channels, 1);
    for (int c = 0; c < channels; ++c) {
      if (rng.Bernoulli(options_.p) && c != stays) gain[c] = 0;
    }
    image = ScaleChannels(image, gain, std::vector<float>(channels, 0));
  }

 private:
  const ChannelDropOptions options_;
};

absl::StatusOr<std::unique_ptr<Augmentation>> MakeChannelDrop(const ChannelDropOptions& options) {
  return std::make_unique<ChannelDrop>(options);
}

REGISTER_PLUGIN(Augmentations, "channel_drop", "blackens random channels", ChannelDropOptions,
                MakeChannelDrop);

}  // namespace
}  // namespace augment
