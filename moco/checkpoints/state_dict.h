// Names and tensors of a module, in the order of torch.nn.Module.state_dict.
#ifndef MOCO_CHECKPOINTS_STATE_DICT_H_
#define MOCO_CHECKPOINTS_STATE_DICT_H_

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace torch::nn {
class Module;
}

namespace moco {

// Tensors are shared with the module they came from, not copied.
using StateDict = std::vector<std::pair<std::string, at::Tensor>>;

// Parameters, then buffers, of each module in turn, each name with `prefix` before it.
StateDict GetState(const torch::nn::Module& module, const std::string& prefix = "");

// Copies into `to` the tensors of `from` that have its names. Nothing is copied, and
// InvalidArgument names the first difference and counts the rest, unless names and shapes are the
// same on both sides.
absl::Status CopyState(const StateDict& from, const StateDict& to);

// The tensors without their names, and copies of them under their names.
std::vector<at::Tensor> Tensors(const StateDict& state);
StateDict Copy(const StateDict& state);

// The part of `state` below `prefix`, with the prefix taken off.
StateDict Below(const StateDict& state, const std::string& prefix);

// OK when every tensor of `a` is bit-equal to the one of that name in `b`, and both have the same
// names; otherwise FailedPrecondition names the first that is not.
absl::Status CheckEqual(const StateDict& a, const StateDict& b);

}  // namespace moco

#endif  // MOCO_CHECKPOINTS_STATE_DICT_H_
