// Images with numbers for names, and their labels in tensors:
//
//   unlabeled/0.png, 1.png, ...
//   train/0.png, ...     train_label_tensor.pt    int64, one for each image
//   val/0.png, ...       val_label_tensor.pt
//   request_01.csv       names of images of unlabeled/ that were labelled later
//   label_01.pt          their labels, in the same order
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "data/dataset.h"
#include "data/decode.h"
#include "data/labels.h"
#include "data/listing.h"
#include "data/normalization.h"
#include "data/requests.h"

namespace data {
namespace {

// The number in "12.png"; false for any other spelling, such as "012.png".
bool ReadNumber(absl::string_view name, uint32_t* number) {
  return absl::ConsumeSuffix(&name, ".png") && !name.empty() &&
         std::all_of(name.begin(), name.end(), absl::ascii_isdigit) &&
         absl::SimpleAtoi(name, number) && absl::StrCat(*number) == name;
}

class NumberedPng : public Dataset {
 public:
  // The images of the folder `own`, then those of unlabeled/ that were labelled later.
  struct Contents {
    std::vector<uint32_t> numbers;
    std::vector<int> labels;  // empty if there are none
    std::vector<std::string> classes;
    std::string own, unlabeled;
    int64_t in_own = 0;  // how many of `numbers` are in `own`
    std::vector<std::string> notes;
  };
  NumberedPng(Contents contents, const DecodeOptions& decode)
      : contents_(std::move(contents)), decode_(decode) {}

  int64_t size() const override { return contents_.numbers.size(); }
  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    return ReadImage(Name(index), decode_);
  }
  absl::StatusOr<std::string> File(int64_t index) const override {
    return ReadImageFile(Name(index));
  }
  std::string Name(int64_t index) const override {
    return absl::StrCat(index < contents_.in_own ? contents_.own : contents_.unlabeled, "/",
                        contents_.numbers[index], ".png");
  }
  int Label(int64_t index) const override {
    return contents_.labels.empty() ? -1 : contents_.labels[index];
  }
  const std::vector<std::string>& classes() const override { return contents_.classes; }

  // Those of the 96x96 data set, which defined this format.
  ViewDefaults views() const override { return {96, 128, kUnlabeled96Normalize}; }

  std::vector<std::string> notes() const override { return contents_.notes; }

