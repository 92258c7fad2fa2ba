// A pretrained encoder that computes features: of its backbone, its head and each stage.
#ifndef LINCLS_ENCODERS_FEATURE_NETWORK_H_
#define LINCLS_ENCODERS_FEATURE_NETWORK_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lincls/encoders/frozen_backbone.h"
#include "lincls/encoders/frozen_head.h"
#include "moco/checkpoints/checkpoint.h"

namespace lincls {

class FeatureNetwork {
 public:
  // The encoder of a checkpoint, such as the query encoder of pretraining. Errors, to be read after
  // the checkpoint's name, are those of moco::FindEncoder.
  static absl::StatusOr<std::unique_ptr<FeatureNetwork>> Create(const moco::Checkpoint& checkpoint,
                                                                const moco::EncoderChoice& choice);

  // Moves the network to `device`; the backbone computes there as FrozenBackbone::To says, the head
  // in float32.
  void To(at::Device device, bool bf16 = false);

  // Chooses what a pass returns, as names separated by commas: backbone; head; stage1, stage2, ...
  // (the output of a stage, averaged over the image); or all, everything that the network has. The
  // images have rows x cols pixels. InvalidArgument, to be read after the checkpoint's name, for
  // something that the network does not have.
  absl::Status Choose(const std::string& features, int64_t rows, int64_t cols);

  // Returns name and width of each chosen matrix, in the order backbone, head, stages.
  const std::vector<std::pair<std::string, int64_t>>& outputs() const { return outputs_; }

  // One pass, without gradients. images: n x C x H x W, channels_last, float32, on any device.
  // Returns n x width for each of outputs(), on the network's device.
  std::vector<at::Tensor> operator()(const at::Tensor& images) const;

  const FrozenBackbone& backbone() const { return *backbone_; }
  const FrozenHead* head() const { return head_.get(); }  // null: there is no head

 private:
  FeatureNetwork() = default;

  std::unique_ptr<FrozenBackbone> backbone_;
  std::unique_ptr<FrozenHead> head_;
  std::string no_head_;  // why there is no head
  std::vector<std::pair<std::string, int64_t>> outputs_;
  bool wants_stages_ = false;
};

}  // namespace lincls

#endif  // LINCLS_ENCODERS_FEATURE_NETWORK_H_
