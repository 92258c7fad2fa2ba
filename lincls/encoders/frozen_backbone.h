// The encoder after pretraining, as used by everything that measures it: the backbone alone, whose
// weights do not change unless it is thawed.
#ifndef LINCLS_ENCODERS_FROZEN_BACKBONE_H_
#define LINCLS_ENCODERS_FROZEN_BACKBONE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/checkpoints/find_encoder.h"
#include "moco/checkpoints/state_dict.h"

namespace moco {
class Backbone;
}

namespace lincls {

// Prefixes of the network in the state dict of a checkpoint.
inline constexpr const auto& kPretrained = moco::kQueryEncoder;  // pretraining
inline constexpr char kClassifier[] = "module.";                 // the linear classifier's own

// Returns the backbone's part of `state`: everything below `prefix` except `fc.`.
moco::StateDict BackboneState(const moco::StateDict& state, const std::string& prefix);

class FrozenBackbone {
 public:
  // Creates the backbone in a checkpoint. Errors, to be read after the checkpoint's name, are those
  // of moco::FindEncoder.
  static absl::StatusOr<std::unique_ptr<FrozenBackbone>> Create(const moco::Checkpoint& checkpoint,
                                                                const moco::EncoderChoice& choice);
  ~FrozenBackbone();

  // Moves the backbone to `device`, and computes there in float32, or under bfloat16 autocast;
  // before the first call it is on the CPU, in float32.
  void To(at::Device device, bool bf16 = false);
  at::Device device() const { return device_; }
  bool bf16() const { return bf16_; }

  // Returns the features, N x feature_dim(), float32, on device(), without a gradient and with the
  // running statistics of batch normalisation. images: N x channels x H x W, channels_last,
  // float32, on any device; 1 to 64 channels, as the backbone was made for.
  at::Tensor operator()(const at::Tensor& images) const;

  // The same for each stage: see moco::Backbone::Stages.
  std::vector<at::Tensor> Stages(const at::Tensor& images) const;

  // Makes the backbone trainable, together with the classifier on top of it (fine-tuning).
  void Thaw();
  bool frozen() const { return !thawed_; }

  // Returns the features for a training step: as above while frozen, otherwise with a gradient and
  // the statistics of the batch, which the running statistics follow.
  at::Tensor Train(const at::Tensor& images);

  // Returns features with a gradient for placeholder images, on a rank whose batch is empty. Uses
  // the running statistics, and does not change them.
  at::Tensor TrainOnNothing(const at::Tensor& images) const;

  // Returns the parameters to train, in the reference's order; none while frozen.
  std::vector<at::Tensor> Parameters() const;

  int64_t feature_dim() const;

  // As in moco::FoundEncoder.
  const std::string& spec() const { return found_.spec; }
  const std::string& prefix() const { return found_.prefix; }
  const std::string& note() const { return found_.note; }

  // The tensors themselves, not copies.
  moco::StateDict State() const;

  // OK if the backbone is thawed, or if every tensor still equals the checkpoint's bit for bit.
  absl::Status CheckUnchanged() const;

 private:
  FrozenBackbone(moco::FoundEncoder found, moco::StateDict original);
  at::Tensor Forward(const at::Tensor& images) const;

  const moco::FoundEncoder found_;
  moco::Backbone* const backbone_;  // found_.backbone
  const moco::StateDict original_;  // the tensors of the checkpoint
  at::Device device_ = at::kCPU;
  bool bf16_ = false, thawed_ = false;
};

}  // namespace lincls

#endif  // LINCLS_ENCODERS_FROZEN_BACKBONE_H_
