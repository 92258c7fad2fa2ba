// NCCL: tensors of GPUs. Those of the CPU, such as settings, travel by Gloo. Not run on a GPU yet
// (docs/cuda.md).
#include <chrono>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "dist/group.h"
#include "moco/communicators/communicator.h"

namespace dist {
namespace {

c10::intrusive_ptr<c10d::Backend> MakeBackendOfNccl(const c10::intrusive_ptr<c10d::Store>& store,
                                                    const GroupOptions& options,
                                                    const std::string&) {
  // A wait for a lost peer ends with an exception here, not with the end of the process.
  setenv("TORCH_NCCL_BLOCKING_WAIT", "1", /*overwrite=*/0);
  auto nccl = c10d::ProcessGroupNCCL::Options::create();
  nccl->timeout = std::chrono::milliseconds(static_cast<int64_t>(1000 * options.timeout));
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, static_cast<int>(options.rank),
                                                     static_cast<int>(options.size), nccl);
}

absl::StatusOr<std::unique_ptr<moco::Communicator>> MakeNccl(const GroupOptions& options) {
  return JoinGroup(options, {{c10::DeviceType::CUDA, MakeBackendOfNccl}, Gloo()});
}

using moco::Communicators;
REGISTER_PLUGIN(Communicators, "nccl", "several processes, each on a GPU", GroupOptions, MakeNccl);

}  // namespace
}  // namespace dist
