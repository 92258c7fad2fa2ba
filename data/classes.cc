#include "data/classes.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace data {
namespace {

class Renumbered : public Dataset {
 public:
  Renumbered(std::unique_ptr<Dataset> dataset, std::vector<int> numbers,
             std::vector<std::string> classes)
      : dataset_(std::move(dataset)), numbers_(std::move(numbers)), classes_(std::move(classes)) {}

  int64_t size() const override { return dataset_->size(); }
  absl::StatusOr<cv::Mat> Image(int64_t index) const override { return dataset_->Image(index); }
  absl::StatusOr<std::string> File(int64_t index) const override { return dataset_->File(index); }
  std::string Name(int64_t index) const override { return dataset_->Name(index); }
  int Label(int64_t index) const override {
    const int label = dataset_->Label(index);
    return label < 0 ? label : numbers_[label];
  }
  const std::vector<std::string>& classes() const override { return classes_; }
  ViewDefaults views() const override { return dataset_->views(); }
  std::vector<std::string> notes() const override { return dataset_->notes(); }
  absl::Status LabelStatus() const override { return dataset_->LabelStatus(); }

 private:
  const std::unique_ptr<Dataset> dataset_;
  const std::vector<int> numbers_;  // of the data set's labels
  const std::vector<std::string> classes_;
};

// The first of the names, and how many more there are.
std::string Named(const std::vector<std::string>& names) {
  constexpr size_t kShown = 5;
  const size_t shown = std::min(names.size(), kShown);
  return absl::StrCat(
      "'", absl::StrJoin(names.begin(), names.begin() + shown, "', '"), "'",
      names.size() > shown ? absl::StrCat(" and ", names.size() - shown, " more") : "");
}

// The classes that `dataset` has and `other` lacks, sorted.
std::vector<std::string> OnlyIn(const Dataset& dataset, const Dataset& other) {
  const std::set<std::string> known(other.classes().begin(), other.classes().end());
  std::set<std::string> only;
  for (const std::string& name : dataset.classes()) {
    if (known.count(name) == 0) only.insert(name);
  }
  return {only.begin(), only.end()};
}

}  // namespace

std::unique_ptr<Dataset> NumberedAs(const std::vector<std::string>& classes,
                                    std::unique_ptr<Dataset> dataset) {
  if (dataset->classes() == classes) return dataset;
  std::vector<std::string> all = classes;
  std::map<std::string, int> positions;
  for (size_t i = 0; i < all.size(); ++i) positions.emplace(all[i], i);
  std::vector<int> numbers;
  for (const std::string& name : dataset->classes()) {
    const auto [position, is_new] = positions.emplace(name, all.size());
    if (is_new) all.push_back(name);
    numbers.push_back(position->second);
  }
  return std::make_unique<Renumbered>(std::move(dataset), std::move(numbers), std::move(all));
}

absl::Status CheckSameClasses(const Dataset& training, const Dataset& validation) {
  std::vector<std::string> differences;
  for (const auto& [one, other, which] : {std::tuple(&training, &validation, "training"),
                                          std::tuple(&validation, &training, "validation")}) {
    const std::vector<std::string> only = OnlyIn(*one, *other);
    if (only.empty()) continue;
    differences.push_back(absl::StrCat("only the ", which, " images have ",
                                       only.size() == 1 ? "the class " : "the classes ",
                                       Named(only)));
  }
  if (differences.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(absl::StrJoin(differences, ", "), "; both must have the same classes"));
}

}  // namespace data
