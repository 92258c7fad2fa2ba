#include "moco/checkpoints/optimizer_state.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "moco/checkpoints/state_dict.h"

namespace moco {
namespace {

// The tensors of a slot, under names that errors can show.
StateDict Numbered(const std::string& slot, const std::vector<at::Tensor>& tensors) {
  StateDict state;
  for (const at::Tensor& tensor : tensors) {
    state.emplace_back(absl::StrCat(slot, " ", state.size()), tensor);
  }
  return state;
}

}  // namespace

void CaptureOptimizer(const Optimizer& optimizer, Checkpoint::OptimizerState& state) {
  state.constants = optimizer.Constants();
  for (const Optimizer::Slot& slot : optimizer.State()) {
    state.slots.emplace_back(slot.name, slot.tensors);
  }
}

absl::Status RestoreOptimizer(const Checkpoint::OptimizerState& state, const Optimizer& optimizer) {
  for (const Optimizer::Slot& slot : optimizer.State()) {
    StateDict saved;
    for (const auto& [name, tensors] : state.slots) {
      if (name == slot.name) saved = Numbered(name, tensors);
    }
    if (saved.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("its optimizer has no '", slot.name, "'; it is another optimizer"));
    }
    absl::Status s = CopyState(saved, Numbered(slot.name, slot.tensors));
    if (!s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace moco
