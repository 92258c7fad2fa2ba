// The head of a pretrained encoder, frozen: from the backbone's features to the vectors that were
// contrasted (the MoCo paper's 128 dimensions).
#ifndef LINCLS_ENCODERS_FROZEN_HEAD_H_
#define LINCLS_ENCODERS_FROZEN_HEAD_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "moco/checkpoints/checkpoint.h"

namespace moco {
class Head;
}

namespace lincls {

class FrozenHead {
 public:
  // The head at `prefix`, such as kPretrained, for a backbone of `feature_dim` features. Its spec
  // is the one that the checkpoint holds, or follows from the names of its layers, as in those of
  // the reference. NotFound when there is none; InvalidArgument when it does not fit, naming the
  // layer. Messages are to be read after the checkpoint's name.
  static absl::StatusOr<std::unique_ptr<FrozenHead>> Create(const moco::Checkpoint& checkpoint,
                                                            const std::string& prefix,
                                                            int64_t feature_dim);
  ~FrozenHead();

  // Computes on `device` from now on; without this, on the CPU.
  void To(at::Device device);

  // features: N x feature_dim, float32, on that device. Returns N x dim(), not normalised, without
  // a gradient.
  at::Tensor operator()(const at::Tensor& features) const;

  int64_t dim() const;

 private:
  explicit FrozenHead(std::shared_ptr<moco::Head> head);

  const std::shared_ptr<moco::Head> head_;
};

}  // namespace lincls

#endif  // LINCLS_ENCODERS_FROZEN_HEAD_H_
