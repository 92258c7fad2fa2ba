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

// Returns the parameters and then the buffers of each module in turn, with `prefix` before each
// name.
StateDict GetState(const torch::nn::Module& module, const std::string& prefix = "");

// Copies the tensors of `from` into those of the same name in `to`. If names or shapes differ,
// nothing is copied, and InvalidArgument names the first difference and counts the others.
absl::Status CopyState(const StateDict& from, const StateDict& to);

// Return the tensors without their names, and copies of them with their names.
std::vector<at::Tensor> Tensors(const StateDict& state);
StateDict Copy(const StateDict& state);

// Returns the part of `state` below `prefix`, without the prefix.
StateDict Below(const StateDict& state, const std::string& prefix);

// OK if both have the same names and all tensors are equal bit for bit; otherwise
// FailedPrecondition names the first difference.
absl::Status CheckEqual(const StateDict& a, const StateDict& b);

}  // namespace moco

#endif  // MOCO_CHECKPOINTS_STATE_DICT_H_
