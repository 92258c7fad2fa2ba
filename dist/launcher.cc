#include "dist/launcher.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "base/cores.h"
#include "base/descriptor.h"
#include "base/exit_code.h"
#include "base/files.h"
#include "base/run_folder.h"
#include "dist/process_group.h"

namespace dist {
namespace {

using Clock = std::chrono::steady_clock;
constexpr Clock::time_point kNever = Clock::time_point::max();

void Say(const std::string& line) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", line.c_str());
}

// While it lives, signals stay pending until Next() takes them.
class Signals {
 public:
  Signals() {
    signal(SIGCHLD, SIG_DFL);  // exit codes are lost where it is ignored
    sigemptyset(&waited_);
    sigaddset(&waited_, SIGCHLD);
    for (const int number : {SIGINT, SIGTERM, SIGUSR1, SIGHUP}) {
      struct sigaction action;
      sigaction(number, nullptr, &action);
      if (action.sa_handler != SIG_IGN) sigaddset(&waited_, number);
    }
    sigprocmask(SIG_BLOCK, &waited_, &before_);
  }
  Signals(const Signals&) = delete;
  ~Signals() { Unblock(); }

  void Unblock() const { sigprocmask(SIG_SETMASK, &before_, nullptr); }

  // The next one; 0 when none has come by `deadline`.
  int Next(Clock::time_point deadline) const {
    for (;;) {
      int number;
      if (deadline != kNever) {
        const auto left = std::max(deadline - Clock::now(), Clock::duration::zero());
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
        const timespec time = {seconds.count(), std::chrono::nanoseconds(left - seconds).count()};
        number = sigtimedwait(&waited_, nullptr, &time);
      } else {
        number = sigwaitinfo(&waited_, nullptr);
      }
      if (number > 0) return number;
      if (errno == EAGAIN) return 0;
    }
  }

 private:
  sigset_t waited_, before_;
};

// Where the store of rank 0 listens.
struct Listener {
  base::Descriptor socket;
  int port;
};

bool IsLoopback(const sockaddr& address) {
  if (address.sa_family == AF_INET6) {
    return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
  }
  return ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24 == 127;
}

absl::StatusOr<Listener> Listen(const LaunchPlan& plan) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(plan.host.c_str(), absl::StrCat(plan.port).c_str(), &hints, &found);
  const std::string host = absl::StrCat("the host '", plan.host, "' of rank 0");
  const std::string remedy = "; give --dist-url=tcp://HOST:PORT with this machine's address";
  if (error != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot find ", host, ": ", gai_strerror(error), remedy));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  const addrinfo& first = *addresses;
  // Debian's /etc/hosts gives a machine's own name such an address.
  if (plan.nproc < plan.size && IsLoopback(*first.ai_addr) && absl::ascii_isalpha(plan.host[0]) &&
      plan.host != "localhost") {
    return absl::InvalidArgumentError(absl::StrCat(
        host, " is a loopback address on this machine, which others cannot reach", remedy));
  }
  Listener listener;
  listener.socket = base::Descriptor(socket(first.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int fd = listener.socket.get(), yes = 1;
  sockaddr_in6 bound;  // the larger of both kinds, with the port at the same place
  socklen_t size = sizeof(bound);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (bind(fd, first.ai_addr, first.ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0 &&
      getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) == 0) {
    listener.port = ntohs(bound.sin6_port);
    return listener;
  }
  if (errno == EADDRINUSE) {
    return absl::UnavailableError(absl::StrCat("port ", plan.port,
                                               " is in use on this machine; give another one by "
                                               "--dist-url=tcp://HOST:PORT"));
  }
  if (errno == EADDRNOTAVAIL) {
    return absl::InvalidArgumentError(absl::StrCat(host, " is not this machine", remedy));
  }
  return base::ErrnoStatus("cannot listen at", absl::StrCat(plan.host, ":", plan.port));
}

// The environment with `ours` added; variables with an empty value are removed.
std::vector<std::string> Environment(const std::map<std::string, std::string>& ours) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const absl::string_view text = *entry;
    if (ours.count(std::string(text.substr(0, text.find('=')))) == 0) all.emplace_back(text);
  }
  for (const auto& [name, value] : ours) {
    if (!value.empty()) all.push_back(absl::StrCat(name, "=", value));
  }
  return all;
}

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// How the ranks of one attempt ended.
struct End {
  int rank = 0, status = 0;  // of the first that ended badly, as wait() gives it; 0: none did
  double seconds = 0;        // until then
  bool stopped = false;      // a signal was passed on

