#include "base/exit_code.h"

#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "absl/strings/str_replace.h"

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
      return kInterrupted;
    case absl::StatusCode::kDeadlineExceeded:
      return kTerminated;
    default:
      return kInternalError;
  }
}

int Report(const absl::Status& status) {
  if (!status.ok()) {
    const std::string line = absl::StrReplaceAll(status.message(), {{"\n", " "}});
    std::fflush(stdout);
    std::fprintf(stderr, "error: %s\n", line.c_str());
  }
  return ExitCodeOf(status);
}

int RunMain(absl::Status (*body)(int argc, char** argv), int argc, char** argv) {
  try {
    return Report(body(argc, argv));
  } catch (const std::bad_alloc&) {
    return Report(
        absl::ResourceExhaustedError("out of memory; lower --batch-size, or the queue's size"));
  } catch (const std::exception& e) {
    const std::string what =
        e.what();  // LibTorch puts its stack trace on the lines after the first
    return Report(absl::InternalError(what.substr(0, what.find('\n'))));
  }
}

}  // namespace base
