// Whether an exported file gives the features of its checkpoint.
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
  // From a few images of `folder` (empty: the demo's), as the checkpoint's evaluation shows them.
  // `arch` is as for FrozenBackbone::Create. Errors are to be read after the checkpoint's name
  // where they are InvalidArgument.
  static absl::StatusOr<std::unique_ptr<Verifier>> Create(const moco::Checkpoint& checkpoint,
                                                          const std::string& arch,
                                                          const std::string& folder);

  // Reads `path`, of the format that --to names, and returns how far its features are from the
  // checkpoint's, relative to their norm. DataLoss when that is more than rounding, or when a
  // tensor is not there as the checkpoint has it.
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
