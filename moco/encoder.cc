#include "moco/encoder.h"

#include <ATen/ops/arange.h>

#include <utility>

#include "moco/backbones/backbone.h"
#include "moco/heads/head.h"

namespace moco {

absl::StatusOr<std::unique_ptr<Encoder>> Encoder::Create(const EncoderSpec& spec) {
  auto backbone = Backbones().Create(spec.backbone, BackboneContext{.bn_splits = spec.bn_splits});
  if (!backbone.ok()) return backbone.status();
  auto head = Heads().Create(spec.head, (*backbone)->feature_dim());
  if (!head.ok()) return head.status();
  (*backbone)->Initialize();
  return std::unique_ptr<Encoder>(
      new Encoder(std::move(*backbone), std::move(*head), spec.bn_splits));
}

Encoder::Encoder(std::shared_ptr<Backbone> backbone, std::shared_ptr<Head> head, int64_t splits)
    : backbone_(std::move(backbone)), head_(std::move(head)), splits_(splits) {}

Encoder::~Encoder() = default;

void Encoder::Initialize() { head_->Initialize(); }

at::Tensor Encoder::operator()(const at::Tensor& images) const {
  if (splits_ == 1 || !backbone_->is_training()) {
    return head_->forward(backbone_->forward(images));
  }
  // Inside the network the parts are contiguous: sample i = r splits + g is moved to g (N / splits)
  // + r. Images are small and vectors smaller, so the cost is negligible.
  const int64_t n = images.size(0);
  const at::Tensor places = at::arange(n, images.options().dtype(at::kLong));
  const at::Tensor order = places.view({n / splits_, splits_}).t().reshape({n});
  const at::Tensor back = places.view({splits_, n / splits_}).t().reshape({n});
  return head_->forward(backbone_->forward(images.index_select(0, order))).index_select(0, back);
}

at::Tensor Encoder::Features(const at::Tensor& images) const { return backbone_->forward(images); }

at::Tensor Encoder::Project(const at::Tensor& features) const { return head_->forward(features); }

int64_t Encoder::dim() const { return head_->dim(); }

void Encoder::Train(bool on) {
  backbone_->train(on);
  head_->train(on);
}

void Encoder::To(at::Device device, at::ScalarType dtype) {
  // Works as torch.nn.Module.to in Python, which does not convert integers, such as the number of
  // batches that a normalisation has seen; LibTorch's own version converts them, too.
  for (const auto& [name, tensor] : State()) {
    const at::ScalarType type = tensor.is_floating_point() ? dtype : tensor.scalar_type();
    at::Tensor(tensor).set_data(tensor.data().to(device, type));
  }
  for (at::Tensor& p : backbone_->parameters()) {
    if (p.dim() == 4) p.set_data(p.data().contiguous(at::MemoryFormat::ChannelsLast));
  }
}

std::vector<at::Tensor> Encoder::Parameters() const {
  std::vector<at::Tensor> parameters = backbone_->parameters();
  for (at::Tensor& p : head_->parameters()) parameters.push_back(std::move(p));
  return parameters;
}

StateDict Encoder::State() const {
  StateDict state = GetState(*backbone_);
  for (auto& entry : GetState(*head_, "fc.")) state.push_back(std::move(entry));
  return state;
}

}  // namespace moco
