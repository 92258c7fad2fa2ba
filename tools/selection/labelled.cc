#include "tools/selection/labelled.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <set>
#include <unordered_map>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "data/labels.h"
#include "data/listing.h"
#include "data/requests.h"

namespace selection {
namespace {

class Finder {
 public:
  explicit Finder(const lincls::FeatureTable& table) {
    found_.rows.resize(table.size());
    int64_t labelled = 0;
    for (int64_t row = 0; row < table.size(); ++row) {
      row_of_.emplace(table.files[row], row);
      found_.rows[row] = table.labels[row] >= 0;
      labelled += found_.rows[row];
    }
    if (labelled > 0) {
      found_.reasons.push_back(absl::StrCat(labelled, " have a label in the features' table"));
    }
  }

  // Adds the images of a request. If its labels have come back, there must be one for each image.
  absl::Status AddRequest(const data::Request& request) {
    if (!request.has_list) {
      return absl::NotFoundError(absl::StrCat("'", request.labels, "' exists, but '", request.list,
                                              "' does not; provide both files or neither"));
    }
    if (!request.has_labels) return AddList(request.list, ", which has no labels yet");
    const auto labels = data::ReadLabelTensor(request.labels);
    if (!labels.ok()) return labels.status();
    const auto images = data::ReadRequest(request.list);
    if (!images.ok()) return images.status();
    if (images->size() != labels->size()) {
      return absl::InvalidArgumentError(absl::StrCat("'", request.list, "' names ", images->size(),
                                                     " images, but '", request.labels, "' has ",
                                                     labels->size(), " labels"));
    }
    return AddList(request.list, "");
  }

  absl::Status AddList(const std::string& list, const std::string& remark) {
    std::error_code error;
    const std::string same = std::filesystem::canonical(list, error).string();
    if (!error && !lists_.insert(same).second) return absl::OkStatus();  // given twice
    const auto images = data::ReadRequest(list);
    if (!images.ok()) return images.status();
    int64_t known = 0;
    for (const auto& [name, line] : *images) {
      const std::string where = absl::StrCat("'", list, "' line ", line);
      const auto [first, is_new] = seen_.emplace(name, where);
      if (!is_new) {
        return absl::InvalidArgumentError(
            absl::StrCat(where, ": '", name, "' is already in ", first->second));
      }
      const auto row = row_of_.find(name);
      if (row == row_of_.end()) {
        // Not readable, or of another split.
        if (data::HasImageName(name) || data::HasArrayName(name)) continue;
        return absl::InvalidArgumentError(absl::StrCat(
            where, ": '", name, "' is not an image of the features (only the first line may be ",
            "the header 'filename')"));
      }
      found_.rows[row->second] = true;
      ++known;
    }
    const int64_t unknown = static_cast<int64_t>(images->size()) - known;
    if (known == 0 && unknown > 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", list, "': none of its ", unknown, " images is among the features"));
    }
    found_.reasons.push_back(absl::StrCat(
        known, " are in '", list, "'", remark,
        unknown > 0 ? absl::StrCat(" (", unknown, " of its images are not among the features)")
                    : ""));
    return absl::OkStatus();
  }

  Labelled Take() { return std::move(found_); }

 private:
  Labelled found_;
  std::unordered_map<std::string, int64_t> row_of_;  // of each file
  // The list and line that first named each image.
  std::unordered_map<std::string, std::string> seen_;
  std::set<std::string> lists_;
};

}  // namespace

absl::StatusOr<Labelled> FindLabelled(const lincls::FeatureTable& table, const std::string& folder,
                                      const std::vector<std::string>& lists) {
  Finder finder(table);
  if (!folder.empty()) {
    const auto requests = data::FindRequests(folder);
    if (!requests.ok()) return requests.status();
    for (const data::Request& request : *requests) {
      if (absl::Status s = finder.AddRequest(request); !s.ok()) return s;
    }
  }
  for (const std::string& list : lists) {
    if (absl::Status s = finder.AddList(list, ""); !s.ok()) return s;
  }
  return finder.Take();
}

}  // namespace selection
