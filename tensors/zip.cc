#include "tensors/zip.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/utf8.h"

namespace tensors {
namespace {

// Signatures and sizes of the records, and the positions of their fields in ReadZipDirectory.
constexpr uint64_t kLocalHeader = 0x04034b50;
constexpr uint64_t kEntry = 0x02014b50, kEntrySize = 46;
constexpr uint64_t kSignature = 0x05054b50;  // a digital signature, behind the entries
constexpr uint64_t kEnd = 0x06054b50, kEndSize = 22;
constexpr uint64_t kEnd64 = 0x06064b50, kEnd64Size = 56;
constexpr uint64_t kLocator64 = 0x07064b50, kLocator64Size = 20;
constexpr uint64_t kMaxComment = 0xffff;
constexpr uint64_t kExtra64 = 0x0001;      // an extra field with the numbers that need 64 bits
constexpr uint64_t kExtraName = 0x7075;    // one with the name in UTF-8
constexpr uint64_t kAbove32 = 0xffffffff;  // marks a number that is in the extra field
constexpr uint64_t kEncrypted = 1, kUtf8 = 1 << 11;  // flags
constexpr uint64_t kUnix = 3, kMacOs = 19;

// No deflated byte unpacks to more.
constexpr uint64_t kMaxRatio = 1032;

// Code page 437 from 0x80 on.
constexpr char16_t kCp437[] =
    u"ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄"
    u"▌▐▀"
    u"αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";
static_assert(std::size(kCp437) == 129);

absl::Status Damaged(absl::string_view why, uint64_t at) {
  return absl::DataLossError(absl::StrCat(why, " (at byte ", at, ")"));
}

// What archives begin with, unless a program that unpacks them is before it.
constexpr absl::string_view kBegin = "PK";

uint64_t Number(absl::string_view bytes, size_t at, size_t width) {
  uint64_t value = 0;
  for (size_t i = 0; i < width; ++i) {
    value |= uint64_t{static_cast<uint8_t>(bytes[at + i])} << (8 * i);
  }
  return value;
}

// Whether there is a record of `size` bytes with this signature at `at`.
bool IsRecord(absl::string_view bytes, uint64_t at, uint64_t signature, uint64_t size) {
  return at <= bytes.size() && size <= bytes.size() - at && Number(bytes, at, 4) == signature;
}

// Where the directory is, by the end record at `end`, which is at `end - tail_begin` of `tail`.
absl::StatusOr<ZipDirectory> Locate(absl::string_view tail, uint64_t tail_begin, uint64_t end,
                                    const ZipSource& read, uint64_t* entries) {
  const absl::string_view record = tail.substr(end - tail_begin);
  ZipDirectory found;
  found.file_end = end + kEndSize + Number(record, 20, 2);
  found.end = end;
  uint64_t disk = Number(record, 4, 2), size = Number(record, 12, 4);
  uint64_t stated = Number(record, 16, 4);
  *entries = Number(record, 10, 2);
  const uint64_t locator = end < kLocator64Size ? 0 : end - kLocator64Size;
  if (locator >= tail_begin && end >= kLocator64Size &&
      IsRecord(tail, locator - tail_begin, kLocator64, kLocator64Size)) {
    // Of an archive that does not begin with the file, the record is where it usually is.
    char bytes[kEnd64Size];
    const absl::string_view end64(bytes, kEnd64Size);
    bool is_there = false;
    for (const uint64_t at : {Number(tail, locator - tail_begin + 8, 8),
                              locator < kEnd64Size ? locator : locator - kEnd64Size}) {
      if (is_there || at > locator || locator - at < kEnd64Size) continue;
      if (absl::Status s = read(at, kEnd64Size, bytes); !s.ok()) return s;
      is_there = Number(end64, 0, 4) == kEnd64;
      if (is_there) found.end = at;
    }
    if (!is_there) return Damaged("the end of the archive is not where it should be", locator);
    disk = Number(end64, 16, 4);
    *entries = Number(end64, 32, 8);
    size = Number(end64, 40, 8);
    stated = Number(end64, 48, 8);
  }
  if (disk != 0 && disk != 0xffff) {
    return absl::InvalidArgumentError(
        "is the last part of an archive in several files; unpack them: 7z x FILE (Debian package "
        "p7zip-full)");
  }
  if (size > found.end || stated > found.end - size) {
    return Damaged("the archive's directory is not where it should be", end);
  }
  found.begin = found.end - size;
  found.shift = found.begin - stated;
  return found;
}

absl::StatusOr<ZipDirectory> FindDirectory(uint64_t file_size, const ZipSource& read,
                                           uint64_t* entries) {
  std::string tail(std::min(file_size, kEndSize + kMaxComment + kLocator64Size), '\0');
  const uint64_t tail_begin = file_size - tail.size();
  if (absl::Status s = read(tail_begin, tail.size(), tail.data()); !s.ok()) return s;
  if (file_size == 0) return absl::DataLossError("it is empty");
  std::string begin(std::min<uint64_t>(file_size, kBegin.size()), '\0');
  if (absl::Status s = read(0, begin.size(), begin.data()); !s.ok()) return s;
  absl::Status status = absl::StartsWith(kBegin, begin)
                            ? Damaged("it is cut: the end of the archive is missing", file_size)
                            : absl::DataLossError("it is not a zip archive");
  // The comment may hold anything, and something may follow it.
  for (uint64_t at = tail.size() < kEndSize ? 0 : tail.size() - kEndSize + 1; at-- > 0;) {
    if (!IsRecord(tail, at, kEnd, kEndSize) ||
        Number(tail, at + 20, 2) > tail.size() - at - kEndSize) {
      continue;
    }
    auto found = Locate(tail, tail_begin, tail_begin + at, read, entries);
    if (!found.ok()) {
      status = found.status();
      continue;
    }
    char first[4];
    if (found->end - found->begin < sizeof(first)) return found;  // it has no entries
    if (absl::Status s = read(found->begin, sizeof(first), first); !s.ok()) return s;
    if (Number({first, sizeof(first)}, 0, 4) == kEntry) return found;
    status = Damaged("the archive's directory is not where it should be", found->begin);
  }
  return status;
}

// Replaces numbers by those in the extra field, and finds the name. False if numbers are missing.
bool ReadExtra(absl::string_view extra, std::initializer_list<uint64_t*> numbers, ZipEntry* entry) {
  bool has64 = false;
  while (extra.size() >= 4) {
    const uint64_t kind = Number(extra, 0, 2), size = Number(extra, 2, 2);
    extra.remove_prefix(4);
    // Writers for phones pad with zeros that are no fields.
    if (size > extra.size()) break;
    absl::string_view field = extra.substr(0, size);
    extra.remove_prefix(size);
    if (kind == kExtraName && size > 5 && field[0] == 1 &&
        Number(field, 1, 4) ==
            crc32_z(0, reinterpret_cast<const Bytef*>(entry->name.data()), entry->name.size())) {
      entry->unicode = field.substr(5);
    }
    if (kind != kExtra64 || has64) continue;
    has64 = true;
    for (uint64_t* number : numbers) {
      if (*number != kAbove32) continue;
      if (field.size() < 8) return false;
      *number = Number(field, 0, 8);
      field.remove_prefix(8);
    }
  }
  return has64 ||
         std::none_of(numbers.begin(), numbers.end(), [](auto* n) { return *n == kAbove32; });
}

// Whether no entry of a directory has a name with a slash.
bool HasNoSlashes(absl::string_view directory) {
  for (uint64_t at = 0; IsRecord(directory, at, kEntry, kEntrySize);) {
    const uint64_t name = Number(directory, at + 28, 2);
    if (absl::StrContains(directory.substr(at + kEntrySize, name), "/")) return false;
    at += kEntrySize + name + Number(directory, at + 30, 2) + Number(directory, at + 32, 2);
    if (at > directory.size()) break;
  }
  return true;
}

absl::Status Inflate(absl::string_view packed, uint64_t size, bool is_all, char* out) {
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
    return absl::ResourceExhaustedError("out of memory while an archive was unpacked");
  }
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.next_out = reinterpret_cast<Bytef*>(out);
  constexpr uint64_t kPiece = 1 << 30;  // zlib counts in 32 bits
  uint64_t in = packed.size(), room = size;
  Bytef beyond;  // what follows `size` bytes
  bool is_beyond = false, is_full = false;
  int result = Z_OK;
  while (result == Z_OK) {
    if (stream.avail_in == 0) {
      stream.avail_in = static_cast<uInt>(std::min(in, kPiece));
      in -= stream.avail_in;
    }
    if (stream.avail_out == 0 && room > 0) {
      stream.avail_out = static_cast<uInt>(std::min(room, kPiece));
      room -= stream.avail_out;
    } else if (stream.avail_out == 0) {
      is_full = true;
      if (!is_all || is_beyond) break;
      stream.next_out = &beyond;
      stream.avail_out = 1;
      is_beyond = true;
    }
    result = inflate(&stream, Z_NO_FLUSH);
  }
  const bool too_long = is_beyond && stream.avail_out == 0;
  is_full |= room == 0 && stream.avail_out == 0;
  inflateEnd(&stream);
  if (result == Z_MEM_ERROR) {
    return absl::ResourceExhaustedError("out of memory while an archive was unpacked");
  }
  if (is_full && !too_long && (!is_all || result == Z_STREAM_END)) return absl::OkStatus();
  return absl::DataLossError(too_long                 ? "is larger than the archive says"
                             : result == Z_STREAM_END ? "is smaller than the archive says"
                                                      : "is damaged: it cannot be unpacked");
}

}  // namespace

