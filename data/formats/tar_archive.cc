#include "data/formats/tar_archive.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/progress.h"
#include "base/work.h"
#include "data/formats/archive_folders.h"
#include "data/listing.h"

namespace data {
namespace {

constexpr int64_t kBlock = 512;
constexpr int64_t kMaxNameBytes = 1 << 20;  // of an extended header
constexpr char kNotTar[] = "it is not a tar archive";

// What packs archives, by the first bytes of the file.
struct Packer {
  absl::string_view magic;
  const char* unpack;            // keeps the packed file
  absl::string_view endings[3];  // of names; the program refuses others, and needs the first
};
constexpr Packer kPackers[] = {{"\x1F\x8B", "gunzip -k", {".gz", ".tgz"}},
                               {"BZh", "bunzip2 -k", {".bz2", ".tbz2", ".tbz"}},
                               {"\xFD"
                                "7zXZ",
                                "unxz -k",
                                {".xz", ".txz"}},
                               {"\x28\xB5\x2F\xFD", "unzstd", {".zst", ".tzst"}}};
constexpr absl::string_view kZip = "PK\x03\x04";

// The command that unpacks a file.
std::string UnpackCommand(const Packer& packer, const std::string& path) {
  for (const absl::string_view ending : packer.endings) {
    if (ending.empty() || !absl::EndsWith(path, ending)) continue;
    return absl::StrCat(packer.unpack, " ", base::ShellQuoted(path));
  }
  const std::string renamed = base::ShellQuoted(absl::StrCat(path, packer.endings[0]));
  return absl::StrCat("mv ", base::ShellQuoted(path), " ", renamed, " && ", packer.unpack, " ",
                      renamed);
}

// A number field: octal, or big-endian binary when the first bit is set.
bool ReadNumber(const char* field, int width, int64_t* value) {
  *value = 0;
  if ((field[0] & 0x80) != 0) {
    for (int i = 0; i < width; ++i) {
      if (*value >> 54 != 0) return false;
      *value = *value << 8 | static_cast<uint8_t>(i == 0 ? field[i] & 0x7F : field[i]);
    }
    return true;
  }
  bool digits = false;
  for (int i = 0; i < width; ++i) {
    if (field[i] == ' ' && !digits) continue;
    if (field[i] == ' ' || field[i] == '\0') break;
    if (field[i] < '0' || field[i] > '7') return false;
    *value = *value * 8 + (field[i] - '0');
    digits = true;
  }
  return true;
}

std::string Text(const char* field, int width) { return {field, strnlen(field, width)}; }

bool IsZero(const char* bytes, int64_t size) {
  return std::all_of(bytes, bytes + size, [](char c) { return c == 0; });
}

// The header block as the POSIX standard (ustar) and GNU tar write it.
class Header {
 public:
  explicit Header(const char* block) : block_(block) {}

  // Whether the checksum is right: the sum of all bytes, with spaces for the checksum itself.
  bool IsWhole() const {
    int64_t stated;
    int64_t sum = 0;
    for (int i = 0; i < kBlock; ++i) {
      sum += i >= 148 && i < 156 ? ' ' : static_cast<uint8_t>(block_[i]);
    }
    return ReadNumber(block_ + 148, 8, &stated) && stated == sum;
  }

  bool Size(int64_t* size) const { return ReadNumber(block_ + 124, 12, size); }
  char type() const { return block_[156]; }
  bool IsFile() const { return type() == '0' || type() == '\0' || type() == '7'; }
  bool IsLink() const { return type() == '1' || type() == '2'; }
  // Of the next entry: GNU's long name, POSIX's records; GNU's long target of a link says nothing.
  bool IsExtended() const { return type() == 'L' || type() == 'x' || type() == 'K'; }
  std::string Name() const {
    const std::string name = Text(block_, 100);
    const std::string prefix =
        std::memcmp(block_ + 257, "ustar\0", 6) == 0 ? Text(block_ + 345, 155) : "";
    return prefix.empty() ? name : absl::StrCat(prefix, "/", name);
  }

