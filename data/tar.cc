// Images in tar archives: one shard or a folder of them, indexed once, read in any order.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "data/dataset.h"
#include "data/decode.h"
#include "data/listing.h"

namespace data {
namespace {

constexpr int64_t kBlock = 512;
constexpr int64_t kMaxNameBytes = 1 << 20;  // of an extended header
constexpr char kNotTar[] = "it is not a tar archive (compressed ones must be unpacked)";

struct TarOptions {
  template <class Visitor>
  void Visit(Visitor&) {}
};

// An open archive; reads do not share a position.
class Shard {
 public:
  static absl::StatusOr<Shard> Open(const std::string& path) {
    Shard shard;
    shard.path_ = path;
    shard.fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (shard.fd_ < 0 || fstat(shard.fd_, &info) != 0) {
      return base::ErrnoStatus("cannot open", path);
    }
    shard.size_ = info.st_size;
    return shard;
  }
  Shard(Shard&& other) noexcept
      : path_(std::move(other.path_)), fd_(other.fd_), size_(other.size_) {
    other.fd_ = -1;
  }
  Shard(const Shard&) = delete;
  ~Shard() {
    if (fd_ >= 0) close(fd_);
  }

  const std::string& path() const { return path_; }
  int64_t size() const { return size_; }

  // All of [offset, offset + size).
  absl::Status Read(int64_t offset, int64_t size, char* out) const {
    while (size > 0) {
      const ssize_t got = pread(fd_, out, size, offset);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return base::ErrnoStatus("cannot read", path_);
      if (got == 0) return absl::DataLossError(absl::StrCat("'", path_, "' is cut"));
      out += got;
      offset += got;
      size -= got;
    }
    return absl::OkStatus();
  }

 private:
  Shard() = default;
  std::string path_;
  int fd_ = -1;
  int64_t size_ = 0;
};

struct Entry {
  std::string name;
  int64_t offset, size;
};

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

// The header block as the POSIX standard (ustar) and GNU tar write it.
class Header {
 public:
  explicit Header(const char* block) : block_(block) {}

  bool IsZero() const {
    return std::all_of(block_, block_ + kBlock, [](char c) { return c == 0; });
  }

  // The sum of all bytes, the checksum's own counted as spaces.
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
  bool IsFile() const { return type() == '0' || type() == '\0'; }
  bool IsLink() const { return type() == '1' || type() == '2'; }
  std::string Name() const {
    const std::string name = Text(block_, 100);
    const std::string prefix =
        std::memcmp(block_ + 257, "ustar\0", 6) == 0 ? Text(block_ + 345, 155) : "";
    return prefix.empty() ? name : absl::StrCat(prefix, "/", name);
  }

 private:
  const char* block_;
};

// "<length> key=value\n" records of a pax header: those that matter here.
bool ReadPax(absl::string_view records, std::string* name, int64_t* size) {
  while (!records.empty()) {
    const size_t space = records.find(' ');
    size_t length;
    if (space == absl::string_view::npos || !absl::SimpleAtoi(records.substr(0, space), &length) ||
        length <= space || length > records.size()) {
      return false;
    }
    absl::string_view record = records.substr(space + 1, length - space - 1);
    absl::ConsumeSuffix(&record, "\n");
    if (absl::ConsumePrefix(&record, "path=")) *name = std::string(record);
    if (absl::ConsumePrefix(&record, "size=") && !absl::SimpleAtoi(record, size)) return false;
    records.remove_prefix(length);
  }
  return true;
}

// Every image of the shard.
absl::Status Index(const Shard& shard, std::vector<Entry>& entries) {
  const auto damaged = [&](int64_t offset, absl::string_view why) {
    return absl::DataLossError(absl::StrCat("'", shard.path(), "' is damaged at byte ", offset,
                                            ": ", why, "; fetch or write it again"));
  };
  std::string long_name;  // of the next entry, from an extended header
  int64_t long_size = -1;
  char block[kBlock];
  for (int64_t offset = 0;;) {
    if (offset + kBlock > shard.size()) {
      return damaged(offset, offset == 0 ? kNotTar : "there is no end mark: it is cut");
    }
    if (absl::Status s = shard.Read(offset, kBlock, block); !s.ok()) return s;
    const Header header(block);
    if (header.IsZero()) return absl::OkStatus();
    int64_t size;
    if (!header.IsWhole() || !header.Size(&size)) {
      return damaged(offset, offset == 0 ? kNotTar : "this is no entry's header");
    }
    const bool extended = header.type() == 'L' || header.type() == 'x';
    if (!extended && long_size >= 0) size = long_size;
    if (size < 0 || size > shard.size() - offset - kBlock) {
      return damaged(offset, "the entry reaches beyond the end of the file: it is cut");
    }
    if (extended) {
      if (size > kMaxNameBytes) return damaged(offset, "an extended header is too large");
      std::string text(size, '\0');
      if (absl::Status s = shard.Read(offset + kBlock, size, text.data()); !s.ok()) return s;
      if (header.type() == 'L') {
        long_name = text.c_str();
      } else if (!ReadPax(text, &long_name, &long_size)) {
        return damaged(offset, "an extended header cannot be read");
      }
    } else {
      std::string name = long_name.empty() ? header.Name() : long_name;
      name.erase(0, name.starts_with("./") ? 2 : name.starts_with("/") ? 1 : 0);
      if (HasImageName(name)) {
        if (header.IsLink()) {
          return absl::InvalidArgumentError(
              absl::StrCat("'", shard.path(), "': '", name,
                           "' is a link to another file; write the archive with tar "
                           "--dereference --hard-dereference"));
        }
        if (header.IsFile()) entries.push_back({std::move(name), offset + kBlock, size});
      }
      if (header.type() != 'g') {
        long_name.clear();
        long_size = -1;
      }
    }
    offset += kBlock + (size + kBlock - 1) / kBlock * kBlock;
  }
}

class Tar : public Dataset {
 public:
  struct Place {
    int shard;
    int64_t offset, size;
  };
  Tar(std::vector<Shard> shards, std::vector<Place> places, Listing listing)
      : shards_(std::move(shards)), places_(std::move(places)), listing_(std::move(listing)) {}

