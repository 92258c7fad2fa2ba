#include "tensors/stored_zip.h"

#include <zlib.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tensors/zip.h"

namespace tensors {
namespace {

// Positions of fields in a local header (PKWARE's APPNOTE 6.3, section 4.3.7).
constexpr size_t kFlags = 6, kMethod = 8, kCrc = 14, kSize = 22, kNameSize = 26;
constexpr uint32_t kAbove32 = 0xffffffff;  // marks a number that is in the extra field
constexpr uint32_t kSizesFollow = 8;       // a flag

absl::Status Damaged(absl::string_view why, uint64_t at) {
  return absl::DataLossError(absl::StrCat(why, " (at byte ", at, ")"));
}

uint32_t Number(absl::string_view bytes, size_t at, size_t width) {
  uint32_t value = 0;
  for (size_t i = 0; i < width; ++i) {
    value |= uint32_t{static_cast<uint8_t>(bytes[at + i])} << (8 * i);
  }
  return value;
}

}  // namespace

absl::StatusOr<StoredZip> StoredZip::Parse(absl::string_view file) {
  StoredZip zip;
  zip.file_ = file;
  std::vector<std::pair<uint64_t, uint64_t>> extents;
  const auto add = [&](const ZipEntry& entry) {
    const std::string name(entry.name);
    if (entry.method != ZipEntry::kStored || entry.packed != entry.size || entry.encrypted) {
      return Damaged(absl::StrCat("entry '", name, "' is compressed or encrypted"), entry.header);
    }
    const absl::string_view header = file.substr(entry.header);  // ends before the directory
    const auto header_size = ZipLocalHeaderSize(header.substr(0, kZipLocalHeader));
    if (!header_size.ok()) {
      return Damaged(absl::StrCat("entry '", name, "' is not where it should be"), entry.header);
    }
    if (*header_size > header.size() || entry.size > header.size() - *header_size) {
      return Damaged(absl::StrCat("entry '", name, "' extends past the file"), entry.header);
    }
    const uint32_t size_there = Number(header, kSize, 4);
    if (header.substr(kZipLocalHeader, Number(header, kNameSize, 2)) != name ||
        Number(header, kMethod, 2) != ZipEntry::kStored ||
        ((Number(header, kFlags, 2) & kSizesFollow) == 0 &&
         (Number(header, kCrc, 4) != entry.crc ||
          (size_there != entry.size && size_there != kAbove32)))) {
      return Damaged(absl::StrCat("entry '", name, "' has two contradicting descriptions"),
                     entry.header);
    }
    if (entry.crc != 0) zip.has_checksums_ = true;
    const uint64_t begin = entry.header + *header_size;
    extents.emplace_back(entry.header, begin + entry.size);
    if (!zip.entries_.emplace(name, Entry{begin, entry.size, entry.crc}).second) {
      return Damaged(absl::StrCat("entry '", name, "' appears twice"), entry.header);
    }
    return absl::OkStatus();
  };
  const auto directory = ReadZipDirectory(file.size(), ZipInMemory(file), add);
  if (!directory.ok()) return directory.status();
  if (directory->file_end != file.size()) {
    return Damaged("it is cut, or something follows the end of the archive", file.size());
  }
  if (directory->shift != 0) {
    return Damaged("the archive's directory is not where it should be", directory->begin);
  }
  std::sort(extents.begin(), extents.end());
  for (size_t i = 0; i < extents.size(); ++i) {
    const bool is_last = i + 1 == extents.size();
    const uint64_t end = is_last ? directory->begin : extents[i + 1].first;
    if (extents[i].second <= end) continue;
    return Damaged(is_last ? "an entry extends past the archive's data" : "two entries overlap",
                   extents[i].first);
  }
  return zip;
}

absl::StatusOr<absl::string_view> StoredZip::Read(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    return absl::DataLossError(absl::StrCat("entry '", name, "' is missing"));
  }
  const Entry& entry = found->second;
  const absl::string_view bytes = file_.substr(entry.begin, entry.size);
  if (has_checksums_ &&
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()) != entry.crc) {
    return Damaged(absl::StrCat("entry '", name, "' is truncated or modified"), entry.begin);
  }
  return bytes;
}

}  // namespace tensors
