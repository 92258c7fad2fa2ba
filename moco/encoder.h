// An encoder f: a backbone and a head, from images to the vectors that are contrasted.
#ifndef MOCO_ENCODER_H_
#define MOCO_ENCODER_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "moco/checkpoints/state_dict.h"

namespace moco {

class Backbone;
class Head;

struct EncoderSpec {
  std::string backbone = "resnet50";
  std::string head = "mlp";
  int64_t bn_splits = 1;  // see BackboneContext
};

class Encoder {
 public:
  // Draws initial values from LibTorch's default generator, in the reference's order. Initialize()
  // draws those of the head that come later; call it once, after all encoders of a run are made.
  static absl::StatusOr<std::unique_ptr<Encoder>> Create(const EncoderSpec& spec);
  ~Encoder();

  void Initialize();

  // Returns the vectors of images, N x dim(), not normalised. images: N x channels x H x W,
  // channels_last, with 1 to 64 channels, as the backbone was made for. In training mode N is
  // divisible by bn_splits, and sample i belongs to part i mod bn_splits.
  at::Tensor operator()(const at::Tensor& images) const;

  // Returns the backbone's features, which are used after pretraining: N x the backbone's
  // feature_dim().
  at::Tensor Features(const at::Tensor& images) const;

  // Returns the head's output for such features, N x dim(). In evaluation mode,
  // Project(Features(x)) is what the encoder gives of x.
  at::Tensor Project(const at::Tensor& features) const;

  int64_t dim() const;

  // In training mode, normalisation uses the statistics of the batch; otherwise the running ones.
  void Train(bool on);

  // Moves all tensors to `device`, and converts those of floating point to `dtype` and convolutions
  // to channels_last.
  void To(at::Device device, at::ScalarType dtype);

  // Returns the parameters in the order of torch.nn.Module.parameters.
  std::vector<at::Tensor> Parameters() const;

  // Returns the state with the reference's names: the backbone's tensors, then the head's below
  // `fc.`.
  StateDict State() const;

 private:
  Encoder(std::shared_ptr<Backbone> backbone, std::shared_ptr<Head> head, int64_t splits);

  const std::shared_ptr<Backbone> backbone_;
  const std::shared_ptr<Head> head_;
  const int64_t splits_;
};

}  // namespace moco

#endif  // MOCO_ENCODER_H_
