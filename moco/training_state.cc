#include "moco/training_state.h"

#include <ATen/ops/tensor.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace moco {
namespace {

constexpr char kQuery[] = "module.encoder_q.", kKey[] = "module.encoder_k.";
constexpr char kQueue[] = "module.queue", kPointer[] = "module.queue_ptr";

at::Tensor Find(const StateDict& state, const std::string& wanted) {
  for (const auto& [name, tensor] : state) {
    if (name == wanted) return tensor;
  }
  return {};
}

// A slot's tensors under names that tell which differs.
StateDict Numbered(const std::string& slot, const std::vector<at::Tensor>& tensors) {
  StateDict state;
  for (const at::Tensor& tensor : tensors) {
    state.emplace_back(absl::StrCat(slot, " ", state.size()), tensor);
  }
  return state;
}

}  // namespace

void Capture(MoCo& moco, Checkpoint& checkpoint) {
  for (const auto& [prefix, encoder] :
       {std::pair(kQuery, &moco.query_encoder()), std::pair(kKey, &moco.key_encoder())}) {
    for (const auto& [name, tensor] : encoder->State()) {
      checkpoint.state.emplace_back(prefix + name, tensor);
    }
  }
  checkpoint.state.emplace_back(kQueue, moco.queue().Transposed());
  checkpoint.state.emplace_back(kPointer, at::tensor({moco.queue().position()}));
  checkpoint.optimizer.constants = moco.optimizer().Constants();
  // The reference gives its optimizer the key encoder's parameters too, which have no state there.
  checkpoint.optimizer.parameters = 2 * moco.query_encoder().Parameters().size();
  for (const Optimizer::Slot& slot : moco.optimizer().State()) {
    checkpoint.optimizer.slots.emplace_back(slot.name, slot.tensors);
  }
}

absl::Status Restore(const Checkpoint& checkpoint, MoCo& moco) {
  const at::Tensor keys = Find(checkpoint.state, kQueue);
  const at::Tensor pointer = Find(checkpoint.state, kPointer);
  const at::Tensor own_keys = moco.queue().Transposed();
  if (!keys.defined() || keys.sizes() != own_keys.sizes()) {
    return absl::InvalidArgumentError("its 'module.queue' is missing or of another shape");
  }
  if (!pointer.defined() || pointer.numel() != 1 || pointer.item<int64_t>() < 0 ||
      pointer.item<int64_t>() >= own_keys.size(1)) {
    return absl::InvalidArgumentError("its 'module.queue_ptr' is missing or out of range");
  }
  for (const auto& [prefix, encoder] :
       {std::pair(kQuery, &moco.query_encoder()), std::pair(kKey, &moco.key_encoder())}) {
    absl::Status s = CopyState(Below(checkpoint.state, prefix), encoder->State());
    if (!s.ok()) return s;
  }
  moco.queue().Load(keys, pointer.item<int64_t>());
  for (const Optimizer::Slot& slot : moco.optimizer().State()) {
    StateDict saved;
    for (const auto& [name, tensors] : checkpoint.optimizer.slots) {
      if (name == slot.name) saved = Numbered(name, tensors);
    }
    absl::Status s = CopyState(saved, Numbered(slot.name, slot.tensors));
    if (!s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace moco
