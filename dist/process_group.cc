#include "dist/process_group.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"

namespace dist {
namespace {

// What members get when the owner is gone. Of the signals after which our programs write a
// checkpoint, it is the only one that may come twice without harm.
constexpr int kStop = SIGUSR1;

// The leader: waits until the owner has ended, then until all members have, and kills what is left.
// It reads from the pipes, which say so by their end.
[[noreturn]] void Lead(int owned, int alive, std::chrono::milliseconds timeout) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  char byte;
  while (read(owned, &byte, 1) < 0) continue;
  kill(0, kStop);
  pollfd ended = {alive, 0, 0};
  while (poll(&ended, 1, static_cast<int>(timeout.count())) < 0) continue;
  kill(0, SIGKILL);
  _exit(0);
}

}  // namespace

absl::Status ProcessGroup::Start(std::chrono::seconds timeout) {
  int owned[2], alive[2];
  if (pipe2(owned, O_CLOEXEC) != 0) return base::ErrnoStatus("cannot make", "a pipe");
  const base::Descriptor owned_read(owned[0]);
  owned_ = base::Descriptor(owned[1]);
  if (pipe2(alive, O_CLOEXEC) != 0) return base::ErrnoStatus("cannot make", "a pipe");
  const base::Descriptor alive_read(alive[0]);
  alive_ = base::Descriptor(alive[1]);
  leader_ = fork();
  if (leader_ < 0) return base::ErrnoStatus("cannot start", "a process");
  setpgid(leader_, leader_);  // both processes do it, since either may run first
  if (leader_ > 0) return absl::OkStatus();
  close(owned[1]);
  close(alive[1]);
  Lead(owned[0], alive[0], timeout);
}

void ProcessGroup::Join() const {
  prctl(PR_SET_PDEATHSIG, kStop);  // in case that the leader is killed as well
  setpgid(0, leader_);
  fcntl(alive_.get(), F_SETFD, 0);  // stays open in the program that this process becomes
}

void ProcessGroup::Send(int signal) const {
  if (leader_ > 0) kill(-leader_, signal);
}

ProcessGroup::~ProcessGroup() {
  Send(SIGKILL);
  if (leader_ > 0) waitpid(leader_, nullptr, 0);
}

}  // namespace dist
