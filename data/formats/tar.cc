// Images in tar archives: one archive, or a folder or a numbered range of them (shards). They are
// indexed once and read in any order. Classes are folders, or WebDataset's: `key.cls` holds the
// number of the class of `key.jpg`.
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>
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

constexpr char kEnding[] = ".tar";
constexpr int64_t kBlock = 512;
constexpr int64_t kMaxNameBytes = 1 << 20;  // of an extended header
constexpr char kNotTar[] = "it is not a tar archive (compressed ones must be unpacked)";

// An open archive. Threads may read at once.
class Shard {
 public:
  static absl::StatusOr<Shard> Open(const std::string& path) {
    Shard shard;
    shard.path_ = path;
    const auto opened = base::OpenForReading(path);
    if (!opened.ok()) return opened.status();
    shard.fd_ = *opened;
    struct stat info;
    if (fstat(shard.fd_, &info) != 0) return base::ErrnoStatus("cannot open", path);
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

  // Reads all of [offset, offset + size) into `out`.
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
  uint32_t shard;
  int label = -1;  // in its .cls
};

// WebDataset's key, which the files of one sample have in common: the name up to its first dot.
std::string Key(const std::string& name) {
  const size_t slash = name.rfind('/');
  return name.substr(0, name.find('.', slash == std::string::npos ? 0 : slash));
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

// The header block as the POSIX standard (ustar) and GNU tar write it.
class Header {
 public:
  explicit Header(const char* block) : block_(block) {}

  bool IsZero() const {
    return std::all_of(block_, block_ + kBlock, [](char c) { return c == 0; });
  }

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

// Reads the path and the size from the records of a pax header, "<length> key=value\n".
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

// The class that a .cls entry states.
absl::StatusOr<int> ReadClass(const Shard& shard, const std::string& name, int64_t offset,
                              int64_t size) {
  std::string text(std::min<int64_t>(size, 20), '\0');
  if (absl::Status s = shard.Read(offset, text.size(), text.data()); !s.ok()) return s;
  int64_t label;
  if (!absl::SimpleAtoi(text, &label) || label < 0 || label >= kMaxClasses) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", shard.path(), ":", name,
                     "' does not hold a class; it must be a number, 0 to ", kMaxClasses - 1));
  }
  return static_cast<int>(label);
}

// Adds every image of the shard, with its label where there is a .cls of the same key.
absl::Status Index(const Shard& shard, uint32_t number, std::vector<Entry>& entries) {
  const auto damaged = [&](int64_t offset, absl::string_view why) {
    return absl::DataLossError(absl::StrCat("'", shard.path(), "' is damaged at byte ", offset,
                                            ": ", why, "; fetch or write it again"));
  };
  const size_t before = entries.size();
  std::unordered_map<std::string, int> labels;
  std::string long_name;  // of the next entry, from an extended header
  int64_t long_size = -1;
  char block[kBlock];
  for (int64_t offset = 0;;) {
    if (offset + kBlock > shard.size()) {
      return damaged(offset, offset == 0 ? kNotTar : "the end mark is missing: it is cut");
    }
    if (absl::Status s = shard.Read(offset, kBlock, block); !s.ok()) return s;
    const Header header(block);
    if (header.IsZero()) break;
    int64_t size;
    if (!header.IsWhole() || !header.Size(&size)) {
      return damaged(offset, offset == 0 ? kNotTar : "this is not the header of an entry");
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
        if (header.IsFile()) entries.push_back({std::move(name), offset + kBlock, size, number});
      } else if (header.IsFile() && absl::EndsWith(name, ".cls")) {
        const auto label = ReadClass(shard, name, offset + kBlock, size);
        if (!label.ok()) return label.status();
        labels[Key(name)] = *label;
      }
      if (header.type() != 'g') {
        long_name.clear();
        long_size = -1;
      }
    }
    offset += kBlock + (size + kBlock - 1) / kBlock * kBlock;
  }
  if (labels.empty()) return absl::OkStatus();
  for (size_t i = before; i < entries.size(); ++i) {
    const auto label = labels.find(Key(entries[i].name));
    if (label != labels.end()) entries[i].label = label->second;
  }
  return absl::OkStatus();
}

class Tar : public Dataset {
 public:
  struct Span {
    int64_t offset;
    uint32_t size;  // above kMaxImageBytes if it is too large
    uint32_t shard;
  };
  Tar(std::vector<Shard> shards, std::vector<Span> spans, Names names, Classes classes,
      const DecodeOptions& decode)
      : shards_(std::move(shards)),
        spans_(std::move(spans)),
        names_(std::move(names)),
        classes_(std::move(classes)),
        decode_(decode) {}

