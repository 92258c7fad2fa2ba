#include "tensors/stored_zip.h"

#include <zlib.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace tensors {
namespace {

// Signatures and sizes of the records of a zip file (PKWARE's APPNOTE 6.3, section 4.3), and the
// positions of their fields.
constexpr uint64_t kLocalHeader = 0x04034b50, kLocalHeaderSize = 30;
constexpr uint64_t kDirectoryEntry = 0x02014b50, kDirectoryEntrySize = 46;
constexpr uint64_t kEnd = 0x06054b50, kEndSize = 22;
constexpr uint64_t kEnd64 = 0x06064b50, kEnd64Size = 56;
constexpr uint64_t kLocator64 = 0x07064b50, kLocator64Size = 20;
constexpr uint64_t kExtra64 = 0x0001;      // an extra field with the numbers that need 64 bits
constexpr uint64_t kAbove32 = 0xffffffff;  // marks a number that is in the extra field
constexpr uint64_t kEncrypted = 1, kSizesFollow = 8;  // flags

absl::Status Damaged(absl::string_view why, uint64_t at) {
  return absl::DataLossError(absl::StrCat(why, " (at byte ", at, ")"));
}

// Reads little-endian numbers at positions that the caller has compared with the size.
class Bytes {
 public:
  explicit Bytes(absl::string_view bytes) : bytes_(bytes) {}

  uint64_t Number(size_t at, size_t width) const {
    uint64_t value = 0;
    for (size_t i = 0; i < width; ++i) {
      value |= uint64_t{static_cast<uint8_t>(bytes_[at + i])} << (8 * i);
    }
    return value;
  }

  bool Has(uint64_t at, uint64_t size) const {
    return at <= bytes_.size() && size <= bytes_.size() - at;
  }

  // Whether there is a record of `size` bytes with this signature at `at`.
  bool IsRecord(uint64_t at, uint64_t signature, uint64_t size) const {
    return Has(at, size) && Number(at, 4) == signature;
  }

 private:
  const absl::string_view bytes_;
};

struct Directory {
  uint64_t begin = 0, end = 0, entries = 0;
};

absl::StatusOr<Directory> FindDirectory(const Bytes& file, uint64_t file_size) {
  const uint64_t end = file_size < kEndSize ? 0 : file_size - kEndSize;
  if (!file.IsRecord(end, kEnd, kEndSize)) {
    return Damaged("it is truncated: the end of the archive is missing", file_size);
  }
  Directory directory = {file.Number(end + 16, 4), end, file.Number(end + 10, 2)};
  uint64_t size = file.Number(end + 12, 4);
  const uint64_t locator = end < kLocator64Size ? 0 : end - kLocator64Size;
  if (file.IsRecord(locator, kLocator64, kLocator64Size)) {
    directory.end = file.Number(locator + 8, 8);
    if (!file.IsRecord(directory.end, kEnd64, kEnd64Size)) {
      return Damaged("the end of the archive is not where it should be", locator);
    }
    directory.entries = file.Number(directory.end + 32, 8);
    size = file.Number(directory.end + 40, 8);
    directory.begin = file.Number(directory.end + 48, 8);
  }
  if (directory.begin > directory.end || directory.end - directory.begin != size) {
    return Damaged("the archive's directory is not where it should be", end);
  }
  return directory;
}

// Replaces numbers by those in the extra field at [at, end). False if they are not there.
bool ReadExtra64(const Bytes& file, uint64_t at, uint64_t end,
                 std::initializer_list<uint64_t*> numbers) {
  while (end - at >= 4) {
    const uint64_t kind = file.Number(at, 2), size = file.Number(at + 2, 2);
    at += 4;
    if (size > end - at) return false;
    if (kind == kExtra64) end = at + size;
    for (uint64_t* number : numbers) {
      if (kind != kExtra64 || *number != kAbove32) continue;
      if (end - at < 8) return false;
      *number = file.Number(at, 8);
      at += 8;
    }
    if (kind == kExtra64) return true;
    at += size;
  }
  return std::none_of(numbers.begin(), numbers.end(), [](auto* n) { return *n == kAbove32; });
}

}  // namespace

