// Checks that an exported file gives the same features as its checkpoint.
#ifndef TOOLS_VERIFIER_H_
#define TOOLS_VERIFIER_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "lincls/encoders/frozen_backbone.h"
#include "moco/checkpoints/checkpoint.h"

namespace tools {

class Verifier {
 public:
  // Computes the checkpoint's features of a few images in `folder` (empty: the demo's), with its
  // evaluation views. InvalidArgument is to be read after the checkpoint's name.
  static absl::StatusOr<std::unique_ptr<Verifier>> Create(const moco::Checkpoint& checkpoint,
                                                          const moco::EncoderChoice& choice,
                                                          const std::string& folder);

  // Reads `path`, which has the format named by --to, and returns the difference between its
  // features and the checkpoint's, relative to their norm. DataLoss if the difference is larger
  // than rounding, or if a tensor is missing or changed.
  absl::StatusOr<double> Difference(const std::string& path, const std::string& format) const;

  int64_t images() const { return images_.size(0); }

 private:
  Verifier(std::unique_ptr<lincls::FrozenBackbone> backbone, at::Tensor images)
      : backbone_(std::move(backbone)), images_(std::move(images)) {}

  absl::StatusOr<at::Tensor> Features(const std::string& path, const std::string& format) const;

  const std::unique_ptr<lincls::FrozenBackbone> backbone_;
  const at::Tensor images_;
};

}  // namespace tools

#endif  // TOOLS_VERIFIER_H_