ZipSource ZipInMemory(absl::string_view file) {
  return [file](uint64_t at, uint64_t size, char* out) {
    if (at > file.size() || size > file.size() - at) return Damaged("it is cut", file.size());
    if (size > 0) std::memcpy(out, file.data() + at, size);
    return absl::OkStatus();
  };
}

std::string ZipMethodName(uint16_t method) {
  constexpr struct {
    uint16_t method;
    const char* name;
  } kNames[] = {{0, "stored"},    {1, "Shrink"}, {6, "Implode"}, {8, "Deflate"},
                {9, "Deflate64"}, {12, "bzip2"}, {14, "LZMA"},   {93, "Zstandard"},
                {95, "xz"},       {98, "PPMd"},  {99, "AES"}};
  for (const auto& known : kNames) {
    if (known.method == method) return known.name;
  }
  return absl::StrCat("compression method ", method);
}

std::string ZipEntry::Name() const {
  std::string text(unicode.empty() ? name : unicode);
  if (unicode.empty() && !is_utf8 && !base::IsUtf8(name)) {
    text.clear();
    for (const char c : name) {
      const auto byte = static_cast<uint8_t>(c);
      base::AppendUtf8(byte < 0x80 ? byte : kCp437[byte - 0x80], text);
    }
  }
  text.resize(std::min(text.size(), text.find('\0')));  // as Python's zipfile has it
  // Programs for Windows have written backslashes, against the standard, and some of them state
  // that the archive comes from Unix.
  const bool of_windows = system != kUnix && system != kMacOs;
  if (no_slashes || (of_windows && !absl::StrContains(text, "/"))) {
    std::replace(text.begin(), text.end(), '\\', '/');
  }
  return text;
}

