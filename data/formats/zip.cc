// Zip archives of images, read as the folder that they would be unpacked to: one folder for each
// class, or no classes, perhaps with splits. The directory at the archive's end is read once, and
// images in any order.
#include "tensors/zip.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "data/dataset.h"
#include "data/decode.h"
#include "data/formats/archive_folders.h"
#include "data/formats/image_files.h"
#include "data/listing.h"
#include "data/unread.h"

namespace data {
namespace {

using tensors::ZipEntry;

struct ZipOptions {
  bool splits = true;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("splits", splits,
      "use the folder called train, val, ..., if there is one; false: use all of the archive");
  }
};

// The image's place in the archive, and what it is once it is unpacked.
struct Span {
  uint64_t header, packed, size;
  uint32_t crc;
  uint16_t method;
};

struct Item {
  std::string name;
  Span span;
};

// What an archive holds. Hidden entries, such as those in macOS's __MACOSX, are left out.
struct Contents {
  uint64_t end = 0;                 // of the entries in the file
  std::vector<Item> images;         // sorted by ComesBefore; arrays, if there are no images
  int64_t arrays = 0;               // beside images
  std::vector<std::string> unread;  // images of kinds that are not read
  std::set<std::string> folders;    // with a slash behind each
  std::string list;                 // a table of labels
  std::string form;                 // data in another form, and what to do: UnreadForm
  int64_t repeated = 0;             // entries in whose place a later one of the same name is
  std::string repeated_name;        // one of them
};

// Adds the folders of a name, unless `last`, those of the name before, are the same.
void AddFolders(const std::string& name, std::string* last, std::set<std::string>* folders) {
  const std::string folder = name.substr(0, name.rfind('/') + 1);  // npos + 1 is 0
  if (folder == *last) return;
  *last = folder;
  for (size_t slash = folder.find('/'); slash != std::string::npos;
       slash = folder.find('/', slash + 1)) {
    folders->insert(folder.substr(0, slash + 1));
  }
}

// Why an image cannot be read at all; empty if it can.
std::string Unreadable(const ZipEntry& entry, const std::string& path) {
  const std::string unpack =
      absl::StrCat("unpack the archive with 7z x ", base::ShellQuoted(path),
                   " -oDIR (Debian package p7zip-full), and give DIR as data");
  if (entry.encrypted) return absl::StrCat("is encrypted; ", unpack);
  if (entry.is_link) return absl::StrCat("is a link to another file; ", unpack);
  if (entry.method != ZipEntry::kStored && entry.method != ZipEntry::kDeflated) {
    return absl::StrCat("is compressed by ", tensors::ZipMethodName(entry.method),
                        ", which is not read; ", unpack);
  }
  return "";
}

// Of images with one name, the later one is kept, which an archive that was updated means.
void DropRepeated(Contents& contents) {
  std::vector<Item>& images = contents.images;
  std::stable_sort(images.begin(), images.end(),
                   [](const Item& a, const Item& b) { return ComesBefore(a.name, b.name); });
  size_t kept = 0;
  for (size_t i = 0; i < images.size(); ++i) {
    if (i + 1 < images.size() && images[i].name == images[i + 1].name) {
      if (contents.repeated++ == 0) contents.repeated_name = images[i].name;
      continue;
    }
    if (kept < i) images[kept] = std::move(images[i]);
    ++kept;
  }
  images.resize(kept);
}

absl::Status Damaged(const std::string& path, const absl::Status& status) {
  if (!absl::IsDataLoss(status)) return base::InFile(status, path);
  return absl::DataLossError(
      absl::StrCat("'", path, "' is damaged: ", status.message(), "; fetch or write it again"));
}

absl::StatusOr<Contents> ReadContents(const base::ReadableFile& file) {
  Contents contents;
  std::string last;
  std::vector<Item> arrays;
  absl::Status refused, refused_array;
  const auto add = [&](const ZipEntry& entry) {
    std::string name = NameInArchive(entry.Name());
    if (name.empty() || IsHidden(name) || absl::StartsWith(name, "__MACOSX/")) {
      return absl::OkStatus();
    }
    AddFolders(name, &last, &contents.folders);
    if (absl::EndsWith(name, "/")) return absl::OkStatus();
    const bool is_image = HasImageName(name);
    if (is_image || HasArrayName(name)) {
      if (const std::string why = Unreadable(entry, file.path()); !why.empty()) {
        (is_image ? refused : refused_array) =
            absl::InvalidArgumentError(absl::StrCat("'", file.path(), "': '", name, "' ", why));
        return refused;
      }
      (is_image ? contents.images : arrays)
          .push_back(
              {std::move(name), {entry.header, entry.packed, entry.size, entry.crc, entry.method}});
    } else if (!UnreadEnding(name).empty()) {
      contents.unread.push_back(std::move(name));
    } else if (contents.list.empty() && (absl::EndsWithIgnoreCase(name, ".csv") ||
                                         absl::EndsWithIgnoreCase(name, ".jsonl"))) {
      contents.list = std::move(name);
    } else if (const std::string form = UnreadForm(name); contents.form.empty() && !form.empty()) {
      contents.form = absl::StrCat("; unpack it: '", name, "' in it ", form);
    }
    return absl::OkStatus();
  };
  const auto read = [&](uint64_t at, uint64_t size, char* out) {
    return file.Read(static_cast<int64_t>(at), static_cast<int64_t>(size), out);
  };
  const auto directory = tensors::ReadZipDirectory(file.size(), read, add);
  if (!refused.ok()) return refused;
  if (!directory.ok()) return Damaged(file.path(), directory.status());
  contents.end = directory->begin;
  if (contents.images.empty()) {
    if (!refused_array.ok()) return refused_array;
    std::swap(contents.images, arrays);
  }
  contents.arrays = static_cast<int64_t>(arrays.size());
  DropRepeated(contents);
  return contents;
}

// The folders of an archive's images, those of kinds that are not read included.
ArchiveFolders FoldersOf(const Contents& contents, const std::string& path) {
  std::vector<absl::string_view> names;
  for (const Item& image : contents.images) names.push_back(image.name);
  names.insert(names.end(), contents.unread.begin(), contents.unread.end());
  return ArchiveFolders(names, "zip", path);
}

class Zip : public Dataset {
 public:
  Zip(base::ReadableFile file, uint64_t end, std::vector<Span> spans, std::string base, Names names,
      Classes classes, std::vector<std::string> notes, const DecodeOptions& decode)
      : file_(std::move(file)),
        end_(end),
        spans_(std::move(spans)),
        base_(std::move(base)),
        names_(std::move(names)),
        classes_(std::move(classes)),
        notes_(std::move(notes)),
        decode_(decode) {}

