// Processes that work on one run together: how they meet, and the communicator that they speak
// through, over PyTorch's own engine (c10d). The plugins `gloo` and `nccl` say with which backend.
#ifndef DIST_GROUP_H_
#define DIST_GROUP_H_

#include <c10/core/DeviceType.h>
#include <c10/util/intrusive_ptr.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <vector>

#include "absl/status/statusor.h"
#include "moco/communicators/communicator.h"

namespace dist {

// The place of this process, as dist/ranks.h finds it.
struct GroupOptions {
  int64_t rank = 0, size = 1;
  std::string host = "127.0.0.1";
  int64_t port = 0;
  bool store_is_there = false;
  int64_t store_fd = -1;
  std::string store_file;
  bool one_machine = true;
  int64_t restarts = 0;
  double timeout = 300;

  template <class Visitor>
  void Visit(Visitor& v) {
    v("rank", rank, "of this process, from 0", registry::AtLeast(0));
    v("size", size, "processes in all", registry::AtLeast(1));
    v("host", host, "machine of rank 0, which serves the store where all meet");
    v("port", port, "of the store; 0: any, for one process", registry::Between(0, 65535));
    v("store_is_there", store_is_there, "another program serves the store, such as torchrun");
    v("store_fd", store_fd, "socket on which rank 0 serves the store; -1: makes one",
      registry::AtLeast(-1));
    v("store_file", store_file, "file of all machines that is the store instead");
    v("one_machine", one_machine, "nothing listens beyond this machine");
    v("restarts", restarts,
      "how often the run was started again: each time with a store of its own",
      registry::AtLeast(0));
    v("timeout", timeout, "seconds that are waited for another process", registry::Positive());
  }
};

// A backend by which tensors of a device travel. interface: the address of this machine that the
// others reach.
struct DeviceBackend {
  c10::DeviceType device;
  std::function<c10::intrusive_ptr<c10d::Backend>(const c10::intrusive_ptr<c10d::Store>& store,
                                                  const GroupOptions& options,
                                                  const std::string& interface)>
      make;
};
DeviceBackend Gloo();

// Meets the other processes. The first backend is that of barriers and objects. Unavailable when a
// process does not come within the timeout, naming its rank, when the store cannot be reached, or
// its port is in use.
absl::StatusOr<std::unique_ptr<moco::Communicator>> JoinGroup(
    const GroupOptions& options, const std::vector<DeviceBackend>& backends);

}  // namespace dist

#endif  // DIST_GROUP_H_
