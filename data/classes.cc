#include "data/classes.h"

#include <algorithm>
#include <cstdint>
#include <map>
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

std::string EmptyClassesNote(const Dataset& dataset) {
  std::vector<bool> found(dataset.classes().size());
  for (int64_t i = 0; i < dataset.size(); ++i) {
    if (dataset.Label(i) >= 0) found[dataset.Label(i)] = true;
  }
  std::vector<std::string> empty;
  for (size_t i = 0; i < found.size(); ++i) {
    if (!found[i]) empty.push_back(dataset.classes()[i]);
  }
  if (empty.empty()) return "";
  constexpr size_t kShown = 5;
  const size_t count = empty.size();
  empty.resize(std::min(count, kShown));
  return absl::StrCat("no image has the class ", absl::StrJoin(empty, ", "),
                      count > kShown ? absl::StrCat(" or ", count - kShown, " others") : "",
                      ", of ", found.size(),
                      " classes: the classifier has outputs that are never right; "
                      "number the labels from 0, without gaps");
}

}  // namespace data