 private:
  const char* block_;
};

// What an extended header says of the next entry.
struct Extended {
  std::string name;
  int64_t size = -1;
  bool sparse = false;
};

// Reads the records of a pax header, "<length> key=value\n".
bool ReadPax(absl::string_view records, Extended* next) {
  while (!records.empty()) {
    const size_t space = records.find(' ');
    size_t length;
    if (space == absl::string_view::npos || !absl::SimpleAtoi(records.substr(0, space), &length) ||
        length <= space || length > records.size()) {
      return false;
    }
    absl::string_view record = records.substr(space + 1, length - space - 1);
    absl::ConsumeSuffix(&record, "\n");
    if (absl::StartsWith(record, "GNU.sparse.")) next->sparse = true;
    if (absl::ConsumePrefix(&record, "path=") || absl::ConsumePrefix(&record, "GNU.sparse.name=")) {
      next->name = std::string(record);
    }
    if (absl::ConsumePrefix(&record, "size=") && !absl::SimpleAtoi(record, &next->size)) {
      return false;
    }
    records.remove_prefix(length);
  }
  return true;
}

// Whether anything but zeros follows `offset`, in a piece of the file that is long enough for the
// filling of the last record.
absl::StatusOr<bool> HasMore(const Archive& archive, int64_t offset) {
  constexpr int64_t kLook = 1 << 20;
  std::string bytes(std::min(kLook, archive.size() - offset), '\0');
  if (absl::Status s = archive.Read(offset, bytes.size(), bytes.data()); !s.ok()) return s;
  return !IsZero(bytes.data(), bytes.size());
}

absl::Status Damaged(const Archive& archive, int64_t offset, absl::string_view why) {
  return absl::DataLossError(absl::StrCat("'", archive.path(), "' is damaged at byte ", offset,
                                          ": ", why, "; fetch or write it again"));
}

}  // namespace

absl::StatusOr<Archive> OpenArchive(const std::string& path) {
  auto archive = Archive::Open(path);
  if (!archive.ok()) return archive;
  std::string magic(std::min<int64_t>(archive->size(), 8), '\0');
  if (absl::Status s = archive->Read(0, magic.size(), magic.data()); !s.ok()) return s;
  for (const Packer& packer : kPackers) {
    if (!absl::StartsWith(magic, packer.magic)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' is compressed, and images are read from any place of an ",
                     "archive; unpack it: ", UnpackCommand(packer, path)));
  }
  if (absl::StartsWith(magic, kZip)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", path, "' is a zip archive; give it a name that ends in .zip, or --dataset=zip"));
  }
  return archive;
}

absl::StatusOr<ArchiveListing> List(const Archive& archive) {
  ArchiveListing listing;
  Extended next;
  bool pending = false;  // `next` says something of an entry that was not reached yet
  char block[kBlock];
  base::Progress progress(/*seconds_between=*/10, stderr);
  base::Work work(progress, absl::StrCat("reading the index of '", archive.path(), "'"),
                  archive.size() / 1'000'000, "MB");
  for (int64_t offset = 0;;) {
    work.Done(offset / 1'000'000);
    const int64_t rest = std::min(kBlock, archive.size() - offset);
    if (offset == 0 && rest < kBlock) return Damaged(archive, offset, kNotTar);
    if (rest > 0) {
      if (absl::Status s = archive.Read(offset, rest, block); !s.ok()) return s;
    }
    // Writers that were killed, and some that were not, leave no end mark, or not all of it.
    if (rest < kBlock) {
      if (pending || (rest > 0 && !IsZero(block, rest))) {
        return Damaged(archive, offset, "it is cut within an entry");
      }
      listing.has_end_mark = false;
      break;
    }
    if (IsZero(block, kBlock)) {
      const auto more = HasMore(archive, offset + kBlock);
      if (!more.ok()) return more.status();
      listing.has_more = *more;
      break;
    }
    const Header header(block);
    int64_t size;
    if (!header.IsWhole() || !header.Size(&size)) {
      return Damaged(archive, offset, offset == 0 ? kNotTar : "this is not the header of an entry");
    }
    if (!header.IsExtended() && next.size >= 0) size = next.size;
    if (size < 0 || size > archive.size() - offset - kBlock) {
      return Damaged(archive, offset, "the entry reaches beyond the end of the file: it is cut");
    }
    if (header.IsExtended()) {
      if (size > kMaxNameBytes) return Damaged(archive, offset, "an extended header is too large");
      std::string text(size, '\0');
      if (absl::Status s = archive.Read(offset + kBlock, size, text.data()); !s.ok()) return s;
      if (header.type() == 'L') next.name = text.c_str();
      if (header.type() == 'x' && !ReadPax(text, &next)) {
        return Damaged(archive, offset, "an extended header cannot be read");
      }
      pending = true;
    } else if (header.type() != 'g') {
      std::string name = next.name.empty() ? header.Name() : std::move(next.name);
      name = NameInArchive(name);
      const bool sparse = next.sparse || header.type() == 'S';
      if ((HasImageName(name) || HasArrayName(name)) && (header.IsLink() || sparse)) {
        const absl::Status refused = absl::InvalidArgumentError(absl::StrCat(
            "'", archive.path(), "': '", name,
            header.IsLink() ? "' is a link to another file; write the archive with tar "
                              "--dereference --hard-dereference"
                            : "' is stored as a sparse file; write the archive without --sparse"));
        if (HasImageName(name)) return refused;
        listing.array_status.Update(refused);
      }
      if (header.IsFile() && !sparse && !IsHidden(name)) {
        listing.entries.push_back({std::move(name), offset + kBlock, size});
      }
      next = {};
      pending = false;
    }
    offset += kBlock + (size + kBlock - 1) / kBlock * kBlock;
  }
  return listing;
}

}  // namespace data
