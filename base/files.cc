#include "base/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/descriptor.h"

namespace base {
namespace {

constexpr char kTemporary[] = ".part-";  // and the writer's process id

// Writes at `offset`, or at the current position.
absl::Status WriteAll(int fd, const std::string& path, const void* bytes, size_t size,
                      std::optional<int64_t> offset = std::nullopt) {
  const char* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const int64_t done = at - static_cast<const char*>(bytes);
    const ssize_t written = offset ? pwrite(fd, at, size, *offset + done) : write(fd, at, size);
    if (written < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus("cannot write", path);
    }
    at += written;
    size -= written;
  }
  return absl::OkStatus();
}

absl::Status WriteAndSync(const std::string& path,
                          const std::function<absl::Status(const Sink&)>& produce) {
  Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.get() < 0) return ErrnoStatus("cannot create", path);
  absl::Status status = produce(
      [&](const void* bytes, size_t size) { return WriteAll(file.get(), path, bytes, size); });
  if (!status.ok()) return status;
  if (fsync(file.get()) != 0) return ErrnoStatus("cannot write to disk", path);
  if (!file.Close()) return ErrnoStatus("cannot close", path);
  return absl::OkStatus();
}

absl::Status SyncFolder(const std::string& folder) {
  Descriptor fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoStatus("cannot open folder", folder);
  // Some network file systems refuse fsync on folders; the rename is then as durable as they make
  // it.
  if (fsync(fd.get()) != 0 && errno != EINVAL) return ErrnoStatus("cannot write to disk", folder);
  return absl::OkStatus();
}

}  // namespace

absl::Status ErrnoStatus(absl::string_view what, absl::string_view path) {
  const int error = errno;
  const std::string message = absl::StrCat(what, " '", path, "': ", std::strerror(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(absl::StrCat(message, "; check the path"));
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(
          absl::StrCat(message, "; check the permissions, or choose another path"));
    case ENOSPC:
    case EDQUOT:
      return absl::ResourceExhaustedError(absl::StrCat(message, "; free some space"));
    case EEXIST:
      return absl::AlreadyExistsError(absl::StrCat(message, "; choose another name"));
    default:
      return absl::UnavailableError(message);
  }
}

absl::Status InFile(const absl::Status& status, absl::string_view path) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat("'", path, "' ", status.message()));
}

absl::StatusOr<int> OpenForReading(const std::string& path) {
  // Without O_NONBLOCK, opening a pipe would wait for a writer.
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info;
  if (file.get() < 0 || fstat(file.get(), &info) != 0) return ErrnoStatus("cannot open", path);
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' is a ", S_ISDIR(info.st_mode) ? "folder" : "pipe or device",
                     ", not a plain file; give the file itself"));
  }
  return file.Release();
}

