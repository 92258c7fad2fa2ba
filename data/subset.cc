#include "data/subset.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"

namespace data {
namespace {

class Subset : public Dataset {
 public:
  Subset(std::shared_ptr<const Dataset> whole, std::vector<int64_t> indices)
      : whole_(std::move(whole)), indices_(std::move(indices)) {}

  int64_t size() const override { return indices_.size(); }
  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    return whole_->Image(indices_[index]);
  }
  std::string Name(int64_t index) const override { return whole_->Name(indices_[index]); }
  int Label(int64_t index) const override { return whole_->Label(indices_[index]); }
  const std::vector<std::string>& classes() const override { return whole_->classes(); }

 private:
  const std::shared_ptr<const Dataset> whole_;
  const std::vector<int64_t> indices_;
};

}  // namespace

std::unique_ptr<Dataset> FractionOfLabels(std::unique_ptr<Dataset> dataset, double fraction,
                                          uint64_t seed) {
  std::vector<std::vector<int64_t>> of_class(dataset->classes().size());
  for (int64_t i = 0; i < dataset->size(); ++i) of_class[dataset->Label(i)].push_back(i);
  std::vector<int64_t> chosen;
  for (size_t c = 0; c < of_class.size(); ++c) {
    const int64_t n = of_class[c].size();
    // 0.1 of 70 is 7, not 8, though 0.1 * 70 is above 7.
    const auto count = static_cast<int64_t>(std::ceil(fraction * n * (1 - 1e-12)));
    const auto order = base::Rng(seed, base::Purpose::kLabels, c).Permutation(n);
    for (int64_t i = 0; i < count; ++i) chosen.push_back(of_class[c][order[i]]);
  }
  std::sort(chosen.begin(), chosen.end());
  return std::make_unique<Subset>(std::move(dataset), std::move(chosen));
}

std::unique_ptr<Dataset> RandomSample(const Dataset& dataset, int64_t count, uint64_t seed) {
  std::vector<int64_t> chosen = base::Rng(seed, base::Purpose::kSample).Permutation(dataset.size());
  if (count < dataset.size()) chosen.resize(count);
  std::sort(chosen.begin(), chosen.end());
  // Shares no ownership.
  const std::shared_ptr<const Dataset> whole(std::shared_ptr<const Dataset>(), &dataset);
  return std::make_unique<Subset>(whole, std::move(chosen));
}

}  // namespace data
