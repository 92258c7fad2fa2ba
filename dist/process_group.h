// A group of processes of which none is left, whatever ends the one that has made it.
#ifndef DIST_PROCESS_GROUP_H_
#define DIST_PROCESS_GROUP_H_

#include <sys/types.h>

#include <chrono>

#include "absl/status/status.h"
#include "base/descriptor.h"

namespace dist {

class ProcessGroup {
 public:
  ProcessGroup() = default;
  ProcessGroup(const ProcessGroup&) = delete;
  // Kills what is left of the group. Its members that are children of this process are to be waited
  // for afterwards.
  ~ProcessGroup();

  // Makes the group, which at first consists of its leader, a process without work of its own. When
  // this process ends without the destructor, because it is killed, the members get SIGUSR1 and
  // have `timeout` to write a checkpoint and end; then the group gets SIGKILL.
  absl::Status Start(std::chrono::seconds timeout);

  // Makes the calling process, a child that has just been forked, a member.
  void Join() const;

  // Sends a signal to all members.
  void Send(int signal) const;

 private:
  pid_t leader_ = 0;
  base::Descriptor owned_;  // closed when this process ends
  base::Descriptor alive_;  // closed when this process and all members have ended
};

}  // namespace dist

#endif  // DIST_PROCESS_GROUP_H_
