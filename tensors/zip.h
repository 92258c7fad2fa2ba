// The directory of a zip archive (PKWARE's APPNOTE 6.3, with the 64-bit records of its
// section 4.3), and unpacking its entries: stored or deflated. Does not use LibTorch.
//
// Errors are DataLoss with what is wrong, to be put behind the archive's name, unless it says
// otherwise.
#ifndef TENSORS_ZIP_H_
#define TENSORS_ZIP_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tensors {

// Reads `size` bytes from `at`, which lie in the file, into `out`.
using ZipSource = std::function<absl::Status(uint64_t at, uint64_t size, char* out)>;

// The same for an archive in memory, which must outlive the result.
ZipSource ZipInMemory(absl::string_view file);

struct ZipEntry {
  // What compresses an entry; others are named by ToString.
  static constexpr uint16_t kStored = 0, kDeflated = 8;

  absl::string_view name;     // as it is stored
  absl::string_view unicode;  // the name in UTF-8, if an extra field states it for `name`
  bool is_utf8 = false;       // whether the archive says that `name` is UTF-8
  bool is_link = false;       // a symbolic link of Unix
  bool encrypted = false;
  bool no_slashes = false;        // whether no name in the archive has a slash
  uint8_t system = 0;             // on which it was made; 0, 11 and 14 are those of DOS and Windows
  uint16_t method = 0;            // of compression
  uint32_t crc = 0;               // of the unpacked bytes
  uint64_t packed = 0, size = 0;  // bytes in the archive, and unpacked
  uint64_t header = 0;            // position of its local header in the file

  // The name in UTF-8, with slashes between folders. A name that states no encoding is UTF-8 if it
  // can be (macOS does not state it), and else IBM's code page 437, as the format has it.
  // Backslashes become slashes if no name in the archive has a slash, or if the entry was made on
  // Windows and its own name has none.
  std::string Name() const;

  // DataLoss if the entry cannot have the size that it states, so that nothing is allocated for it.
  absl::Status CheckSize() const;

  // DataLoss if these unpacked bytes do not have the checksum that the archive states.
  absl::Status CheckBytes(absl::string_view unpacked) const;
};

struct ZipDirectory {
  uint64_t begin = 0, end = 0;  // of the directory in the file
  uint64_t shift = 0;           // bytes before the archive, which its positions do not count
  uint64_t file_end = 0;        // the end of the archive with its comment
};

// "bzip2", "Deflate64", ...
std::string ZipMethodName(uint16_t method);

// Reads the directory, and calls `visit` with each entry that is a file or a folder (whose name
// ends with a slash) until it returns an error. The entry's texts are valid during the call. Every
// entry lies before the directory. InvalidArgument if the archive is one of several parts.
absl::StatusOr<ZipDirectory> ReadZipDirectory(
    uint64_t file_size, const ZipSource& read,
    const std::function<absl::Status(const ZipEntry&)>& visit);

// The size of the local header that begins with `bytes` (kZipLocalHeader of them), with its name
// and extra fields: the contents are behind it.
constexpr uint64_t kZipLocalHeader = 30;
absl::StatusOr<uint64_t> ZipLocalHeaderSize(absl::string_view bytes);

// Writes the first `size` bytes of an entry to `out`, from all of its bytes in the archive. If
// these are all (`size` is entry.size), they have the size and the checksum that the directory
// states. InvalidArgument if the entry is encrypted, or of another method than the two above;
// ResourceExhausted if memory is short. Thread-safe.
absl::Status UnpackZipEntry(const ZipEntry& entry, absl::string_view packed, uint64_t size,
                            char* out);

}  // namespace tensors

#endif  // TENSORS_ZIP_H_
