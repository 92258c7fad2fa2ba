// Images in tar archives: one archive, or a folder or a numbered range of them (shards). They are
// indexed once and read in any order. Splits are folders (archive_folders.h), classes are folders,
// or what files of labels say, as in WebDataset (tar_samples.h).
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "base/utf8.h"
#include "data/dataset.h"
#include "data/decode.h"
#include "data/formats/archive_folders.h"
#include "data/formats/tar_archive.h"
#include "data/formats/tar_samples.h"
#include "data/listing.h"

namespace data {
namespace {

constexpr char kEnding[] = ".tar";
constexpr int64_t kMaxNamesBytes = 1 << 26;  // of classes.txt
// Archives that must be unpacked first. They are told by name, so that a folder of them is not
// called empty.
constexpr const char* kPackedEndings[] = {".tar.gz", ".tgz", ".tar.bz2", ".tbz2",
                                          ".tar.xz", ".txz", ".tar.zst"};

struct TarOptions {
  std::string image_key;
  bool splits = true;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("image_key", image_key,
      "which image to use where a sample has several: an ending such as jpg or seg.png, or more "
      "with spaces between them; empty: that of one part");
    v("splits", splits,
      "use the folder called train, val, ..., if there is one; false: use all of the archives");
  }
};

// An image of one of the archives.
struct Image {
  std::string name;
  int64_t offset, size;
  uint32_t shard;
  int label;
};

class Tar : public Dataset {
 public:
  struct Span {
    int64_t offset;
    uint32_t size;  // above kMaxImageBytes if it is too large
    uint32_t shard;
  };
  // Each name is in the folder `base` of the archives, which ends with a slash or is empty.
  Tar(std::vector<Archive> shards, std::string base, std::vector<Span> spans, Names names,
      Classes classes, std::vector<std::string> notes, absl::Status label_status,
      const DecodeOptions& decode)
      : shards_(std::move(shards)),
        base_(std::move(base)),
        spans_(std::move(spans)),
        names_(std::move(names)),
        classes_(std::move(classes)),
        notes_(std::move(notes)),
        label_status_(std::move(label_status)),
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
    return absl::StrCat(shards_[spans_[index].shard].path(), ":", base_, names_[index]);
  }
  int Label(int64_t index) const override { return classes_.labels[index]; }
  const std::vector<std::string>& classes() const override { return classes_.names; }
  std::vector<std::string> notes() const override { return notes_; }
  absl::Status LabelStatus() const override { return label_status_; }

 private:
  const std::vector<Archive> shards_;
  const std::string base_;
  const std::vector<Span> spans_;
  const Names names_;
  const Classes classes_;
  const std::vector<std::string> notes_;
  const absl::Status label_status_;
  const DecodeOptions decode_;
};

// A packed archive beside the one that was unpacked from it says nothing new.
void DropUnpacked(std::vector<std::string>& paths) {
  const std::vector<std::string> all = paths;
  const auto unpacked = [&](const std::string& path) {
    for (const char* ending : kPackedEndings) {
      absl::string_view stem = path;
      if (!absl::ConsumeSuffix(&stem, ending)) continue;
      return std::binary_search(all.begin(), all.end(), absl::StrCat(stem, kEnding));
    }
    return false;
  };
  paths.erase(std::remove_if(paths.begin(), paths.end(), unpacked), paths.end());
}

bool IsArchive(absl::string_view name) {
  return absl::EndsWithIgnoreCase(name, kEnding) ||
         std::any_of(std::begin(kPackedEndings), std::end(kPackedEndings),
                     [&](const char* ending) { return absl::EndsWithIgnoreCase(name, ending); });
}

