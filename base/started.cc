#include "base/started.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace base {

namespace {

constexpr absl::string_view kRun = "bazel run //";

// What the user types for the launcher; empty if there is none.
absl::string_view Launcher() {
  const char* launcher = std::getenv("MOCOPP_STARTED_AS");
  return launcher == nullptr ? "" : launcher;
}

// Whether `folder` has programs that a bundle contains.
bool IsShipped(absl::string_view folder) {
  for (const char* shipped : {"moco", "lincls", "dist", "tools"}) {
    if (folder == shipped) return true;
  }
  return false;
}

// The write function of a stream whose cookie is a file descriptor.
ssize_t Write(void* cookie, const char* data, size_t size) {
  const std::string text = AsStarted(std::string(data, size));
  for (size_t done = 0; done < text.size();) {
    const ssize_t written =
        write(*static_cast<const int*>(cookie), text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return 0;  // an error of the stream
    done += written;
  }
  return static_cast<ssize_t>(size);
}

// Replaces `stream` by one that passes what is written through AsStarted. A command that two writes
// share stays as it is, so the buffer is larger than any text that is printed at once. No stream
// may be unbuffered: glibc 2.37 and later would write a line in parts of 128 bytes.
void Replace(FILE*& stream, int fd, int buffering) {
  static std::array<int, 2> descriptors;  // both live as long as the streams, until the end
  static std::array<std::array<char, 1 << 16>, 2> buffers;
  const int index = fd == STDOUT_FILENO ? 0 : 1;
  descriptors[index] = fd;
  cookie_io_functions_t functions = {};
  functions.write = Write;
  FILE* const replacement = fopencookie(&descriptors[index], "w", functions);
  if (replacement == nullptr) return;
  std::setvbuf(replacement, buffers[index].data(), buffering, buffers[index].size());
  std::fflush(stream);
  stream = replacement;
}

}  // namespace

std::string AsStarted(const std::string& whole) {
  const absl::string_view launcher = Launcher();
  if (launcher.empty()) return whole;
  absl::string_view text = whole;
  std::string result;
  for (size_t at; (at = text.find(kRun)) != absl::string_view::npos;) {
    absl::string_view rest = text.substr(at + kRun.size());
    const size_t colon = rest.find(':');
    if (colon == absl::string_view::npos || !IsShipped(rest.substr(0, colon))) {
      absl::StrAppend(&result, text.substr(0, at + kRun.size()));
      text = rest;
      continue;
    }
    rest.remove_prefix(colon + 1);
    size_t end = 0;
    while (end < rest.size() && (absl::ascii_isalnum(rest[end]) || rest[end] == '_')) ++end;
    absl::StrAppend(&result, text.substr(0, at), launcher, " ", rest.substr(0, end));
    rest.remove_prefix(end);
    // Where there is no " --" to leave out, the columns of --help lose as many spaces.
    if (absl::StartsWith(rest, " -- ") || absl::StartsWith(rest, "      ")) rest.remove_prefix(3);
    text = rest;
  }
  absl::StrAppend(&result, text);
  return result;
}

void PrintAsStarted() {
  if (Launcher().empty()) return;
  Replace(stdout, STDOUT_FILENO, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF);
  Replace(stderr, STDERR_FILENO, _IOLBF);
}

}  // namespace base
