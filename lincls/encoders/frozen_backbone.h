// The encoder after pretraining, as everything that measures it sees it: the backbone alone, which
// nothing changes any more, unless it is thawed.
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
#include "moco/checkpoints/state_dict.h"

namespace moco {
class Backbone;
}

namespace lincls {

// Where a checkpoint keeps the network.
inline constexpr const auto& kPretrained = moco::kQueryEncoder;  // pretraining
inline constexpr char kClassifier[] = "module.";                 // the linear classifier's own

// The part of `state` below `prefix` that is the backbone's: without `fc.`.
moco::StateDict BackboneState(const moco::StateDict& state, const std::string& prefix);

class FrozenBackbone {
 public:
  // The backbone of a checkpoint, at `prefix`; with kPretrained also where other programs keep it
  // (lincls/encoders/encoder_layouts.h). Its spec is the one that the checkpoint holds;
  // `arch`, where not empty, must then be the same. Checkpoints of the reference hold a name only,
  // which `arch` may refine ("resnet18:stem=cifar").
  //
  // InvalidArgument when nothing lies at `prefix` and when a key is missing, unexpected or of
  // another shape, naming it; NotFound when the backbone is not known. Messages are to be read
  // after the checkpoint's name.
  static absl::StatusOr<std::unique_ptr<FrozenBackbone>> Create(const moco::Checkpoint& checkpoint,
                                                                const std::string& prefix,
                                                                const std::string& arch);
  ~FrozenBackbone();

  // Computes on `device` from now on; without this, on the CPU.
  void To(at::Device device);
  at::Device device() const { return device_; }

  // Features, without a gradient, with the running statistics in batch normalisation.
  // images: N x 3 x H x W, channels_last, float32, on any device. Returns N x feature_dim(), on
  // device().
  at::Tensor operator()(const at::Tensor& images) const;

  // The same of each stage: moco::Backbone::Stages.
  std::vector<at::Tensor> Stages(const at::Tensor& images) const;

  // Lets the backbone be trained with what stands on it (fine-tuning).
  void Thaw();
  bool frozen() const { return !thawed_; }

  // Features for a training step: while frozen as above, else with a gradient and with the
  // statistics of the batch, which the running statistics follow.
  at::Tensor Train(const at::Tensor& images);

  // Features with a gradient of images that stand in for none, on a rank whose batch is empty: with
  // the running statistics, which they leave as they are.
  at::Tensor TrainOnNothing(const at::Tensor& images) const;

  // What is to be trained, in the reference's order; empty while frozen.
  std::vector<at::Tensor> Parameters() const;

  int64_t feature_dim() const;

  // Canonical.
  const std::string& spec() const { return spec_; }

  // The live tensors.
  moco::StateDict State() const;

  // OK when every tensor is still bit-equal to the checkpoint's, or thawed.
  absl::Status CheckUnchanged() const;

 private:
  FrozenBackbone(std::string spec, std::shared_ptr<moco::Backbone> backbone,
                 moco::StateDict original);

  const std::string spec_;
  const std::shared_ptr<moco::Backbone> backbone_;
  const moco::StateDict original_;  // as the checkpoint has it
  at::Device device_ = at::kCPU;
  bool thawed_ = false;
};

// The newest checkpoint of pretraining below `runs`, a folder of run folders, or in `runs` when it
// is itself one. NotFound when there is none.
absl::StatusOr<std::string> NewestCheckpoint(const std::string& runs);

}  // namespace lincls

#endif  // LINCLS_ENCODERS_FROZEN_BACKBONE_H_