absl::StatusOr<std::string> ReadFile(const std::string& path, int64_t max_bytes) {
  const auto opened = OpenForReading(path);
  if (!opened.ok()) return opened.status();
  const Descriptor file(*opened);
  struct stat info;
  if (fstat(file.get(), &info) != 0) return ErrnoStatus("cannot open", path);
  if (info.st_size > max_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' has ", info.st_size, " bytes, more than ", max_bytes));
  }
  std::string contents(info.st_size + 1, '\0');  // one more byte, to see the end without growing
  size_t have = 0;
  for (;;) {
    if (have == contents.size())
      contents.resize(have + 65536);  // the file grew, or its size is unknown (/proc)
    const ssize_t got = read(file.get(), contents.data() + have, contents.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus("cannot read", path);
    if (got == 0) break;
    have += got;
  }
  contents.resize(have);
  return contents;
}

absl::StatusOr<MappedFile> MappedFile::Open(const std::string& path) {
  const auto opened = OpenForReading(path);
  if (!opened.ok()) return opened.status();
  const Descriptor file(*opened);
  struct stat info;
  if (fstat(file.get(), &info) != 0) return ErrnoStatus("cannot open", path);
  if (info.st_size == 0) return MappedFile({});
  void* bytes = mmap(nullptr, info.st_size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (bytes == MAP_FAILED) return ErrnoStatus("cannot map", path);
  return MappedFile({static_cast<const char*>(bytes), static_cast<size_t>(info.st_size)});
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

absl::StatusOr<ReadableFile> ReadableFile::Open(const std::string& path) {
  const auto opened = OpenForReading(path);
  if (!opened.ok()) return opened.status();
  ReadableFile file(path, *opened, 0);
  struct stat info;
  if (fstat(file.fd_, &info) != 0) return ErrnoStatus("cannot open", path);
  file.size_ = info.st_size;
  return file;
}

ReadableFile::ReadableFile(ReadableFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}

ReadableFile::~ReadableFile() {
  if (fd_ >= 0) close(fd_);
}

absl::Status ReadableFile::Read(int64_t offset, int64_t size, char* out) const {
  while (size > 0) {
    const ssize_t got = pread(fd_, out, size, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus("cannot read", path_);
    if (got == 0) return absl::DataLossError(absl::StrCat("'", path_, "' is cut"));
    out += got;
    offset += got;
    size -= got;
  }
  return absl::OkStatus();
}

absl::Status MakeFolders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) return absl::OkStatus();
  errno = error.value();
  return ErrnoStatus("cannot make folder", path);
}

namespace {

// Writes a temporary file, gives it its final name by `name_it`, which works as rename(2) does, and
// syncs the folder.
absl::Status WriteThenName(const std::string& path,
                           const std::function<absl::Status(const Sink&)>& produce,
                           int (*name_it)(const char* from, const char* to)) {
  const std::string temporary = absl::StrCat(path, kTemporary, getpid());
  absl::Status status = WriteAndSync(temporary, produce);
  if (status.ok() && name_it(temporary.c_str(), path.c_str()) != 0) {
    status = ErrnoStatus("cannot rename to", path);
  }
  if (!status.ok()) {
    unlink(temporary.c_str());
    return status;
  }
  const std::string folder = std::filesystem::path(path).parent_path();
  return SyncFolder(folder.empty() ? "." : folder);
}

// As rename(2), but never replaces a file.
int RenameToNew(const char* from, const char* to) {
  const int renamed = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
  if (renamed == 0 || errno != EINVAL) return renamed;
  // Some file systems, such as NFS, do not support this; a link, too, cannot replace a file.
  return link(from, to) == 0 ? unlink(from) : -1;
}

}  // namespace

absl::Status WriteFileAtomically(const std::string& path,
                                 const std::function<absl::Status(const Sink&)>& produce) {
  return WriteThenName(path, produce, rename);
}

absl::Status WriteFileAtomically(const std::string& path, absl::string_view contents) {
  return WriteFileAtomically(
      path, [&](const Sink& sink) { return sink(contents.data(), contents.size()); });
}

absl::Status WriteNewFile(const std::string& path, absl::string_view contents) {
  return WriteThenName(
      path, [&](const Sink& sink) { return sink(contents.data(), contents.size()); }, RenameToNew);
}

absl::StatusOr<GrowingFile> GrowingFile::Open(const std::string& path) {
  Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644));
  struct stat info;
  if (file.get() < 0 || fstat(file.get(), &info) != 0) return ErrnoStatus("cannot open", path);
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' is not a plain file"));
  }
  const std::string folder = std::filesystem::path(path).parent_path();
  if (absl::Status s = SyncFolder(folder.empty() ? "." : folder); !s.ok()) return s;
  return GrowingFile(path, file.Release(), info.st_size);
}

GrowingFile::GrowingFile(GrowingFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}

GrowingFile::~GrowingFile() {
  if (fd_ >= 0) close(fd_);
}

absl::Status GrowingFile::Append(absl::string_view bytes) {
  absl::Status s = WriteAll(fd_, path_, bytes.data(), bytes.size(), size_);
  if (s.ok()) size_ += bytes.size();
  return s;
}

absl::Status GrowingFile::Overwrite(int64_t offset, absl::string_view bytes) {
  return WriteAll(fd_, path_, bytes.data(), bytes.size(), offset);
}

absl::Status GrowingFile::Cut(int64_t size) {
  if (ftruncate(fd_, size) != 0) return ErrnoStatus("cannot shorten", path_);
  size_ = size;
  return absl::OkStatus();
}

absl::Status GrowingFile::Sync() {
  return fsync(fd_) == 0 ? absl::OkStatus() : ErrnoStatus("cannot write to disk", path_);
}

void RemoveTemporaries(const std::string& folder) {
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(
      folder, std::filesystem::directory_options::skip_permission_denied, error);
  for (; entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename();
    const size_t at = name.rfind(kTemporary);
    int64_t writer;
    if (at != std::string::npos &&
        absl::SimpleAtoi(name.substr(at + std::strlen(kTemporary)), &writer)) {
      std::remove(entry->path().c_str());
    }
  }
}

std::string UserPath(const std::string& path) {
  if (path.empty() || absl::StartsWith(path, "/")) return path;
  if (absl::StartsWith(path, "~/")) {
    const char* home = std::getenv("HOME");
    if (home != nullptr) return absl::StrCat(home, path.substr(1));
  }
  const char* stands_in = std::getenv("BUILD_WORKING_DIRECTORY");
  const std::filesystem::path base =
      stands_in != nullptr ? std::filesystem::path(stands_in) : std::filesystem::current_path();
  // Skips "." and empty parts, which have no effect.
  std::filesystem::path result = base;
  for (const std::filesystem::path& part : std::filesystem::path(path)) {
    if (!part.empty() && part != ".") result /= part;
  }
  return result;
}

std::string ShellQuoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return absl::ascii_isalnum(c) || absl::StrContains("/._-+=:,@", absl::string_view(&c, 1));
  });
  return plain ? word : absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
}

}  // namespace base
