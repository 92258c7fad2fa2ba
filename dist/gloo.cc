// Gloo: tensors of the CPU, over TCP.
#include <chrono>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "dist/group.h"
#include "moco/communicators/communicator.h"

namespace dist {
namespace {

c10::intrusive_ptr<c10d::Backend> MakeBackendOfGloo(const c10::intrusive_ptr<c10d::Store>& store,
                                                    const GroupOptions& options,
                                                    const std::string& interface) {
  auto gloo = c10d::ProcessGroupGloo::Options::create(
      std::chrono::milliseconds(static_cast<int64_t>(1000 * options.timeout)));
  gloo->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(interface));
  return c10::make_intrusive<c10d::ProcessGroupGloo>(store, static_cast<int>(options.rank),
                                                     static_cast<int>(options.size), gloo);
}

}  // namespace

DeviceBackend Gloo() { return {c10::DeviceType::CPU, MakeBackendOfGloo}; }

namespace {

absl::StatusOr<std::unique_ptr<moco::Communicator>> MakeGloo(const GroupOptions& options) {
  return JoinGroup(options, {Gloo()});
}

using moco::Communicators;
REGISTER_PLUGIN(Communicators, "gloo", "several processes, on CPUs", GroupOptions, MakeGloo);

}  // namespace
}  // namespace dist
