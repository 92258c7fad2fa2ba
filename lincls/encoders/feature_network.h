// A pretrained encoder as what gives features: of its backbone, of its head, of each stage.
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
  // The query encoder of a checkpoint of pretraining, or the encoder of a linear classifier's.
  // `arch` and errors, to be read after the checkpoint's name, are FrozenBackbone::Create's.
  static absl::StatusOr<std::unique_ptr<FeatureNetwork>> Create(const moco::Checkpoint& checkpoint,
                                                                const std::string& arch);

  // Computes on `device` from now on; without this, on the CPU.
  void To(at::Device device);

  // What a pass is to give, as names with commas between: backbone; head; stage1, stage2, ..., the
  // averages over each stage's output; all: of these what there is. For images of rows x cols.
  // InvalidArgument, to be read after the checkpoint's name, for what it does not have.
  absl::Status Choose(const std::string& features, int64_t rows, int64_t cols);

  // Name and width of each of those matrices, in the order backbone, head, stages.
  const std::vector<std::pair<std::string, int64_t>>& outputs() const { return outputs_; }

  // One pass, without gradients. images: n x C x H x W, channels_last, float32, on any device.
  // Returns n x width for each of outputs(), on the network's.
  std::vector<at::Tensor> operator()(const at::Tensor& images) const;

  const FrozenBackbone& backbone() const { return *backbone_; }
  const FrozenHead* head() const { return head_.get(); }  // null: there is none

 private:
  FeatureNetwork() = default;

  std::unique_ptr<FrozenBackbone> backbone_;
  std::unique_ptr<FrozenHead> head_;
  std::string no_head_;  // why there is none
  std::vector<std::pair<std::string, int64_t>> outputs_;
  bool wants_stages_ = false;
};

}  // namespace lincls

#endif  // LINCLS_ENCODERS_FEATURE_NETWORK_H_