absl::StatusOr<std::vector<std::string>> ShardPaths(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    return std::filesystem::exists(path, error) ? std::vector<std::string>{path}
                                                : ExpandRanges(path);
  }
  std::vector<std::string> paths;
  absl::Status status = ForEachEntry(path, [&](const char* name, bool is_folder) {
    if (!is_folder && IsArchive(name)) paths.push_back(absl::StrCat(path, "/", name));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  if (paths.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' holds no .tar files"));
  }
  std::sort(paths.begin(), paths.end());
  DropUnpacked(paths);
  return paths;
}

// Every shard stays open, and ImageNet has more shards than the usual soft limit of 1,024 files.
void AllowManyFiles() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// The names of classes that have numbers: the lines of classes.txt beside the shards, if it has
// enough of them, or else the numbers.
std::vector<std::string> NamesOfClasses(const std::string& shard, size_t count,
                                        std::vector<std::string>& notes) {
  const std::string path = std::filesystem::path(shard).replace_filename("classes.txt").string();
  const auto text = base::ReadFile(path, kMaxNamesBytes);
  if (!text.ok()) return NumberedClasses(count);
  std::vector<std::string> names;
  for (const absl::string_view line :
       absl::StrSplit(absl::StripTrailingAsciiWhitespace(*text), '\n')) {
    names.push_back(base::EscapedUtf8(absl::StripAsciiWhitespace(line)));
  }
  const std::set<absl::string_view> different(names.begin(), names.end());
  if (names.size() >= count && names.size() == different.size() && !different.count("")) {
    return names;
  }
  notes.push_back(absl::StrCat("left out: '", path, "', which would name the classes if it had ",
                               count, " or more different names, one a line"));
  return NumberedClasses(count);
}

// The classes of sorted images: those that files of labels state, if there are any, or else their
// folders. An image without a label, if others have one, is the fault that `label_status` tells.
// `shard`: the path of one.
Classes FindClasses(const std::vector<Image>& images, const Names& names, bool has_labels,
                    const std::string& path, const std::string& shard,
                    std::vector<std::string>& notes, absl::Status& label_status) {
  if (!has_labels) return ClassesOfFolders(names);
  Classes classes;
  int count = 0;
  for (const Image& image : images) {
    count = std::max(count, image.label + 1);
    classes.labels.push_back(image.label);
    if (image.label >= 0 || !label_status.ok()) continue;
    label_status = absl::InvalidArgumentError(absl::StrCat(
        "'", path, "': '", image.name, "' has no '", image.name.substr(0, image.name.rfind('.')),
        ".cls' in its archive, but other images have a label; write one for every image, or for "
        "none"));
  }
  classes.names = NamesOfClasses(shard, count, notes);
  return classes;
}

class TarFormat : public Format {
 public:
  explicit TarFormat(const TarOptions& options)
      : splits_(options.splits),
        keys_(absl::StrSplit(absl::AsciiStrToLower(options.image_key), absl::ByAnyChar(" ,;"),
                             absl::SkipEmpty())) {
    for (std::string& key : keys_) key.erase(0, key.starts_with(".") ? 1 : 0);
  }

  std::vector<std::string> FileEndings() const override {
    std::vector<std::string> endings = {kEnding};
    endings.insert(endings.end(), std::begin(kPackedEndings), std::end(kPackedEndings));
    return endings;
  }
  std::vector<std::string> ShardEndings() const override { return FileEndings(); }
  bool MatchesFolder(const DataLocation& folder) const override {
    return std::any_of(folder.endings.begin(), folder.endings.end(), IsArchive);
  }

  bool IsOneSplit() const override { return !splits_; }

  bool StatesSplits(const std::string& path) const override {
    if (!splits_) return false;
    const auto paths = ShardPaths(path);
    if (!paths.ok()) return false;
    const auto contents = ReadContents(path, *paths);
    if (!contents.ok()) return true;  // Open() says what is wrong
    return FoldersOf(*contents, path).HasSplits();
  }

  absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path, Split split,
                                                const DecodeOptions& decode) const override {
    auto paths = ShardPaths(path);
    if (!paths.ok()) return paths.status();
    return OpenShards(path, *paths, split, decode);
  }

  absl::StatusOr<std::unique_ptr<Dataset>> OpenFiles(const std::vector<std::string>& paths,
                                                     Split split,
                                                     const DecodeOptions& decode) const override {
    std::vector<std::string> shards = paths;
    DropUnpacked(shards);
    return OpenShards(paths[0], shards, split, decode);
  }

 private:
  // What archives hold.
  struct Contents {
    std::vector<Archive> shards;
    std::vector<Image> images;  // sorted by name; those of one name in the order of the shards
    Samples samples;
    std::vector<std::string> notes;
  };

  static ArchiveFolders FoldersOf(const Contents& contents, const std::string& path) {
    std::vector<absl::string_view> names;
    for (const Image& image : contents.images) names.push_back(image.name);
    return ArchiveFolders(names, "tar", path);
  }

  // `path`: for messages.
  absl::StatusOr<Contents> ReadContents(const std::string& path,
                                        const std::vector<std::string>& paths) const {
    AllowManyFiles();
    Contents contents;
    std::vector<Image>& images = contents.images;
    std::vector<std::string> cut, longer;
    for (const std::string& shard_path : paths) {
      auto shard = OpenArchive(shard_path);
      if (!shard.ok()) return shard.status();
      auto listing = List(*shard);
      if (!listing.ok()) return listing.status();
      if (!listing->has_end_mark) cut.push_back(shard_path);
      if (listing->has_more) longer.push_back(shard_path);
      const auto chosen = AddSamples(*shard, listing->entries, keys_, contents.samples);
      if (!chosen.ok()) return chosen.status();
      const auto is_array = [&](const SampleImage& image) {
        return HasArrayName(listing->entries[image.entry].name);
      };
      if (!listing->array_status.ok() && std::any_of(chosen->begin(), chosen->end(), is_array)) {
        return listing->array_status;
      }
      for (const SampleImage& image : *chosen) {
        ArchiveEntry& entry = listing->entries[image.entry];
        images.push_back({std::move(entry.name), entry.offset, entry.size,
                          static_cast<uint32_t>(contents.shards.size()), image.label});
      }
      contents.shards.push_back(*std::move(shard));
    }
    if (images.empty()) {
      return absl::InvalidArgumentError(
          contents.samples.without_key > 0
              ? absl::StrCat("no sample of '", path, "' has the image of --image-key")
              : absl::StrCat("'", path, "' holds no images (.jpg, .png, ...)"));
    }
    contents.notes = contents.samples.Notes(path, keys_);
    if (!cut.empty()) {
      contents.notes.push_back(
          absl::StrCat("'", cut[0], "' and ", cut.size() - 1, " other of ", paths.size(),
                       " archives end without an end mark: entries at their end may be missing"));
    }
    if (!longer.empty()) {
      contents.notes.push_back(absl::StrCat("left out: what follows the end mark of '", longer[0],
                                            "' and ", longer.size() - 1, " other of ", paths.size(),
                                            " archives; tar --concatenate joins archives"));
    }
    std::stable_sort(images.begin(), images.end(),
                     [](const Image& a, const Image& b) { return a.name < b.name; });
    return contents;
  }

  absl::StatusOr<std::unique_ptr<Dataset>> OpenShards(const std::string& path,
                                                      const std::vector<std::string>& paths,
                                                      Split split,
                                                      const DecodeOptions& decode) const {
    auto contents = ReadContents(path, paths);
    if (!contents.ok()) return contents.status();
    auto part = splits_ ? FoldersOf(*contents, path).PartOf(split) : ArchivePart();
    if (!part.ok()) return part.status();
    const std::string& base = part->base;
    std::vector<std::string> notes = std::move(contents->notes);
    std::move(part->notes.begin(), part->notes.end(), std::back_inserter(notes));
    std::vector<Image> images;
    std::vector<Tar::Span> spans;
    Names names;
    for (Image& image : contents->images) {
      if (!absl::StartsWith(image.name, base)) continue;
      const int64_t size = std::min(image.size, kMaxImageBytes + 1);
      spans.push_back({image.offset, static_cast<uint32_t>(size), image.shard});
      names.Add(absl::string_view(image.name).substr(base.size()));
      images.push_back(std::move(image));
    }
    absl::Status& label_status = contents->samples.label_status;
    Classes classes = FindClasses(images, names, contents->samples.has_labels, path, paths[0],
                                  notes, label_status);
    return std::make_unique<Tar>(std::move(contents->shards), base, std::move(spans),
                                 std::move(names), std::move(classes), std::move(notes),
                                 label_status, decode);
  }

  const bool splits_;
  std::vector<std::string> keys_;
};

absl::StatusOr<std::unique_ptr<Format>> MakeTar(const TarOptions& options) {
  return std::make_unique<TarFormat>(options);
}

REGISTER_PLUGIN(
    Datasets, "tar",
    "tar archives of images: class/name.jpg, perhaps in train/ and val/, or name.jpg and "
    "name.cls (WebDataset)",
    TarOptions, MakeTar);

}  // namespace
}  // namespace data
