// Zip archives as written by PyTorch: entries are stored without compression. Nothing is unpacked
// or copied, because an entry is a part of the file's bytes. Archives of other programs are read by
// tensors/zip.h, which this is a strict form of.
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

  // DataLoss, with the reason, unless `file` is a complete archive without comment, encryption or
  // compression, in which entries have unique names, do not overlap each other or the directory,
  // and have two descriptions that agree. `file` must outlive the archive.
  //
  // An archive whose checksums are all 0 has none, as PyTorch writes it after
  // torch.serialization.set_crc32_options(False); its bytes are read as they are.
  static absl::StatusOr<StoredZip> Parse(absl::string_view file);

  const std::map<std::string, Entry>& entries() const { return entries_; }

  // Returns the bytes of an entry. DataLoss if it is missing, or if its checksum is wrong.
  absl::StatusOr<absl::string_view> Read(const std::string& name) const;

 private:
  absl::string_view file_;
  std::map<std::string, Entry> entries_;
  bool has_checksums_ = false;
};

}  // namespace tensors

#endif  // TENSORS_STORED_ZIP_H_