absl::StatusOr<StoredZip> StoredZip::Parse(absl::string_view file) {
  const Bytes bytes(file);
  const auto directory = FindDirectory(bytes, file.size());
  if (!directory.ok()) return directory.status();
  StoredZip zip;
  zip.file_ = file;
  std::vector<std::pair<uint64_t, uint64_t>> extents;
  uint64_t at = directory->begin;
  for (uint64_t i = 0; i < directory->entries; ++i) {
    if (directory->end - at < kDirectoryEntrySize ||
        !bytes.IsRecord(at, kDirectoryEntry, kDirectoryEntrySize)) {
      return Damaged("the archive's directory is truncated", at);
    }
    const uint64_t flags = bytes.Number(at + 8, 2), method = bytes.Number(at + 10, 2);
    const uint64_t crc = bytes.Number(at + 16, 4), name_size = bytes.Number(at + 28, 2);
    const uint64_t extra_size = bytes.Number(at + 30, 2), note_size = bytes.Number(at + 32, 2);
    uint64_t packed = bytes.Number(at + 20, 4), size = bytes.Number(at + 24, 4);
    uint64_t header = bytes.Number(at + 42, 4);
    const uint64_t extra = at + kDirectoryEntrySize + name_size;
    const uint64_t next = extra + extra_size + note_size;
    if (next > directory->end) return Damaged("the archive's directory is truncated", at);
    const absl::string_view name = file.substr(at + kDirectoryEntrySize, name_size);
    if (!ReadExtra64(bytes, extra, extra + extra_size, {&size, &packed, &header})) {
      return Damaged(absl::StrCat("entry '", name, "' has no size"), at);
    }
    if (method != 0 || packed != size || (flags & kEncrypted) != 0) {
      return Damaged(absl::StrCat("entry '", name, "' is compressed or encrypted"), at);
    }

    if (header >= directory->begin || !bytes.IsRecord(header, kLocalHeader, kLocalHeaderSize)) {
      return Damaged(absl::StrCat("entry '", name, "' is not where it should be"), at);
    }
    const uint64_t data =
        header + kLocalHeaderSize + bytes.Number(header + 26, 2) + bytes.Number(header + 28, 2);
    if (data > directory->begin || size > directory->begin - data) {
      return Damaged(absl::StrCat("entry '", name, "' extends past the archive's data"), at);
    }
    const uint64_t size_there = bytes.Number(header + 22, 4);
    if (file.substr(header + kLocalHeaderSize, bytes.Number(header + 26, 2)) != name ||
        bytes.Number(header + 8, 2) != 0 ||
        ((bytes.Number(header + 6, 2) & kSizesFollow) == 0 &&
         (bytes.Number(header + 14, 4) != crc || (size_there != size && size_there != kAbove32)))) {
      return Damaged(absl::StrCat("entry '", name, "' has two contradicting descriptions"), header);
    }
    extents.emplace_back(header, data + size);
    const Entry entry = {data, size, static_cast<uint32_t>(crc)};
    if (!zip.entries_.emplace(name, entry).second) {
      return Damaged(absl::StrCat("entry '", name, "' appears twice"), at);
    }
    at = next;
  }
  if (at != directory->end)
    return Damaged("the archive's directory has extra bytes after its entries", at);
  std::sort(extents.begin(), extents.end());
  for (size_t i = 1; i < extents.size(); ++i) {
    if (extents[i - 1].second > extents[i].first) {
      return Damaged("two entries overlap", extents[i].first);
    }
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
  if (crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()) != entry.crc) {
    return Damaged(absl::StrCat("entry '", name, "' is truncated or modified"), entry.begin);
  }
  return bytes;
}

}  // namespace tensors