absl::Status ZipEntry::CheckSize() const {
  if (method == kStored && packed != size && !encrypted) {
    return absl::DataLossError(absl::StrCat("is stored in ", packed,
                                            " bytes, but the archive says ", "that it has ", size));
  }
  if (method == kDeflated && size / kMaxRatio > packed) {
    return absl::DataLossError(absl::StrCat("cannot have ", size, " bytes, as the archive says: ",
                                            packed, " compressed bytes do not hold so many"));
  }
  return absl::OkStatus();
}

absl::Status ZipEntry::CheckBytes(absl::string_view unpacked) const {
  if (crc32_z(0, reinterpret_cast<const Bytef*>(unpacked.data()), unpacked.size()) == crc) {
    return absl::OkStatus();
  }
  return absl::DataLossError("is damaged: its checksum is wrong");
}

absl::StatusOr<ZipDirectory> ReadZipDirectory(
    uint64_t file_size, const ZipSource& read,
    const std::function<absl::Status(const ZipEntry&)>& visit) {
  uint64_t stated = 0;
  const auto directory = FindDirectory(file_size, read, &stated);
  if (!directory.ok()) return directory.status();
  std::string bytes(directory->end - directory->begin, '\0');
  if (absl::Status s = read(directory->begin, bytes.size(), bytes.data()); !s.ok()) return s;
  const absl::string_view all = bytes;
  const bool no_slashes = HasNoSlashes(all);
  uint64_t entries = 0;
  for (uint64_t at = 0; at < all.size(); ++entries) {
    const uint64_t position = directory->begin + at;
    if (IsRecord(all, at, kSignature, 6)) break;
    if (!IsRecord(all, at, kEntry, kEntrySize)) {
      return Damaged("the archive's directory is damaged", position);
    }
    ZipEntry entry;
    const uint64_t flags = Number(all, at + 8, 2), attributes = Number(all, at + 38, 4);
    entry.system = static_cast<uint8_t>(all[at + 5]);
    entry.method = static_cast<uint16_t>(Number(all, at + 10, 2));
    entry.crc = static_cast<uint32_t>(Number(all, at + 16, 4));
    entry.packed = Number(all, at + 20, 4);
    entry.size = Number(all, at + 24, 4);
    entry.header = Number(all, at + 42, 4);
    entry.encrypted = (flags & kEncrypted) != 0;
    entry.no_slashes = no_slashes;
    entry.is_utf8 = (flags & kUtf8) != 0;
    entry.is_link =
        (entry.system == kUnix || entry.system == kMacOs) && (attributes >> 28) == 10;  // S_IFLNK
    const uint64_t name = Number(all, at + 28, 2), extra = Number(all, at + 30, 2);
    const uint64_t size = kEntrySize + name + extra + Number(all, at + 32, 2);
    if (size > all.size() - at) return Damaged("the archive's directory is cut", position);
    entry.name = all.substr(at + kEntrySize, name);
    if (!ReadExtra(all.substr(at + kEntrySize + name, extra),
                   {&entry.size, &entry.packed, &entry.header}, &entry)) {
      return Damaged(absl::StrCat("entry '", entry.Name(), "' has no size"), position);
    }
    const uint64_t room = directory->begin - directory->shift;
    if (entry.header > room || entry.packed > room - entry.header ||
        kZipLocalHeader > room - entry.header - entry.packed) {
      return Damaged(absl::StrCat("entry '", entry.Name(), "' extends past the archive's data"),
                     position);
    }
    entry.header += directory->shift;
    if (absl::Status s = visit(entry); !s.ok()) return s;
    at += size;
  }
  // Archives of more entries without records of 64 bits state the rest of their number.
  if ((entries & 0xffff) != (stated & 0xffff)) {
    return Damaged(
        absl::StrCat("the archive's directory has ", entries, " entries, but says ", stated),
        directory->end);
  }
  return directory;
}

