// Tar archives (shards): what files they hold, and reading a piece of them.
#ifndef DATA_FORMATS_TAR_ARCHIVE_H_
#define DATA_FORMATS_TAR_ARCHIVE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/files.h"

namespace data {

// An open archive. Threads may read at once.
using Archive = base::ReadableFile;

// InvalidArgument, saying how to unpack it, for a compressed archive.
absl::StatusOr<Archive> OpenArchive(const std::string& path);

struct ArchiveEntry {
  std::string name;      // without "./" or "/" at the beginning
  int64_t offset, size;  // of the contents
};

struct ArchiveListing {
  std::vector<ArchiveEntry> entries;  // files that are not hidden, in the archive's order
  bool has_end_mark = true;           // without one, entries at the end may be lost
  bool has_more = false;              // something follows the end mark
  absl::Status array_status;          // InvalidArgument, as below, of an array
};

// Reads the headers, in the forms of POSIX (ustar, pax) and GNU tar. DataLoss, with the byte, if
// the archive is cut or damaged; one that ends where an entry ends only lacks its mark.
// InvalidArgument if an image is a link or a sparse file, whose contents are elsewhere.
absl::StatusOr<ArchiveListing> List(const Archive& archive);

}  // namespace data

#endif  // DATA_FORMATS_TAR_ARCHIVE_H_