  int64_t size() const override { return places_.size(); }

  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    const Place& place = places_[index];
    if (place.size > kMaxImageBytes) {
      return absl::DataLossError(absl::StrCat("'", Name(index), "' has ", place.size,
                                              " bytes, more than ", kMaxImageBytes));
    }
    std::string bytes(place.size, '\0');
    absl::Status status = shards_[place.shard].Read(place.offset, place.size, bytes.data());
    if (!status.ok()) {
      return absl::DataLossError(absl::StrCat("'", Name(index), "': ", status.message()));
    }
    auto image = DecodeImage(bytes);
    if (image.ok()) return image;
    return absl::DataLossError(absl::StrCat("'", Name(index), "' ", image.status().message()));
  }

  std::string Name(int64_t index) const override {
    return absl::StrCat(shards_[places_[index].shard].path(), ":", listing_.names[index]);
  }
  int Label(int64_t index) const override { return listing_.labels[index]; }
  const std::vector<std::string>& classes() const override { return listing_.classes; }

 private:
  const std::vector<Shard> shards_;
  const std::vector<Place> places_;
  const Listing listing_;
};

absl::StatusOr<std::vector<std::string>> ShardPaths(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return std::vector<std::string>{path};
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    if (IsTar(entry)) paths.push_back(entry.path());
  }
  if (paths.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' holds no .tar files"));
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// Every shard stays open, and the usual soft limit of 1,024 files is less than ImageNet's shards.
void AllowManyFiles() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

absl::StatusOr<std::unique_ptr<Dataset>> MakeTar(const TarOptions&, const std::string& path) {
  auto paths = ShardPaths(path);
  if (!paths.ok()) return paths.status();
  AllowManyFiles();
  std::vector<Shard> shards;
  std::vector<std::pair<Entry, int>> all;  // with their shard
  for (const std::string& shard_path : *paths) {
    auto shard = Shard::Open(shard_path);
    if (!shard.ok()) return shard.status();
    std::vector<Entry> entries;
    if (absl::Status s = Index(*shard, entries); !s.ok()) return s;
    for (Entry& entry : entries) all.emplace_back(std::move(entry), shards.size());
    shards.push_back(*std::move(shard));
  }
  if (all.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' holds no images (.jpg, .png, ...)"));
  }
  // The listing's order: by name. Entries of one name stay in the order of the shards.
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.first.name < b.first.name; });
  std::vector<Tar::Place> places;
  std::vector<std::string> names;
  for (auto& [entry, shard] : all) {
    places.push_back({shard, entry.offset, entry.size});
    names.push_back(std::move(entry.name));
  }
  return std::make_unique<Tar>(std::move(shards), std::move(places), MakeListing(std::move(names)));
}

REGISTER_PLUGIN(Datasets, "tar", "a tar archive of images, or a folder of them, class/name.jpg",
                TarOptions, MakeTar);

}  // namespace
}  // namespace data