 private:
  const Contents contents_;
  const DecodeOptions decode_;
};

// The numbers of the images in a folder, in order.
absl::StatusOr<std::vector<uint32_t>> ListNumbers(const std::string& folder) {
  std::vector<uint32_t> numbers;
  absl::Status status = ForEachEntry(folder, [&](const char* name, bool is_folder) {
    uint32_t number;
    if (!is_folder && ReadNumber(name, &number)) {
      numbers.push_back(number);
    } else if (is_folder || HasImageName(name)) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", folder, "/", name, "' is not an image with a number for a name, ",
                       "such as 12.png; remove it, or choose another --dataset"));
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  if (numbers.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", folder, "' holds no images such as 12.png"));
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

class NumberedPngFormat : public Format {
 public:
  bool HoldsSplits() const override { return true; }

  bool MatchesFolder(const DataLocation& folder) const override {
    uint32_t number;
    if (folder.Has("train_label_tensor.pt") || folder.Has("val_label_tensor.pt")) return true;
    if (!folder.Has("unlabeled") || folder.Has("train") || folder.Has("val")) return false;
    const auto unlabeled = DataLocation::At(folder / "unlabeled");
    return unlabeled.ok() && ReadNumber(unlabeled->image, &number);
  }

  absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path, Split split,
                                                const DecodeOptions& decode) const override {
    const std::string name = split == Split::kPretraining ? "unlabeled"
                             : split == Split::kTraining  ? "train"
                                                          : "val";
    NumberedPng::Contents contents;
    contents.own = absl::StrCat(path, "/", name);
    auto numbers = ListNumbers(contents.own);
    if (!numbers.ok()) return numbers.status();
    contents.numbers = *std::move(numbers);
    contents.in_own = contents.numbers.size();
    if (split != Split::kPretraining) {
      absl::Status status = AddLabels(path, name, contents);
      if (!status.ok()) return status;
      if (split == Split::kTraining) status = AddRequests(path, contents);
      if (!status.ok()) return status;
      auto classes = CountClasses(path);
      if (!classes.ok()) return classes.status();
      contents.classes = NumberedClasses(*classes);
    }
    return std::make_unique<NumberedPng>(std::move(contents), decode);
  }

 private:
  static absl::Status AddLabels(const std::string& root, const std::string& name,
                                NumberedPng::Contents& contents) {
    const std::string path = absl::StrCat(root, "/", name, "_label_tensor.pt");
    auto labels = ReadLabelTensor(path);
    if (!labels.ok()) return labels.status();
    const std::vector<uint32_t>& numbers = contents.numbers;
    const std::string counts = absl::StrCat(" (", numbers.size(), " images, ", labels->size(),
                                            " labels); every image needs one label");
    for (size_t i = 0; i < std::max(numbers.size(), labels->size()); ++i) {
      if (i >= labels->size() || (i < numbers.size() && numbers[i] >= labels->size())) {
        return absl::InvalidArgumentError(absl::StrCat(
            "'", contents.own, "/", numbers[i], ".png' has no label in '", path, "'", counts));
      }
      if (i >= numbers.size() || numbers[i] != i) {
        return absl::InvalidArgumentError(absl::StrCat("'", path, "' has a label for '",
                                                       contents.own, "/", i,
                                                       ".png', which does not exist", counts));
      }
    }
    contents.labels = *std::move(labels);
    return absl::OkStatus();
  }

  static absl::Status AddRequests(const std::string& root, NumberedPng::Contents& contents) {
    const auto requests = FindRequests(root);
    if (!requests.ok()) return requests.status();
    if (requests->empty()) return absl::OkStatus();
    contents.unlabeled = root + "/unlabeled";
    auto unlabeled = ListNumbers(contents.unlabeled);
    if (!unlabeled.ok()) return unlabeled.status();
    std::map<uint32_t, std::string> seen;  // the list and the line that name each image
    for (const Request& request : *requests) {
      if (!request.has_list) {
        return absl::NotFoundError(absl::StrCat("found '", request.labels, "' but not '",
                                                request.list, "'; provide both files or neither"));
      }
      if (!request.has_labels) {  // the people who label still have it
        contents.notes.push_back(absl::StrCat(
            "the images of '", request.list, "' are not used, because their labels are not back: '",
            request.labels, "' does not exist"));
        continue;
      }
      const auto images = ReadRequest(request.list);
      if (!images.ok()) return images.status();
      const auto labels = ReadLabelTensor(request.labels);
      if (!labels.ok()) return labels.status();
      for (const auto& [name, line] : *images) {
        const std::string where = absl::StrCat("'", request.list, "' line ", line);
        uint32_t number;
        if (!ReadNumber(name, &number)) return NotAName(request.list, line, name);
        if (!std::binary_search(unlabeled->begin(), unlabeled->end(), number)) {
          return absl::InvalidArgumentError(
              absl::StrCat(where, ": '", contents.unlabeled, "/", name, "' does not exist"));
        }
        const auto [first, is_new] = seen.emplace(number, where);
        if (!is_new) {
          return absl::InvalidArgumentError(
              absl::StrCat(where, ": '", name, "' is already labelled by ", first->second));
        }
        contents.numbers.push_back(number);
      }
      if (images->size() != labels->size()) {
        return absl::InvalidArgumentError(
            absl::StrCat("'", request.list, "' names ", images->size(), " images, but '",
                         request.labels, "' has ", labels->size(), " labels"));
      }
      contents.labels.insert(contents.labels.end(), labels->begin(), labels->end());
    }
    return absl::OkStatus();
  }

  // One more than the largest label in any file, so that all splits have the same classes.
  static absl::StatusOr<int64_t> CountClasses(const std::string& root) {
    int64_t count = 0;
    absl::Status status = ForEachEntry(root, [&](absl::string_view name, bool is_folder) {
      const bool has_labels = name == "train_label_tensor.pt" || name == "val_label_tensor.pt" ||
                              (absl::StartsWith(name, "label_") && absl::EndsWith(name, ".pt"));
      if (is_folder || !has_labels) return absl::OkStatus();
      const auto labels = ReadLabelTensor(absl::StrCat(root, "/", name));
      if (!labels.ok()) return labels.status();
      for (const int label : *labels) count = std::max<int64_t>(count, label + 1);
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
    return count;
  }
};

absl::StatusOr<std::unique_ptr<Format>> MakeNumberedPng(const registry::NoOptions&) {
  return std::make_unique<NumberedPngFormat>();
}

REGISTER_PLUGIN(
    Datasets, "numbered_png",
    "unlabeled/, train/ and val/ of 0.png, 1.png, ...; labels in {train,val}_label_tensor.pt",
    registry::NoOptions, MakeNumberedPng);

}  // namespace
}  // namespace data