  int Code() const { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }
  bool Lost() const { return !stopped && (WIFSIGNALED(status) || Code() == base::kUnavailable); }
  std::string Text() const {
    if (!WIFSIGNALED(status)) {
      return absl::StrFormat("rank %d ended with exit code %d after %.0f s; its error is above",
                             rank, Code(), seconds);
    }
    return absl::StrFormat(
        "rank %d was killed by signal %d (%s) after %.0f s%s", rank, WTERMSIG(status),
        strsignal(WTERMSIG(status)), seconds,
        WTERMSIG(status) == SIGKILL && !stopped ? ", as the kernel does when memory is short" : "");
  }
};

// The ranks of one attempt and all that they plan. None is left when it dies.
class Processes {
 public:
  Processes(const Signals& signals, const LaunchOptions& options)
      : signals_(signals), options_(options) {}
  Processes(const Processes&) = delete;
  ~Processes() {
    group_.Send(SIGKILL);
    for (const auto& [pid, rank] : ranks_) waitpid(pid, nullptr, 0);
  }

  absl::Status Begin(const std::string& program, const std::vector<std::string>& arguments,
                     const LaunchPlan& plan, std::map<std::string, std::string> environment) {
    if (absl::Status s = group_.Start(options_.timeout); !s.ok()) return s;
    environment["MASTER_ADDR"] = plan.host;
    environment["MASTER_PORT"] = absl::StrCat(plan.port);
    environment["WORLD_SIZE"] = absl::StrCat(plan.size);
    environment["LOCAL_WORLD_SIZE"] = absl::StrCat(plan.nproc);
    environment["TORCHELASTIC_USE_AGENT_STORE"] = "";
    base::Descriptor socket;
    if (plan.first_rank == 0) {
      auto listener = Listen(plan);
      if (!listener.ok()) return listener.status();
      environment["MASTER_PORT"] = absl::StrCat(listener->port);
      socket = std::move(listener->socket);
    }
    std::vector<std::string> words = arguments;
    words.insert(words.begin(), program);
    for (int local_rank = 0; local_rank < plan.nproc; ++local_rank) {
      const int rank = plan.first_rank + local_rank, fd = rank == 0 ? socket.get() : -1;
      environment["RANK"] = absl::StrCat(rank);
      environment["LOCAL_RANK"] = absl::StrCat(local_rank);
      environment["MOCOPP_STORE_FD"] = rank == 0 ? absl::StrCat(fd) : "";
      std::vector<std::string> variables = Environment(environment);
      const auto pid = Fork(Pointers(words), Pointers(variables), fd);
      if (!pid.ok()) return pid.status();
      ranks_[*pid] = rank;
    }
    return absl::OkStatus();
  }

  // Until all ranks have ended.
  End Wait() {
    End end;
    Clock::time_point deadline = kNever;  // of those that are left
    int next = SIGTERM;                   // what they get then
    while (!ranks_.empty()) {
      const int number = signals_.Next(deadline);
      if (number == 0) {
        group_.Send(next);
        deadline = next == SIGTERM ? Clock::now() + options_.grace : kNever;
        next = SIGKILL;
      } else if (number != SIGCHLD) {
        end.stopped = true;
        for (const auto& [pid, rank] : ranks_) kill(pid, number);
      }
      const bool ended_badly = end.status != 0;
      Reap(&end);
      if (!ended_badly && end.status != 0) deadline = Clock::now() + options_.timeout;
    }
    return end;
  }

