// Zip archives as PyTorch writes them: every entry stored as it is. Nothing is unpacked or copied,
// so an entry is a part of the file's bytes. libzip does not tell where that part lies.
#ifndef TENSORS_STORED_ZIP_H_
#define TENSORS_STORED_ZIP_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tensors {

class StoredZip {
 public:
  struct Entry {
    size_t begin = 0, size = 0;  // in the file
    uint32_t crc = 0;
  };

  // DataLoss, with the reason, unless `file` is a whole archive without comment, encryption or
  // compression, whose entries have names of their own and lie apart from each other before the
  // directory, and whose two descriptions of an entry agree. `file` must outlive the archive.
  static absl::StatusOr<StoredZip> Parse(absl::string_view file);

  const std::map<std::string, Entry>& entries() const { return entries_; }

  // The bytes of an entry. DataLoss when it is missing or its checksum is not that of its bytes.
  absl::StatusOr<absl::string_view> Read(const std::string& name) const;

 private:
  absl::string_view file_;
  std::map<std::string, Entry> entries_;
};

}  // namespace tensors

#endif  // TENSORS_STORED_ZIP_H_
