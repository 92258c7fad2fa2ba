#include "base/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/cores.h"
#include "base/files.h"

namespace base {

absl::StatusOr<RunFolder> RunFolder::Open(const std::string& path) {
  if (absl::Status made = MakeFolders(path); !made.ok()) return made;
  const std::string lock = path + "/lock";
  const int fd = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return ErrnoStatus("cannot write", lock);
  RunFolder folder(path, fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return ErrnoStatus("cannot lock", lock);
    return absl::UnavailableError(
        absl::StrCat("another run is using '", path, "'; wait for it, or choose another folder"));
  }
  RemoveTemporaries(path);
  return folder;
}

RunFolder::RunFolder(RunFolder&& other) noexcept
    : path_(std::move(other.path_)), lock_(other.lock_) {
  other.lock_ = -1;
}

RunFolder::~RunFolder() {
  if (lock_ >= 0) close(lock_);
}

absl::Status RunFolder::Append(const std::string& name, const std::string& bytes) {
  const std::string path = File(name);
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return ErrnoStatus("cannot write", path);
  const off_t end = lseek(fd, 0, SEEK_END);
  const ssize_t written = write(fd, bytes.data(), bytes.size());
  absl::Status status;
  if (written != static_cast<ssize_t>(bytes.size())) {
    if (written >= 0) errno = ENOSPC;
    status = ErrnoStatus("cannot write", path);
    // Half a line or record would damage the next one.
    if (ftruncate(fd, end) != 0) status = ErrnoStatus("cannot repair", path);
  }
  close(fd);
  return status;
}

std::string NewRunPath(const std::string& parent, const std::string& suffix) {
  const std::time_t now = std::time(nullptr);
  std::tm local;
  localtime_r(&now, &local);
  char time[32];
  std::strftime(time, sizeof(time), "%Y-%m-%d_%H-%M-%S", &local);
  const std::string first = absl::StrCat(parent, "/", time, suffix);
  std::string path = first;
  if (!MakeFolders(parent).ok()) return path;
  // Only mkdir tells whether another run that starts now has the name.
  for (int i = 2; mkdir(path.c_str(), 0777) != 0 && errno == EEXIST; ++i) {
    path = absl::StrCat(first, "-", i);
  }
  return path;
}

nlohmann::json DescribeMachine() {
  nlohmann::json machine;
  utsname system;
  uname(&system);
  machine["host"] = system.nodename;
  machine["system"] = absl::StrCat(system.sysname, " ", system.release, " ", system.machine);
  machine["cores"] = Cores();
  struct sysinfo memory;
  sysinfo(&memory);
  machine["memory_bytes"] = static_cast<uint64_t>(memory.totalram) * memory.mem_unit;
  if (auto cpuinfo = ReadFile("/proc/cpuinfo"); cpuinfo.ok()) {
    for (absl::string_view line : absl::StrSplit(*cpuinfo, '\n')) {
      if (!absl::ConsumePrefix(&line, "model name")) continue;
      machine["cpu"] = std::string(absl::StripLeadingAsciiWhitespace(
          line.substr(std::min(line.find(':') + 1, line.size()))));
      break;
    }
  }
  return machine;
}

}  // namespace base