 private:
  // Starts argv[0] in the group, with `fd` (unless -1) left open.
  absl::StatusOr<pid_t> Fork(const std::vector<char*>& argv, const std::vector<char*>& variables,
                             int fd) {
    int ends[2];  // through which the child says that it could not become the program
    if (pipe2(ends, O_CLOEXEC) != 0) return base::ErrnoStatus("cannot make", "a pipe");
    const base::Descriptor read_end(ends[0]);
    base::Descriptor write_end(ends[1]);
    const pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
      group_.Join();
      if (getppid() != parent) _exit(1);  // the parent has died already
      dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
      if (fd >= 0) fcntl(fd, F_SETFD, 0);
      signals_.Unblock();
      execve(argv[0], argv.data(), variables.data());
      const int error = errno;
      _exit(write(ends[1], &error, sizeof(error)) > 0 ? 1 : 2);  // nobody reads this code
    }
    if (pid < 0) return base::ErrnoStatus("cannot start a process of", argv[0]);
    write_end = base::Descriptor();
    int error;
    if (read(ends[0], &error, sizeof(error)) != sizeof(error)) return pid;
    waitpid(pid, nullptr, 0);
    errno = error;
    return base::ErrnoStatus("cannot run", argv[0]);
  }

  // Removes the ranks that have ended from ranks_. If several have, one that was killed counts as
  // the first, since the others may have ended because of it.
  void Reap(End* end) {
    const bool known = end->status != 0;
    for (auto at = ranks_.begin(); at != ranks_.end();) {
      int status;
      if (waitpid(at->first, &status, WNOHANG) != at->first) {
        ++at;
        continue;
      }
      if (!known && status != 0 && (end->status == 0 || WIFSIGNALED(status))) {
        end->rank = at->second;
        end->status = status;
        end->seconds = std::chrono::duration<double>(Clock::now() - began_).count();
      }
      at = ranks_.erase(at);
    }
  }

  const Signals& signals_;
  const LaunchOptions& options_;
  const Clock::time_point began_ = Clock::now();
  ProcessGroup group_;
  std::map<pid_t, int> ranks_;
};

// A new folder for a run that names none itself; removed at the end where no rank has used it.
class OfferedFolder {
 public:
  OfferedFolder() : parent_(base::UserPath("runs")) {
    std::error_code error;
    parent_is_new_ = !std::filesystem::exists(parent_, error);
    path_ = base::NewRunPath(parent_);
  }
  OfferedFolder(const OfferedFolder&) = delete;
  ~OfferedFolder() {
    rmdir(path_.c_str());
    if (parent_is_new_) rmdir(parent_.c_str());
  }
  const std::string& path() const { return path_; }

 private:
  const std::string parent_;
  bool parent_is_new_;
  std::string path_;
};

}  // namespace

absl::StatusOr<int> Launch(const std::string& program, const std::vector<std::string>& arguments,
                           const LaunchPlan& plan, const LaunchOptions& options) {
  const int cores = base::Cores();
  if (plan.nproc > cores) {
    Say(absl::StrCat("note: ", plan.nproc, " ranks share ", cores, " cores"));
  }
  const OfferedFolder run_folder;
  const Signals signals;
  for (int restarts = 0;; ++restarts) {
    Processes processes(signals, options);
    absl::Status begun = processes.Begin(program, arguments, plan,
                                         {{"MOCOPP_RUN_DIR", run_folder.path()},
                                          {"TORCHELASTIC_RESTART_COUNT", absl::StrCat(restarts)}});
    if (!begun.ok()) return begun;
    const End end = processes.Wait();
    if (end.status == 0) return base::kSuccess;
    if (!end.Lost() || restarts == options.max_restarts) {
      Say(absl::StrCat("error: ", end.Text(),
                       end.stopped ? "; the launcher got a signal to stop"
                       : restarts > 0
                           ? absl::StrCat("; restarts: ", restarts, " of ", options.max_restarts)
                       : end.Lost() ? "; --max-restarts=N restarts such a run"
                                    : ""));
      return end.Code();
    }
    Say(absl::StrCat("warning: ", end.Text(), "; restarting, ", restarts + 1, " of ",
                     options.max_restarts));
  }
}

}  // namespace dist