  int64_t size() const override { return names_.size(); }

  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    const auto bytes = File(index);
    if (!bytes.ok()) return bytes.status();
    return DecodeNamed(Name(index), *bytes, decode_);
  }

  absl::StatusOr<std::string> File(int64_t index) const override {
    std::string bytes;
    const absl::Status status = Read(spans_[index], &bytes);
    if (status.ok()) return bytes;
    const bool out_of_memory = absl::IsResourceExhausted(status);
    return absl::Status(out_of_memory ? status.code() : absl::StatusCode::kDataLoss,
                        absl::StrCat("'", Name(index), "' ", status.message()));
  }

  std::string Name(int64_t index) const override {
    return absl::StrCat(file_.path(), ":", base_, names_[index]);
  }
  int Label(int64_t index) const override { return classes_.labels[index]; }
  const std::vector<std::string>& classes() const override { return classes_.names; }
  std::vector<std::string> notes() const override { return notes_; }

 private:
  // Unpacks an image. Errors begin with what is wrong.
  absl::Status Read(const Span& span, std::string* out) const {
    ZipEntry entry;
    entry.method = span.method;
    entry.crc = span.crc;
    entry.packed = span.packed;
    entry.size = span.size;
    if (entry.size > kMaxImageBytes || entry.packed > kMaxImageBytes) {
      return absl::DataLossError(absl::StrCat("has more than ", kMaxImageBytes, " bytes"));
    }
    if (absl::Status s = entry.CheckSize(); !s.ok()) return s;
    // The local header is as long as its extra fields are, which the directory does not know.
    constexpr uint64_t kGuess = 512;
    uint64_t have = std::min(tensors::kZipLocalHeader + span.packed + kGuess, end_ - span.header);
    std::string packed(have, '\0');
    if (absl::Status s = file_.Read(span.header, have, packed.data()); !s.ok()) return s;
    const auto header = tensors::ZipLocalHeaderSize(packed);
    if (!header.ok()) return header.status();
    const uint64_t need = *header + span.packed;
    if (need > end_ - span.header) return absl::DataLossError("extends past the archive's data");
    if (need > have) {
      packed.resize(need);
      absl::Status s = file_.Read(span.header + have, need - have, packed.data() + have);
      if (!s.ok()) return s;
    }
    out->resize(span.size);
    return UnpackZipEntry(entry, absl::string_view(packed).substr(*header, span.packed), span.size,
                          out->data());
  }

