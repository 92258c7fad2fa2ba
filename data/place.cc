#include "data/place.h"

#include <sys/stat.h>

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/files.h"
#include "data/listing.h"

namespace data {
namespace {

constexpr int64_t kMaxRange = 1'000'000;

bool AllDigits(absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isdigit(c)) return false;
  }
  return !text.empty() && text.size() <= 9;
}

std::vector<std::string> NamesOf(Split split) {
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

const char* ToString(Split split) {
  return split == Split::kPretraining ? "pretraining"
         : split == Split::kTraining  ? "training"
                                      : "validation";
}

absl::StatusOr<Split> ReadSplit(absl::string_view text) {
  for (const Split split : {Split::kPretraining, Split::kTraining, Split::kValidation}) {
    if (text == ToString(split)) return split;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--split is '", text, "', must be pretraining, training or validation"));
}

std::vector<std::string> ExpandRanges(const std::string& path) {
  for (size_t open = path.find('{'); open != std::string::npos; open = path.find('{', open + 1)) {
    const size_t dots = path.find("..", open), close = path.find('}', open);
    if (dots == std::string::npos || close == std::string::npos || dots > close) continue;
    const std::string from = path.substr(open + 1, dots - open - 1);
    const std::string to = path.substr(dots + 2, close - dots - 2);
    int64_t first, last;
    if (!AllDigits(from) || !AllDigits(to) || !absl::SimpleAtoi(from, &first) ||
        !absl::SimpleAtoi(to, &last) || last < first || last - first >= kMaxRange) {
      continue;
    }
    std::vector<std::string> paths;
    for (const std::string& rest : ExpandRanges(path.substr(close + 1))) {
      for (int64_t i = first; i <= last; ++i) {
        paths.push_back(absl::StrFormat("%s%0*d%s", path.substr(0, open),
                                        static_cast<int>(from.size()), i, rest));
      }
    }
    return paths;
  }
  return {path};
}

absl::StatusOr<Place> Place::At(const std::string& path) {
  Place place;
  place.path = path;
  struct stat info;
  const std::string first = ExpandRanges(path)[0];
  if (stat(path.c_str(), &info) != 0 && stat(first.c_str(), &info) != 0) {
    return base::ErrnoStatus("cannot open data", first);
  }
  place.is_folder = S_ISDIR(info.st_mode);
  if (!place.is_folder) return place;
  absl::Status status = ForEachEntry(path, [&](const char* name, bool is_folder) {
    if (is_folder) {
      place.folder = name;
    } else if (absl::EndsWith(name, ".tar")) {
      place.archive = name;
    } else if (place.image.empty() && HasImageName(name)) {
      place.image = name;
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return place;
}

bool Place::EndsWith(absl::string_view ending) const {
  return !is_folder && absl::EndsWith(path, ending);
}

bool Place::Has(absl::string_view entry) const {
  struct stat info;
  return is_folder && stat((*this / entry).c_str(), &info) == 0;
}

std::string Place::operator/(absl::string_view entry) const {
  return absl::StrCat(path, absl::EndsWith(path, "/") ? "" : "/", entry);
}

std::string Place::PartOf(Split split) const {
  for (const std::string& name : NamesOf(split)) {
    struct stat info;
    if (stat((*this / name).c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return *this / name;
    for (const char* ending : {".pack", ".tar", ".csv"}) {
      if (Has(name + ending)) return *this / (name + ending);
    }
  }
  return "";
}

}  // namespace data
