#include "data/formats/array_names.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "data/listing.h"

namespace data {
namespace {

// In the order in which they are preferred.
constexpr const char* kImageWords[] = {"images", "image", "imgs", "img", "x", "data", "pixels"};
constexpr const char* kLabelWords[] = {"labels", "label", "y",       "targets",
                                       "target", "lbls",  "classes", "class"};

// More arrays without a telling name are not looked into.
constexpr size_t kMostLookedInto = 64;

// Lower-case words: at characters that are no letters or digits, between letters and digits, and
// before a capital letter behind a small one (trainImages).
std::vector<std::string> WordsOf(const std::string& name) {
  std::vector<std::string> words;
  char before = '_';
  for (const char c : name) {
    const bool starts = !absl::ascii_isalnum(before) ||
                        absl::ascii_isdigit(c) != absl::ascii_isdigit(before) ||
                        (absl::ascii_isupper(c) && absl::ascii_islower(before));
    if (absl::ascii_isalnum(c)) {
      if (starts) words.emplace_back();
      words.back() += absl::ascii_tolower(c);
    }
    before = c;
  }
  // xtrain, ytest
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string word = words[i];
    if (word.size() < 3 || (word[0] != 'x' && word[0] != 'y')) continue;
    if (SplitNameOf(absl::string_view(word).substr(1)).empty()) continue;
    words[i] = word.substr(0, 1);
    words.insert(words.begin() + static_cast<int64_t>(++i), word.substr(1));
  }
  return words;
}

template <size_t n>
int RankOf(const std::string& word, const char* const (&words)[n]) {
  for (size_t i = 0; i < n; ++i) {
    if (word == words[i]) return static_cast<int>(i);
  }
  return -1;
}

std::vector<absl::string_view> SplitsFor(Split split) {
  switch (split) {
    case Split::kPretraining:
      return {"unlabeled", "train"};
    case Split::kTraining:
      return {"train"};
    case Split::kValidation:
      return {"val", "test"};
  }
  return {};
}

}  // namespace

ArrayName ReadArrayName(const std::string& name) {
  ArrayName result;
  std::vector<std::string> rest;
  int images = -1, labels = -1;
  for (const std::string& word : WordsOf(name)) {
    const absl::string_view split = SplitNameOf(word);
    const int image = RankOf(word, kImageWords), label = RankOf(word, kLabelWords);
    if (!split.empty() && result.split.empty()) {
      result.split = std::string(split);
    } else if (image >= 0 && images < 0) {
      images = image;
    } else if (label >= 0 && labels < 0) {
      labels = label;
    } else {
      rest.push_back(word);
    }
  }
  // image_labels are labels, label_names and image_ids are neither.
  result.role = labels >= 0   ? ArrayName::kLabels
                : images >= 0 ? ArrayName::kImages
                              : ArrayName::kOther;
  for (const std::string& word : rest) {
    if (word == "names" || word == "name" || word == "ids" || word == "id" || word == "mask" ||
        word == "masks") {
      result.role = ArrayName::kOther;
    }
  }
  result.rank = labels >= 0 ? labels : images;
  result.rest = absl::StrJoin(rest, " ");
  return result;
}

ArrayNames::ArrayNames(const ArrayFiles& files) : files_(files) {
  for (const std::string& name : files.names()) names_.push_back(ReadArrayName(name));
  for (const ArrayName& name : names_) images_.push_back(name.role == ArrayName::kImages);
  std::set<std::string> named;  // splits whose images a name states
  for (const ArrayName& name : names_) {
    if (name.role == ArrayName::kImages) named.insert(name.split);
  }
  size_t looked_into = 0;
  for (size_t i = 0; i < names_.size(); ++i) {
    if (names_[i].role != ArrayName::kOther || named.count(names_[i].split) > 0) continue;
    if (++looked_into > kMostLookedInto) break;
    const auto header = files.Header(i);
    const size_t dimensions = header.ok() ? header->shape.size() : 0;
    images_[i] = dimensions == 3 || dimensions == 4;
  }
}

