#include "data/formats/array_file.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "data/listing.h"

namespace data {
namespace {

constexpr char kEnding[] = ".npy";

int64_t MemoryForOne() {
  const int64_t physical = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGE_SIZE);
  return std::min(kMaxUnpackedArray, physical / 4 * 3);
}

// A status of tensors/zip.h, whose messages begin with what is wrong.
absl::Status At(const std::string& place, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat("'", place, "' ", status.message()));
}

// Members that were unpacked, as long as a data set uses them: one program may open the same images
// several times.
using MemberKey = std::tuple<std::string, uint64_t, uint64_t, uint32_t>;
using Unpacked = std::shared_ptr<char[]>;
absl::StatusOr<Unpacked> UnpackOnce(const std::string& path, const tensors::ZipEntry& member,
                                    absl::string_view packed) {
  static std::mutex& mutex = *new std::mutex;
  static auto& known = *new std::map<MemberKey, std::weak_ptr<char[]>>;
  const std::lock_guard lock(mutex);
  std::weak_ptr<char[]>& kept = known[{path, member.header, member.size, member.crc}];
  if (Unpacked bytes = kept.lock()) return bytes;
  const Unpacked bytes(new char[std::max<uint64_t>(member.size, 1)]);
  absl::Status status = UnpackZipEntry(member, packed, member.size, bytes.get());
  if (!status.ok()) return status;
  kept = bytes;
  return bytes;
}

}  // namespace

absl::StatusOr<ArrayFiles> ArrayFiles::OfNpz(const std::string& path) {
  auto file = base::MappedFile::Open(path);
  if (!file.ok()) return file.status();
  ArrayFiles files;
  files.path_ = path;
  const absl::string_view bytes = file->bytes();
  const auto directory = tensors::ReadZipDirectory(
      bytes.size(), tensors::ZipInMemory(bytes), [&](const tensors::ZipEntry& entry) {
        const std::string name = entry.Name();
        if (!absl::EndsWith(name, kEnding)) return absl::OkStatus();
        files.names_.emplace_back(absl::StripSuffix(name, kEnding));
        files.members_.push_back(entry);
        files.members_.back().name = files.members_.back().unicode = "";
        return absl::OkStatus();
      });
  if (absl::IsDataLoss(directory.status())) {
    return absl::DataLossError(absl::StrCat(
        "'", path, "' is damaged, or no file of numpy.savez: ", directory.status().message(),
        "; fetch or write it again"));
  }
  if (!directory.ok()) return base::InFile(directory.status(), path);
  files.npz_ = std::make_shared<base::MappedFile>(*std::move(file));
  return files;
}

absl::StatusOr<ArrayFiles> ArrayFiles::OfFolder(const std::string& folder) {
  ArrayFiles files;
  files.path_ = folder;
  absl::Status status = ForEachEntry(folder, [&](absl::string_view name, bool is_folder) {
    if (!is_folder && absl::ConsumeSuffix(&name, kEnding)) files.names_.emplace_back(name);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  std::sort(files.names_.begin(), files.names_.end());
  return files;
}

std::string ArrayFiles::Place(size_t i) const {
  if (is_npz()) return absl::StrCat(path_, ":", names_[i]);
  return absl::StrCat(path_, absl::EndsWith(path_, "/") ? "" : "/", names_[i], kEnding);
}

absl::StatusOr<absl::string_view> ArrayFiles::Packed(size_t i) const {
  const tensors::ZipEntry& member = members_[i];
  const absl::string_view rest = npz_->bytes().substr(member.header);
  auto header = tensors::ZipLocalHeaderSize(rest.substr(0, tensors::kZipLocalHeader));
  if (header.ok() && (*header > rest.size() || member.packed > rest.size() - *header)) {
    header = absl::DataLossError("extends past the archive");
  }
  if (!header.ok()) return At(Place(i), header.status());
  return rest.substr(*header, member.packed);
}

absl::StatusOr<tensors::NpyArray> ArrayFiles::Header(size_t i) const {
  if (!is_npz()) {
    const auto file = base::MappedFile::Open(Place(i));
    if (!file.ok()) return file.status();
    return tensors::ReadNpyArray(Place(i), file->bytes(),
                                 static_cast<int64_t>(file->bytes().size()));
  }
  const auto packed = Packed(i);
  if (!packed.ok()) return packed.status();
  const tensors::ZipEntry& member = members_[i];
  if (absl::Status s = member.CheckSize(); !s.ok()) return At(Place(i), s);
  std::string bytes(std::min<uint64_t>(member.size, tensors::kMaxNpyHeader), '\0');
  absl::Status status = UnpackZipEntry(member, *packed, bytes.size(), bytes.data());
  if (!status.ok()) return At(Place(i), status);
  return tensors::ReadNpyArray(Place(i), bytes, static_cast<int64_t>(member.size));
}

absl::StatusOr<LoadedArray> ArrayFiles::Load(size_t i) const {
  auto header = Header(i);
  if (!header.ok()) return header.status();
  absl::string_view bytes;
  std::shared_ptr<const void> owner;
  if (!is_npz()) {
    auto file = base::MappedFile::Open(Place(i));
    if (!file.ok()) return file.status();
    const auto mapped = std::make_shared<base::MappedFile>(*std::move(file));
    bytes = mapped->bytes();
    owner = mapped;
  } else if (members_[i].method == tensors::ZipEntry::kStored) {
    bytes = Packed(i).value();
    owner = npz_;
    constexpr size_t kChecked = size_t{1}
                                << 30;  // takes a second; larger ones are mapped as they are
    if (bytes.size() <= kChecked) {
      if (absl::Status s = members_[i].CheckBytes(bytes); !s.ok()) return At(Place(i), s);
    }
  } else {
    const uint64_t size = members_[i].size;
    if (size > static_cast<uint64_t>(MemoryForOne())) {
      return absl::InvalidArgumentError(absl::StrCat(
          "'", Place(i), "' is compressed and has ", size, " bytes, more than are unpacked into ",
          "the memory of this machine; unpack the file, so that it is mapped: unzip ",
          base::ShellQuoted(path_), " -d DIR, and give DIR as data"));
    }
    const auto unpacked = UnpackOnce(path_, members_[i], Packed(i).value());
    if (!unpacked.ok()) return At(Place(i), unpacked.status());
    bytes = {unpacked->get(), size};
    owner = *unpacked;
  }
  LoadedArray loaded;
  if (static_cast<uint64_t>(header->offset) > bytes.size()) {  // the file has changed
    return absl::DataLossError(absl::StrCat("'", Place(i), "' is truncated"));
  }
  loaded.values = bytes.substr(header->offset);
  if (header->count() * header->width > static_cast<int64_t>(loaded.values.size())) {
    return absl::DataLossError(absl::StrCat("'", Place(i), "' is truncated"));
  }
  loaded.header = *std::move(header);
  loaded.owner = std::move(owner);
  return loaded;
}

}  // namespace data
