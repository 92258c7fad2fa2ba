// The communicator of several processes, over PyTorch's own engine (c10d). The plugins `gloo` and
// `nccl` choose the backend.
#ifndef DIST_GROUP_H_
#define DIST_GROUP_H_

#include <c10/core/DeviceType.h>
#include <c10/util/intrusive_ptr.h>

#include <functional>
#include <memory>
#include <string>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <vector>

#include "absl/status/statusor.h"
#include "dist/rendezvous.h"
#include "moco/communicators/communicator.h"

namespace dist {

// A backend that moves tensors of one kind of device. interface: the address of this machine that
// the other ranks reach.
struct DeviceBackend {
  c10::DeviceType device;
  std::function<c10::intrusive_ptr<c10d::Backend>(const c10::intrusive_ptr<c10d::Store>& store,
                                                  const GroupOptions& options,
                                                  const std::string& interface)>
      make;
};
DeviceBackend Gloo();

// Meets the other processes and connects to them. The first backend is the default one, which also
// serves barriers and objects. Errors are those of Meet (rendezvous.h).
absl::StatusOr<std::unique_ptr<moco::Communicator>> JoinGroup(
    const GroupOptions& options, const std::vector<DeviceBackend>& backends);

}  // namespace dist

#endif  // DIST_GROUP_H_
