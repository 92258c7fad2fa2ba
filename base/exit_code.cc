#include "base/exit_code.h"

#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "base/signals.h"

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
    // What a file or a peer has brought into the message must not move the terminal's cursor.
    std::string line(status.message());
    for (char& c : line) c = absl::ascii_iscntrl(c) ? ' ' : c;
    std::fflush(stdout);
    std::fprintf(stderr, "error: %s\n", line.c_str());
  }
  return ExitCodeOf(status);
}

namespace {

absl::Status OutOfMemory() {
  return absl::ResourceExhaustedError("out of memory; lower --batch-size or --moco-k");
}

}  // namespace

int RunMain(const std::function<absl::Status(int argc, char** argv)>& body, int argc, char** argv) {
  try {
    return Report(body(argc, argv));
  } catch (const std::bad_alloc&) {
    return Report(OutOfMemory());
  } catch (const std::exception& e) {
    // LibTorch puts its stack trace on the lines after the first, and has no type for this error.
    const std::string what = e.what();
    if (absl::StrContains(what, "can't allocate memory")) return Report(OutOfMemory());
    return Report(absl::InternalError(what.substr(0, what.find('\n'))));
  }
}

}  // namespace base
