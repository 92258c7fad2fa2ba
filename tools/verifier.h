// Checks that an exported file gives the same features as its checkpoint.
#ifndef TOOLS_VERIFIER_H_
#define TOOLS_VERIFIER_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/progress.h"
#include "tools/exported.h"

namespace tools {

class Verifier {
 public:
  // Reads a few images in `folder` (empty: the demo's) with the evaluation views of `exported`,
  // which must outlive the result. With `bytes`, also as a graph with preprocessing takes them.
  // InvalidArgument is to be read after the checkpoint's name.
  static absl::StatusOr<std::unique_ptr<Verifier>> Create(const Exported& exported,
                                                          const std::string& folder, bool bytes);

  // Reads `path`, which has the format named by --to, computes the outputs image by image, showing
  // that as `progress`, and returns the difference between its
  // output (a classifier's logits, an encoder's features) and the checkpoint's, relative to their
  // norm. DataLoss if the difference is larger than rounding, if a tensor is missing or changed, or
  // if a file that declares its input and output declares others.
  absl::StatusOr<double> Difference(const std::string& path, const std::string& format,
                                    base::Progress& progress) const;

  int64_t images() const { return images_.size(0); }

 private:
  Verifier(const Exported& exported, at::Tensor images, at::Tensor bytes)
      : exported_(exported), images_(std::move(images)), bytes_(std::move(bytes)) {}

  // The network of a file: the output for images, which it takes as floats or as bytes.
  using Network =
      std::function<absl::StatusOr<at::Tensor>(const at::Tensor& images, const at::Tensor& bytes)>;
  absl::StatusOr<Network> Read(const std::string& path, const std::string& format) const;

  const Exported& exported_;
  const at::Tensor images_;  // N x C x H x W, float32
  const at::Tensor bytes_;   // N x H x W x C, uint8; undefined: not asked for
};

}  // namespace tools

#endif  // TOOLS_VERIFIER_H_
