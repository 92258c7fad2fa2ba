// The frozen head of a pretrained encoder, which maps the backbone's features to the vectors that
// pretraining compared (128 dimensions in the MoCo paper).
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
  // Creates the head of the query or key encoder whose names begin with `prefix`, for a backbone of
  // `feature_dim` features. The checkpoint holds its spec; for checkpoints of the reference it is
  // derived from the names of the layers. NotFound if there is no head, or if `prefix` is that of
  // another network, whose `fc` is a classifier; InvalidArgument, naming the layer, if it does not
  // fit. Messages are to be read after the checkpoint's name.
  static absl::StatusOr<std::unique_ptr<FrozenHead>> Create(const moco::Checkpoint& checkpoint,
                                                            const std::string& prefix,
                                                            int64_t feature_dim);
  ~FrozenHead();

  // Moves the head to `device`; before the first call it is on the CPU.
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