  const base::ReadableFile file_;
  const uint64_t end_;
  const std::vector<Span> spans_;
  const std::string base_;
  const Names names_;
  const Classes classes_;
  const std::vector<std::string> notes_;
  const DecodeOptions decode_;
};

class ZipFormat : public Format {
 public:
  explicit ZipFormat(const ZipOptions& options) : splits_(options.splits) {}

  std::vector<std::string> FileEndings() const override { return {".zip"}; }
  bool IsOneSplit() const override { return !splits_; }

  bool StatesSplits(const std::string& path) const override {
    if (!splits_) return false;
    const auto file = base::ReadableFile::Open(path);
    if (!file.ok()) return false;
    const auto contents = ReadContents(*file);
    if (!contents.ok()) return true;  // Open() says what is wrong
    return FoldersOf(*contents, path).HasSplits();
  }

  absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path, Split split,
                                                const DecodeOptions& decode) const override {
    auto file = base::ReadableFile::Open(path);
    if (!file.ok()) return file.status();
    auto contents = ReadContents(*file);
    if (!contents.ok()) return contents.status();
    auto part = splits_ ? FoldersOf(*contents, path).PartOf(split) : ArchivePart();
    if (!part.ok()) return part.status();
    std::string& base = part->base;
    std::vector<std::string>& notes = part->notes;

    UnreadImages unread;
    for (const std::string& name : contents->unread) {
      if (absl::StartsWith(name, base)) unread.Add(name);
    }
    std::vector<Span> spans;
    Names names;
    for (const Item& image : contents->images) {
      if (!absl::StartsWith(image.name, base)) continue;
      names.Add(absl::string_view(image.name).substr(base.size()));
      spans.push_back(image.span);
    }
    const std::string unpacked = unread.empty() ? "" : unread.Text("DIR");
    const std::string place = absl::StrCat(path, base.empty() ? "" : ":", base);
    if (names.size() == 0) {
      return absl::InvalidArgumentError(
          unread.empty()
              ? absl::StrCat("'", place, "' holds no images (.jpg, .png, ...)", contents->form)
              : absl::StrCat("'", place, "' holds no images but ", unpacked,
                             ", after unpacking it into DIR"));
    }
    if (!unread.empty()) {
      notes.push_back(
          absl::StrCat("left out of '", place, "': ", unpacked, ", after unpacking it into DIR"));
    }
    if (contents->arrays > 0) notes.push_back(ArraysNote(path, contents->arrays));
    if (contents->repeated > 0) {
      notes.push_back(absl::StrCat("'", path, "' holds ", contents->repeated,
                                   " images several times, such as '", contents->repeated_name,
                                   "'; the last of each is used"));
    }
    if (!contents->list.empty()) {
      notes.push_back(absl::StrCat("'", contents->list, "' in '", path,
                                   "' is not read; if it states labels, unpack the archive"));
    }
    Classes classes = ClassesOfFolders(names);
    if (std::string note = EmptyFoldersNote(place, FoldersIn(*contents, base), classes.names);
        !note.empty() && !classes.names.empty()) {
      notes.push_back(std::move(note));
    }
    return std::make_unique<Zip>(*std::move(file), contents->end, std::move(spans), std::move(base),
                                 std::move(names), std::move(classes), std::move(notes), decode);
  }

 private:
  // The names of the folders directly in `base`, sorted.
  static std::vector<std::string> FoldersIn(const Contents& contents, const std::string& base) {
    std::vector<std::string> folders;
    for (const std::string& folder : contents.folders) {
      absl::string_view rest = folder;
      if (!absl::ConsumePrefix(&rest, base) || rest.empty()) continue;
      if (rest.find('/') == rest.size() - 1) folders.emplace_back(absl::StripSuffix(rest, "/"));
    }
    return folders;
  }

  const bool splits_;
};

absl::StatusOr<std::unique_ptr<Format>> MakeZip(const ZipOptions& options) {
  return std::make_unique<ZipFormat>(options);
}

REGISTER_PLUGIN(Datasets, "zip",
                "a zip archive of images: class/name.jpg, perhaps in train/ and val/", ZipOptions,
                MakeZip);

}  // namespace
}  // namespace data
