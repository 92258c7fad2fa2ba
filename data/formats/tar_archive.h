// Tar archives (shards): what files they hold, and reading a piece of them.
#ifndef DATA_FORMATS_TAR_ARCHIVE_H_
#define DATA_FORMATS_TAR_ARCHIVE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace data {

// An open archive. Threads may read at once.
class Archive {
 public:
  // InvalidArgument, saying how to unpack it, for a compressed archive.
  static absl::StatusOr<Archive> Open(const std::string& path);
  Archive(Archive&& other) noexcept;
  Archive(const Archive&) = delete;
  ~Archive();

  const std::string& path() const { return path_; }
  int64_t size() const { return size_; }

  // Reads all of [offset, offset + size) into `out`. DataLoss if the file is shorter by now.
  absl::Status Read(int64_t offset, int64_t size, char* out) const;

 private:
  Archive() = default;
  std::string path_;
  int fd_ = -1;
  int64_t size_ = 0;
};

struct ArchiveEntry {
  std::string name;      // without "./" or "/" at the beginning
  int64_t offset, size;  // of the contents
};

struct ArchiveListing {
  std::vector<ArchiveEntry> entries;  // files that are not hidden, in the archive's order
  bool has_end_mark = true;           // without one, entries at the end may be lost
  bool has_more = false;              // something follows the end mark
};

// Reads the headers, in the forms of POSIX (ustar, pax) and GNU tar. DataLoss, with the byte, if
// the archive is cut or damaged; one that ends where an entry ends only lacks its mark.
// InvalidArgument if an image is a link or a sparse file, whose contents are elsewhere.
absl::StatusOr<ArchiveListing> List(const Archive& archive);

// Whether any part of the name is hidden, as `._000.cls` of macOS is.
bool IsHidden(absl::string_view name);

}  // namespace data

#endif  // DATA_FORMATS_TAR_ARCHIVE_H_
