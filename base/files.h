// Files: reading whole files, and writing files that appear completely or not at all.
#ifndef BASE_FILES_H_
#define BASE_FILES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace base {

// Returns a status for a failed system call on `path`, from errno: "<what> '<path>': No such file
// or directory". The code is NotFound, PermissionDenied, ResourceExhausted (disk full),
// AlreadyExists or, for the rest, Unavailable.
absl::Status ErrnoStatus(absl::string_view what, absl::string_view path);

// The status with "'<path>' " before its message, for functions whose messages begin with what is
// wrong and not with the file's name. OK stays OK.
absl::Status InFile(const absl::Status& status, absl::string_view path);

// Returns a descriptor of a plain file, which the caller closes. InvalidArgument for folders, pipes
// and devices; never waits for a pipe.
absl::StatusOr<int> OpenForReading(const std::string& path);

// Returns the contents of a plain file. InvalidArgument for folders, pipes and devices, and for
// more than `max_bytes`.
absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     int64_t max_bytes = std::numeric_limits<int64_t>::max());

// The bytes of a file, mapped into memory instead of copied. If another process shortens the file,
// this one ends by SIGBUS; replacing the file, as WriteFileAtomically does, is harmless.
class MappedFile {
 public:
  // InvalidArgument if it is not a plain file.
  static absl::StatusOr<MappedFile> Open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  ~MappedFile();

  absl::string_view bytes() const { return bytes_; }

 private:
  explicit MappedFile(absl::string_view bytes) : bytes_(bytes) {}

  absl::string_view bytes_;
};

// A plain file that is read piece by piece. Threads may read at once. Unlike a mapped file, one
// that another process shortens gives an error.
class ReadableFile {
 public:
  // InvalidArgument if it is not a plain file.
  static absl::StatusOr<ReadableFile> Open(const std::string& path);

  ReadableFile(ReadableFile&& other) noexcept;
  ~ReadableFile();

  const std::string& path() const { return path_; }
  int64_t size() const { return size_; }  // when it was opened

  // Reads all of [offset, offset + size) into `out`. DataLoss if the file is shorter by now.
  absl::Status Read(int64_t offset, int64_t size, char* out) const;

 private:
  ReadableFile(std::string path, int fd, int64_t size)
      : path_(std::move(path)), fd_(fd), size_(size) {}

  std::string path_;
  int fd_;
  int64_t size_;
};

// mkdir -p.
absl::Status MakeFolders(const std::string& path);

// Writes `path` so that, whatever happens, a reader finds the old file or the whole new one: it
// writes a temporary file in the same folder, syncs it, renames it, and syncs the folder. `produce`
// gets a sink that appends bytes and fails if the disk is full. After an error the temporary file
// is gone, and `path` is the old file, with one exception: if the last step fails, the fsync of the
// folder, `path` is the whole new file, and a crash of the system may bring the old one back.
using Sink = std::function<absl::Status(const void* bytes, size_t size)>;
absl::Status WriteFileAtomically(const std::string& path,
                                 const std::function<absl::Status(const Sink&)>& produce);
absl::Status WriteFileAtomically(const std::string& path, absl::string_view contents);

// The same for a file that must be new. AlreadyExists if a file of that name exists, even one made
// meanwhile by another process; it stays as it is.
absl::Status WriteNewFile(const std::string& path, absl::string_view contents);

// A file that grows over hours. What it held at the last Sync() survives any crash, and a process
// that knows its size of that moment can continue from there.
class GrowingFile {
 public:
  // Creates the file if it does not exist.
  static absl::StatusOr<GrowingFile> Open(const std::string& path);

  GrowingFile(GrowingFile&& other) noexcept;
  ~GrowingFile();

  int64_t size() const { return size_; }

  // ResourceExhausted when the disk is full.
  absl::Status Append(absl::string_view bytes);
  absl::Status Overwrite(int64_t offset, absl::string_view bytes);  // within the file
  absl::Status Cut(int64_t size);                                   // at most size()
  absl::Status Sync();

 private:
  GrowingFile(std::string path, int fd, int64_t size)
      : path_(std::move(path)), fd_(fd), size_(size) {}

  std::string path_;
  int fd_;
  int64_t size_;
};

// Removes the temporary files that killed writers have left in `folder` and in the folders below
// it, but follows no links. Only the holder of the folder's lock may call it, because an active
// writer would lose its file.
void RemoveTemporaries(const std::string& folder);

// A path as the user typed it, made absolute. It is relative to the user's working directory, which
// is BUILD_WORKING_DIRECTORY under `bazel run`, where the process starts elsewhere. `~/` is the
// home folder. `..` is left to the system, because the parent of a link's target is not the folder
// that holds the link. An empty path stays empty.
std::string UserPath(const std::string& path);

// Returns the word as it must be typed in a shell, in quotes if it needs them.
std::string ShellQuoted(const std::string& word);

}  // namespace base

#endif  // BASE_FILES_H_
