#include "base/exit_code.h"

#include <gflags/gflags.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/signals.h"
#include "base/started.h"

namespace base {

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kSuccess;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kFailedPrecondition:
      return kBadUsage;
    case absl::StatusCode::kDataLoss:
      return kDamagedData;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
      return kUnavailable;
    case absl::StatusCode::kAborted:
      return kNotFinite;
    case absl::StatusCode::kCancelled:
      return static_cast<ExitCode>(128 + StopSignal());
    default:
      return kInternalError;
  }
}

int Report(const absl::Status& status) {
  if (!status.ok() && !status.message().empty()) {
    // Text from a file or a peer must not move the terminal's cursor.
    std::string line(status.message());
    for (char& c : line) c = absl::ascii_iscntrl(c) ? ' ' : c;
    std::fflush(stdout);
    std::fprintf(stderr, "error: %s\n", line.c_str());
  }
  return ExitCodeOf(status);
}

namespace {

// The flags of this program that lower its use of memory.
std::vector<std::string> MemoryFlags(bool on_gpu) {
  std::vector<std::string> flags;
  gflags::CommandLineFlagInfo info;
  for (const char* flag : {"batch_size", "moco_k", "workers"}) {
    if (on_gpu && flag == std::string("workers")) continue;
    if (!gflags::GetCommandLineFlagInfo(flag, &info)) continue;
    flags.push_back(absl::StrCat("--", absl::StrReplaceAll(flag, {{"_", "-"}})));
  }
  return flags;
}

absl::Status OutOfMemory(bool on_gpu) {
  const std::vector<std::string> flags = MemoryFlags(on_gpu);
  const char* const where = on_gpu ? "the GPU" : "this machine";
  const std::string remedy =
      flags.empty()
          ? absl::StrCat("free memory on ", where)
          : absl::StrCat("lower ", flags.size() > 1 ? "one of " : "", absl::StrJoin(flags, ", "));
  return absl::ResourceExhaustedError(absl::StrCat("out of memory on ", where, "; ", remedy));
}

// Whether nobody can read stdout: it was closed, or its reader or terminal is gone. The reason why
// an earlier write failed is not kept, so the descriptor is asked.
bool StdoutHasNoReader() {
  pollfd out = {STDOUT_FILENO, POLLOUT, 0};
  return poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

// Unavailable if anything that was printed could not be written.
absl::Status FlushStdout() {
  const bool failed_before = std::ferror(stdout) != 0;
  const bool failed = std::fflush(stdout) != 0;
  const int error = errno;
  if (!(failed || failed_before) || StdoutHasNoReader()) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("the output is incomplete, because writing to stdout failed",
                   failed ? absl::StrCat(": ", std::strerror(error)) : "",
                   "; free space on its disk, or redirect it to another one"));
}

}  // namespace

bool IsOutOfMemory(const std::exception& e) {
  if (dynamic_cast<const std::bad_alloc*>(&e) != nullptr) return true;
  for (const char* words :
       {"can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED"}) {
    if (absl::StrContains(e.what(), words)) return true;
  }
  return false;
}

absl::Status CatchExceptions(const std::function<absl::Status()>& body) {
  try {
    return body();
  } catch (const std::exception& e) {
    const std::string what = e.what();
    if (IsOutOfMemory(e)) return OutOfMemory(/*on_gpu=*/absl::StrContains(what, "CUDA"));
    return absl::InternalError(what.substr(0, what.find('\n')));
  }
}

int RunMain(const std::function<absl::Status(int argc, char** argv)>& body, int argc, char** argv) {
  PrintAsStarted();
  const absl::Status status = CatchExceptions([&] { return body(argc, argv); });
  const absl::Status printed = FlushStdout();
  return Report(status.ok() ? printed : status);
}

}  // namespace base