bool ArrayNames::is_data_set() const {
  bool any_labels = false;
  std::map<std::pair<std::string, int>, std::vector<size_t>> alike;
  for (size_t i = 0; i < names_.size(); ++i) {
    any_labels |= names_[i].role == ArrayName::kLabels;
    if (names_[i].role == ArrayName::kImages) alike[{names_[i].split, names_[i].rank}].push_back(i);
  }
  return std::any_of(alike.begin(), alike.end(), [&](const auto& group) {
    const std::vector<size_t>& arrays = group.second;
    if (arrays.size() == 1 && (any_labels || names_[arrays[0]].rest.empty())) return true;
    const auto header = files_.Header(arrays[0]);
    return header.ok() && header->shape.size() == 4;
  });
}

bool ArrayNames::has_splits() const {
  for (size_t i = 0; i < names_.size(); ++i) {
    if (images_[i] && !names_[i].split.empty()) return true;
  }
  return false;
}

std::string ArrayNames::Listed(const std::vector<size_t>& arrays) const {
  constexpr size_t kShown = 8;
  std::vector<std::string> texts;
  for (size_t k = 0; k < std::min(arrays.size(), kShown); ++k) {
    const auto header = files_.Header(arrays[k]);
    texts.push_back(absl::StrCat("'", files_.names()[arrays[k]], "'",
                                 header.ok() ? absl::StrCat(" (", header->Text(), ")") : ""));
  }
  return absl::StrCat(
      absl::StrJoin(texts, ", "),
      arrays.size() > kShown ? absl::StrCat(" and ", arrays.size() - kShown, " more") : "");
}

absl::StatusOr<size_t> ArrayNames::Find(const std::string& name, const Request& request) const {
  const std::string wanted(absl::StripSuffix(name, ".npy"));
  for (size_t i = 0; i < names_.size(); ++i) {
    if (files_.names()[i] == wanted) return i;
  }
  std::vector<size_t> all(names_.size());
  std::iota(all.begin(), all.end(), 0);
  return absl::InvalidArgumentError(absl::StrCat("'", files_.path(), "' holds no array '", wanted,
                                                 "', as --dataset=", request.format,
                                                 " says; it holds ", Listed(all)));
}

absl::StatusOr<size_t> ArrayNames::ChooseImages(const Request& request,
                                                ChosenArrays& chosen) const {
  if (!request.images.empty()) return Find(request.images, request);
  if (request.own) return *request.own;
  std::vector<absl::string_view> splits = {""};
  if (has_splits()) splits = SplitsFor(request.split);
  for (const absl::string_view split : splits) {
    std::vector<size_t> found;
    for (size_t i = 0; i < names_.size(); ++i) {
      if (images_[i] && names_[i].split == split) found.push_back(i);
    }
    if (found.empty()) continue;
    int best = names_[found[0]].rank;
    for (const size_t i : found) best = std::min(best, names_[i].rank);
    std::erase_if(found, [&](size_t i) { return names_[i].rank != best; });
    if (found.size() > 1) {
      return absl::InvalidArgumentError(absl::StrCat(
          "'", files_.path(), "' holds several arrays that could be the ", ToString(request.split),
          " images: ", Listed(found), "; choose one with --dataset='", request.format,
          ":images=NAME,labels=NAME', or save them under names such as train_images, ",
          "train_labels, val_images and val_labels"));
    }
    if (split == "test") {
      chosen.notes.push_back(absl::StrCat("the validation images are those of '",
                                          files_.Place(found[0]), "', since there are no val"));
    }
    return found[0];
  }
  std::vector<size_t> all(names_.size());
  std::iota(all.begin(), all.end(), 0);
  if (has_splits()) {
    return absl::NotFoundError(absl::StrCat(
        "'", files_.path(), "' holds no ", ToString(request.split), " images: it has ", Listed(all),
        request.split == Split::kValidation
            ? "; name a place for them: --val=DATA2"
            : absl::StrCat("; choose an array with --dataset=", request.format, ":images=NAME")));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", files_.path(), "' holds no images, arrays of N x H x W or N x H x W x C",
                   all.empty() ? "" : ": it has ", Listed(all)));
}

