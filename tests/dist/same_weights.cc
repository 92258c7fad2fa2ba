// Whether two checkpoints hold the same weights, keys and optimizer's state, to 1e-9 of each
// tensor's norm. Running statistics are left out: over several ranks they are the first one's.
//   same_weights FILE FILE
#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_vector_norm.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/exit_code.h"
#include "moco/checkpoints/checkpoint.h"

namespace {

absl::Status Compare(int argc, char** argv) {
  if (argc != 3) return absl::InvalidArgumentError("want FILE FILE");
  moco::StateDict states[2];
  for (int i = 0; i < 2; ++i) {
    auto checkpoint = moco::ReadCheckpoint(argv[1 + i]);
    if (!checkpoint.ok()) return checkpoint.status();
    for (const auto& [name, tensor] : checkpoint->state) {
      if (!absl::StrContains(name, "running_")) states[i].emplace_back(name, tensor);
    }
    for (const auto& [name, tensors] : checkpoint->optimizer.slots) {
      for (const at::Tensor& tensor : tensors) states[i].emplace_back(name, tensor);
    }
  }
  if (states[0].size() < 10 || states[0].size() != states[1].size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(states[0].size(), " tensors, and ", states[1].size()));
  }
  for (size_t i = 0; i < states[0].size(); ++i) {
    const at::Tensor one = states[0][i].second.to(at::kDouble),
                     other = states[1][i].second.to(at::kDouble);
    const double difference = at::linalg_vector_norm(one - other).item<double>();
    const double of = at::linalg_vector_norm(one).item<double>();
    if (difference <= 1e-9 * of) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(states[0][i].first, " differs by ", difference, " of ", of));
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) { return base::RunMain(Compare, argc, argv); }
