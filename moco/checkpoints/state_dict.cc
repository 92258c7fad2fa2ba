#include "moco/checkpoints/state_dict.h"

#include <ATen/core/grad_mode.h>
#include <torch/nn/module.h>

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace moco {
namespace {

void Append(const torch::nn::Module& module, const std::string& prefix, StateDict& state) {
  for (const auto& p : module.named_parameters(/*recurse=*/false)) {
    state.emplace_back(prefix + p.key(), p.value());
  }
  for (const auto& b : module.named_buffers(/*recurse=*/false)) {
    state.emplace_back(prefix + b.key(), b.value());
  }
  for (const auto& child : module.named_children()) {
    Append(*child.value(), absl::StrCat(prefix, child.key(), "."), state);
  }
}

std::map<std::string, at::Tensor> ByName(const StateDict& state) {
  return {state.begin(), state.end()};
}

std::string Shape(const at::Tensor& t) {
  return absl::StrCat("[", absl::StrJoin(t.sizes(), " x "), "]");
}

}  // namespace

StateDict GetState(const torch::nn::Module& module, const std::string& prefix) {
  StateDict state;
  Append(module, prefix, state);
  return state;
}

absl::Status CopyState(const StateDict& from, const StateDict& to) {
  auto source = ByName(from);
  std::vector<std::string> differences;
  for (const auto& [name, tensor] : to) {
    const auto found = source.find(name);
    if (found == source.end()) {
      differences.push_back(absl::StrCat("'", name, "' is missing"));
    } else if (found->second.sizes() != tensor.sizes()) {
      differences.push_back(
          absl::StrCat("'", name, "' is ", Shape(found->second), ", expected ", Shape(tensor)));
    }
  }
  const auto wanted = ByName(to);
  for (const auto& [name, tensor] : from) {
    if (wanted.count(name) == 0)
      differences.push_back(absl::StrCat("'", name, "' is not expected"));
  }
  if (!differences.empty()) {
    const std::string rest =
        differences.size() == 1 ? "" : absl::StrCat(" (and ", differences.size() - 1, " more)");
    return absl::InvalidArgumentError(absl::StrCat(differences.front(), rest));
  }
  at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : to) at::Tensor(tensor).copy_(source[name]);
  return absl::OkStatus();
}

std::vector<at::Tensor> Tensors(const StateDict& state) {
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : state) tensors.push_back(tensor);
  return tensors;
}

StateDict Copy(const StateDict& state) {
  StateDict copy;
  for (const auto& [name, tensor] : state) copy.emplace_back(name, tensor.detach().clone());
  return copy;
}

StateDict Below(const StateDict& state, const std::string& prefix) {
  StateDict below;
  for (const auto& [name, tensor] : state) {
    if (absl::StartsWith(name, prefix)) below.emplace_back(name.substr(prefix.size()), tensor);
  }
  return below;
}

absl::Status CheckEqual(const StateDict& a, const StateDict& b) {
  const auto other = ByName(b);
  for (const auto& [name, tensor] : a) {
    const auto found = other.find(name);
    if (found == other.end() || !tensor.cpu().equal(found->second.cpu())) {
      return absl::FailedPreconditionError(absl::StrCat("'", name, "' has changed"));
    }
  }
  if (a.size() != other.size()) {
    return absl::FailedPreconditionError(
        absl::StrCat("there are ", a.size(), " tensors, not ", other.size()));
  }
  return absl::OkStatus();
}

}  // namespace moco
