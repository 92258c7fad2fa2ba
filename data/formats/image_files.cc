#include "data/formats/image_files.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "base/utf8.h"
#include "data/csv.h"
#include "data/decode.h"

namespace data {
namespace {

class ImageFiles : public Dataset {
 public:
  ImageFiles(std::string folder, Names names, Classes classes, const DecodeOptions& decode,
             std::vector<std::string> notes, absl::Status label_status)
      : folder_(std::move(folder)),
        names_(std::move(names)),
        classes_(std::move(classes)),
        decode_(decode),
        notes_(std::move(notes)),
        label_status_(std::move(label_status)) {}

  int64_t size() const override { return names_.size(); }
  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    return ReadImage(Name(index), decode_);
  }
  absl::StatusOr<std::string> File(int64_t index) const override {
    return ReadImageFile(Name(index));
  }
  std::string Name(int64_t index) const override {
    const absl::string_view name = names_[index];
    return absl::StartsWith(name, "/") ? std::string(name) : absl::StrCat(folder_, name);
  }
  int Label(int64_t index) const override {
    return classes_.labels.empty() ? -1 : classes_.labels[index];
  }
  const std::vector<std::string>& classes() const override { return classes_.names; }
  std::vector<std::string> notes() const override { return notes_; }
  absl::Status LabelStatus() const override { return label_status_; }

 private:
  const std::string folder_;
  const Names names_;
  const Classes classes_;
  const DecodeOptions decode_;
  const std::vector<std::string> notes_;
  const absl::Status label_status_;
};

// The first bytes of a list, up to the end of a line: enough for its header.
constexpr size_t kHead = 1 << 16;
std::string HeadOf(const std::string& path) {
  const auto file = base::MappedFile::Open(path);
  if (!file.ok()) return "";
  const absl::string_view head = file->bytes().substr(0, kHead);
  return DecodeText(std::string(head.substr(0, head.find_last_of("\r\n") + 1)));
}

}  // namespace

std::unique_ptr<Dataset> MakeImageFiles(std::string folder, Names names, Classes classes,
                                        const DecodeOptions& decode, std::vector<std::string> notes,
                                        absl::Status label_status) {
  return std::make_unique<ImageFiles>(std::move(folder), std::move(names), std::move(classes),
                                      decode, std::move(notes), std::move(label_status));
}

std::string EmptyFoldersNote(const std::string& place, const std::vector<std::string>& folders,
                             const std::vector<std::string>& classes) {
  std::vector<std::string> empty;
  const std::set<absl::string_view> names(classes.begin(), classes.end());
  for (const std::string& folder : folders) {
    const bool known = names.count(base::EscapedUtf8(folder)) > 0;
    if (!known && folder != "__MACOSX") empty.push_back(folder);
  }
  if (empty.empty()) return "";
  return absl::StrCat(empty.size(), " folders of '", place,
                      "' hold no image and are no classes, such as '", empty[0], "'");
}

std::string NameOfFolder(const std::string& path) {
  const absl::string_view name = absl::StripSuffix(path, "/");
  return std::string(name.substr(name.rfind('/') + 1));  // npos + 1 is 0
}

std::string ListOf(const DataLocation& folder) {
  if (!folder.is_folder) return "";
  // Other programs have files of these names, too; Hugging Face requires the column.
  constexpr const char* kNames[] = {"metadata.csv", "metadata.jsonl"};
  for (const char* name : kNames) {
    const std::string path = folder / name;
    if (folder.Has(name) && absl::StrContains(HeadOf(path), "file_name")) return path;
  }
  if (folder.Has("_classes.csv")) return folder / "_classes.csv";
  const std::string name = NameOfFolder(folder.path);
  const absl::string_view above =
      absl::StripSuffix(absl::StripSuffix(folder.path, "/"), name);  // with its slash
  for (const char* list : kNames) {
    if (!folder.Has(absl::StrCat("../", list))) continue;
    const std::string path = absl::StrCat(above, list), head = HeadOf(path);
    if (absl::StrContains(head, "file_name") && absl::StrContains(head, name + "/")) return path;
  }
  return "";
}

}  // namespace data