void ArrayNames::ChooseLabels(const Request& request, ChosenArrays& chosen) const {
  const ArrayName& images = names_[chosen.images];
  std::vector<size_t> found;
  for (size_t i = 0; i < names_.size(); ++i) {
    if (names_[i].role == ArrayName::kLabels && names_[i].split == images.split) found.push_back(i);
  }
  const auto keep = [&](auto is_better) {
    if (std::any_of(found.begin(), found.end(), is_better)) {
      std::erase_if(found, [&](size_t i) { return !is_better(i); });
    }
  };
  keep([&](size_t i) { return names_[i].rest == images.rest; });
  // Other files of a folder may have labels of their own.
  const auto others = std::count_if(names_.begin(), names_.end(), [](const ArrayName& name) {
    return name.role != ArrayName::kLabels;
  });
  if (request.own && others > 1) {
    std::erase_if(found, [&](size_t i) { return names_[i].rest != images.rest; });
  }
  if (found.empty()) {
    // numpy.savez(FILE, images, labels) calls them arr_0 and arr_1.
    if (images.role != ArrayName::kOther || names_.size() != 2 || request.own) return;
    const size_t other = 1 - chosen.images;
    const auto header = files_.Header(other);
    if (header.ok() && names_[other].role == ArrayName::kOther && !header->shape.empty() &&
        header->shape.size() <= 2) {
      chosen.labels = other;
    }
    return;
  }
  int best = names_[found[0]].rank;
  for (const size_t i : found) best = std::min(best, names_[i].rank);
  keep([&](size_t i) { return names_[i].rank == best; });
  if (found.size() > 1) {
    chosen.label_status = absl::InvalidArgumentError(absl::StrCat(
        "'", files_.path(), "' holds several arrays that could be the labels: ", Listed(found),
        "; choose one with --dataset='", request.format, ":images=", files_.names()[chosen.images],
        ",labels=NAME'"));
    return;
  }
  chosen.labels = found[0];
  const ArrayName& labels = names_[found[0]];
  for (size_t i = 0; i < names_.size(); ++i) {
    if (i != *chosen.labels && names_[i].role == labels.role && names_[i].rank == labels.rank &&
        names_[i].rest == labels.rest) {
      chosen.other_labels.push_back(i);
    }
  }
}

absl::StatusOr<ChosenArrays> ArrayNames::Choose(const Request& request) const {
  ChosenArrays chosen;
  const auto images = ChooseImages(request, chosen);
  if (!images.ok()) return images.status();
  chosen.images = *images;
  if (!request.labels.empty()) {
    const auto labels = Find(request.labels, request);
    if (!labels.ok()) return labels.status();
    chosen.labels = *labels;
  } else {
    ChooseLabels(request, chosen);
  }
  if (chosen.labels && request.own) {
    chosen.notes.push_back(
        absl::StrCat("the labels are those of '", files_.Place(*chosen.labels), "'"));
  }
  if (request.own) return chosen;
  // What is of another split says so by its name.
  std::vector<std::string> left_out;
  for (size_t i = 0; i < names_.size(); ++i) {
    const bool is_used = i == chosen.images || i == chosen.labels;
    const bool known = (images_[i] || names_[i].role == ArrayName::kLabels) && has_splits() &&
                       names_[i].split != names_[chosen.images].split &&
                       !(request.split == Split::kValidation && names_[i].split == "test");
    if (!is_used && !known) left_out.push_back(files_.names()[i]);
  }
  if (!left_out.empty()) {
    constexpr size_t kShown = 4;
    const bool more = left_out.size() > kShown;
    if (more) left_out.resize(kShown);
    chosen.notes.push_back(absl::StrCat("left out of '", files_.path(),
                                        "': ", absl::StrJoin(left_out, ", "), more ? ", ..." : ""));
  }
  return chosen;
}

bool HoldsArrayDataSet(const DataLocation& folder) {
  if (folder.images > 0 || folder.endings.count(".npy") == 0) return false;
  const auto files = ArrayFiles::OfFolder(folder.path);
  return files.ok() && ArrayNames(*files).is_data_set();
}

bool HoldsArrayImages(const DataLocation& folder) {
  const auto is_of_arrays = [](const std::string& ending) { return HasArrayName("x" + ending); };
  if (folder.images > 0 || HoldsArrayDataSet(folder) ||
      std::none_of(folder.endings.begin(), folder.endings.end(), is_of_arrays)) {
    return false;
  }
  const auto files = ArrayFiles::OfFolder(folder.path);
  if (!files.ok() || files->names().empty()) return false;
  const auto first = files->Header(0);
  return !first.ok() || first->shape.size() < 4;
}

}  // namespace data
