#include "moco/training/training_state.h"

#include <ATen/ops/tensor.h>

#include <string>
#include <utility>

#include "moco/checkpoints/optimizer_state.h"

namespace moco {
namespace {

at::Tensor Find(const StateDict& state, const std::string& wanted) {
  for (const auto& [name, tensor] : state) {
    if (name == wanted) return tensor;
  }
  return {};
}

}  // namespace

void Capture(MoCo& moco, Checkpoint& checkpoint) {
  for (const auto& [prefix, encoder] : {std::pair(kQueryEncoder, &moco.query_encoder()),
                                        std::pair(kKeyEncoder, &moco.key_encoder())}) {
    for (const auto& [name, tensor] : encoder->State()) {
      checkpoint.state.emplace_back(prefix + name, tensor);
    }
  }
  checkpoint.state.emplace_back(kQueue, moco.queue().Transposed());
  checkpoint.state.emplace_back(kQueuePointer, at::tensor({moco.queue().position()}));
  CaptureOptimizer(moco.optimizer(), checkpoint.optimizer);
  // The reference passes the key encoder's parameters to its optimizer, too, where they have no
  // state.
  checkpoint.optimizer.parameters = 2 * moco.query_encoder().Parameters().size();
}

absl::Status Restore(const Checkpoint& checkpoint, MoCo& moco) {
  const at::Tensor keys = Find(checkpoint.state, kQueue);
  const at::Tensor pointer = Find(checkpoint.state, kQueuePointer);
  const at::Tensor own_keys = moco.queue().Transposed();
  if (!keys.defined() || keys.sizes() != own_keys.sizes()) {
    return absl::InvalidArgumentError("its 'module.queue' is missing or has another shape");
  }
  if (!pointer.defined() || pointer.numel() != 1 || pointer.item<int64_t>() < 0 ||
      pointer.item<int64_t>() >= own_keys.size(1)) {
    return absl::InvalidArgumentError("its 'module.queue_ptr' is missing or out of range");
  }
  for (const auto& [prefix, encoder] : {std::pair(kQueryEncoder, &moco.query_encoder()),
                                        std::pair(kKeyEncoder, &moco.key_encoder())}) {
    absl::Status s = CopyState(Below(checkpoint.state, prefix), encoder->State());
    if (!s.ok()) return s;
  }
  moco.queue().Load(keys, pointer.item<int64_t>());
  return RestoreOptimizer(checkpoint.optimizer, moco.optimizer());
}

}  // namespace moco
