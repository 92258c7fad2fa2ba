// How the processes of a run find each other: through a store that rank 0 serves, or a file.
#ifndef DIST_RENDEZVOUS_H_
#define DIST_RENDEZVOUS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "dist/store.h"
#include "registry/options.h"

namespace dist {

// Which rank this process is and where the ranks meet, as dist/ranks.h finds it.
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
    v("size", size, "number of processes", registry::AtLeast(1));
    v("host", host, "host of rank 0, which serves the store: a name, an IPv4 or an IPv6 address");
    v("port", port, "port of the store; 0: any, for a single process", registry::Between(0, 65535));
    v("store_is_there", store_is_there, "another program, such as torchrun, serves the store");
    v("store_fd", store_fd, "listening socket on which rank 0 serves the store; -1: open one",
      registry::AtLeast(-1));
    v("store_file", store_file, "file on a shared disk that is the store instead; percent-encoded");
    v("one_machine", one_machine, "all ranks are on this machine: listen on loopback only");
    v("restarts", restarts, "how often the run was restarted; each attempt has its own store keys",
      registry::AtLeast(0));
    v("timeout", timeout, "seconds to wait for another process", registry::Positive());
  }
};

// A path as GroupOptions::store_file holds it: a spec's values have no commas.
std::string PercentEncoded(const std::string& path);

// What a rank has once all have met.
struct Rendezvous {
  StorePtr store;            // the keys of this run alone
  StorePtr heartbeat_store;  // the same keys through a second connection, for another thread
  std::string interface;     // the address of this machine that the other ranks reach
};

// Waits for all ranks. Unavailable when a rank does not come within the timeout, naming it, when
// the store cannot be reached, or when its port is in use; InvalidArgument for an unknown host.
absl::StatusOr<Rendezvous> Meet(const GroupOptions& options);

}  // namespace dist

#endif  // DIST_RENDEZVOUS_H_