absl::StatusOr<uint64_t> ZipLocalHeaderSize(absl::string_view bytes) {
  if (!IsRecord(bytes, 0, kLocalHeader, kZipLocalHeader)) {
    return absl::DataLossError("is not where the archive says");
  }
  return kZipLocalHeader + Number(bytes, 26, 2) + Number(bytes, 28, 2);
}

absl::Status UnpackZipEntry(const ZipEntry& entry, absl::string_view packed, uint64_t size,
                            char* out) {
  if (entry.encrypted) {
    return absl::InvalidArgumentError("is encrypted; write the archive without a password");
  }
  const bool is_all = size == entry.size;
  if (entry.method == ZipEntry::kStored) {
    if (packed.size() < size || (is_all && packed.size() != size)) {
      return absl::DataLossError("does not have the size that the archive says");
    }
    if (size > 0) std::memcpy(out, packed.data(), size);
  } else if (entry.method == ZipEntry::kDeflated) {
    if (absl::Status s = Inflate(packed, size, is_all, out); !s.ok()) return s;
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("is compressed by ", ZipMethodName(entry.method),
                     ", which is not read; pack the archive again, stored or deflated"));
  }
  return is_all ? entry.CheckBytes({out, size}) : absl::OkStatus();
}

}  // namespace tensors
