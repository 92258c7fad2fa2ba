#include "data/location.h"

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

absl::StatusOr<DataLocation> DataLocation::At(const std::string& path) {
  DataLocation location;
  location.path = path;
  struct stat info;
  const std::string first = ExpandRanges(path)[0];
  if (stat(path.c_str(), &info) != 0 && stat(first.c_str(), &info) != 0) {
    return base::ErrnoStatus("cannot open data", first);
  }
  location.is_folder = S_ISDIR(info.st_mode);
  if (!location.is_folder) return location;
  absl::Status status = ForEachEntry(path, [&](absl::string_view name, bool is_folder) {
    if (is_folder) {
      location.folder = std::string(name);
      return absl::OkStatus();
    }
    const size_t dot = name.rfind('.');
    if (dot != absl::string_view::npos) {
      const absl::string_view ending = name.substr(dot);
      if (location.endings.find(ending) == location.endings.end()) {
        location.endings.emplace(ending);
      }
    }
    if (location.image.empty() && HasImageName(name)) location.image = std::string(name);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return location;
}

bool DataLocation::EndsWith(absl::string_view ending) const {
  return !is_folder && absl::EndsWith(path, ending);
}

bool DataLocation::Has(absl::string_view entry) const {
  struct stat info;
  return is_folder && stat((*this / entry).c_str(), &info) == 0;
}

std::string DataLocation::operator/(absl::string_view entry) const {
  return absl::StrCat(path, absl::EndsWith(path, "/") ? "" : "/", entry);
}

DataLocation::Parts DataLocation::PartsOf(Split split,
                                          const std::vector<std::string>& endings) const {
  Parts parts;
  for (const std::string& name : NamesOf(split)) {
    struct stat info;
    if (stat((*this / name).c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
      parts.folder = *this / name;
    }
    for (const std::string& ending : endings) {
      if (Has(name + ending)) parts.files.push_back(*this / (name + ending));
    }
    if (!parts.folder.empty() || !parts.files.empty()) break;
  }
  return parts;
}

}  // namespace data