  int64_t size() const override { return spans_.size(); }

  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    const auto bytes = File(index);
    if (!bytes.ok()) return bytes.status();
    return DecodeNamed(Name(index), *bytes, decode_);
  }

  absl::StatusOr<std::string> File(int64_t index) const override {
    const Span& span = spans_[index];
    if (span.size > kMaxImageBytes) {
      return absl::DataLossError(
          absl::StrCat("'", Name(index), "' has more than ", kMaxImageBytes, " bytes"));
    }
    std::string bytes(span.size, '\0');
    absl::Status status = shards_[span.shard].Read(span.offset, span.size, bytes.data());
    if (!status.ok()) {
      return absl::DataLossError(absl::StrCat("'", Name(index), "': ", status.message()));
    }
    return bytes;
  }

  std::string Name(int64_t index) const override {
    return absl::StrCat(shards_[spans_[index].shard].path(), ":", names_[index]);
  }
  int Label(int64_t index) const override { return classes_.labels[index]; }
  const std::vector<std::string>& classes() const override { return classes_.names; }

 private:
  const std::vector<Shard> shards_;
  const std::vector<Span> spans_;
  const Names names_;
  const Classes classes_;
  const DecodeOptions decode_;
};

absl::StatusOr<std::vector<std::string>> ShardPaths(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    return std::filesystem::exists(path, error) ? std::vector<std::string>{path}
                                                : ExpandRanges(path);
  }
  std::vector<std::string> paths;
  absl::Status status = ForEachEntry(path, [&](const char* name, bool is_folder) {
    if (!is_folder && absl::EndsWith(name, kEnding)) paths.push_back(absl::StrCat(path, "/", name));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  if (paths.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' holds no .tar files"));
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// Every shard stays open, and ImageNet has more shards than the usual soft limit of 1,024 files.
void AllowManyFiles() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// The classes of sorted entries: those in their .cls, which all or none of them must have, or else
// their folders.
absl::StatusOr<Classes> FindClasses(const std::vector<Entry>& entries, const Names& names,
                                    const std::string& path) {
  const auto has_label = [](const Entry& entry) { return entry.label >= 0; };
  if (std::none_of(entries.begin(), entries.end(), has_label)) return ClassesOfFolders(names);
  Classes classes;
  int count = 0;
  for (const Entry& entry : entries) {
    if (!has_label(entry)) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", path, "': '", entry.name, "' has no '", Key(entry.name),
                       ".cls' in its archive, but other images have one; write a label for ",
                       "every image, or for none"));
    }
    count = std::max(count, entry.label + 1);
    classes.labels.push_back(entry.label);
  }
  classes.names = NumberedClasses(count);
  return classes;
}

class TarFormat : public Format {
 public:
  std::vector<std::string> FileEndings() const override { return {kEnding}; }
  bool MatchesFolder(const DataLocation& folder) const override {
    return folder.endings.count(kEnding) > 0;
  }

  absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path, Split,
                                                const DecodeOptions& decode) const override {
    auto paths = ShardPaths(path);
    if (!paths.ok()) return paths.status();
    AllowManyFiles();
    std::vector<Shard> shards;
    std::vector<Entry> entries;
    for (const std::string& shard_path : *paths) {
      auto shard = Shard::Open(shard_path);
      if (!shard.ok()) return shard.status();
      if (absl::Status s = Index(*shard, shards.size(), entries); !s.ok()) return s;
      shards.push_back(*std::move(shard));
    }
    if (entries.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", path, "' holds no images (.jpg, .png, ...)"));
    }
    // By name; entries of one name stay in the order of the shards.
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry& a, const Entry& b) { return a.name < b.name; });
    std::vector<Tar::Span> spans;
    Names names;
    for (const Entry& entry : entries) {
      const int64_t size = std::min(entry.size, kMaxImageBytes + 1);
      spans.push_back({entry.offset, static_cast<uint32_t>(size), entry.shard});
      names.Add(entry.name);
    }
    auto classes = FindClasses(entries, names, path);
    if (!classes.ok()) return classes.status();
    return std::make_unique<Tar>(std::move(shards), std::move(spans), std::move(names),
                                 *std::move(classes), decode);
  }
};

absl::StatusOr<std::unique_ptr<Format>> MakeTar(const registry::NoOptions&) {
  return std::make_unique<TarFormat>();
}

REGISTER_PLUGIN(Datasets, "tar",
                "tar archives of images: class/name.jpg, or name.jpg and name.cls (WebDataset)",
                registry::NoOptions, MakeTar);

}  // namespace
}  // namespace data
