// The learning rate range test: the rate rises from step to step, and the loss shows which rates
// suit (Smith, "Cyclical learning rates for training neural networks", WACV 2017, section 3.3).
// Knows neither the method nor the data.
#ifndef MOCO_BEFORE_LR_SEARCH_H_
#define MOCO_BEFORE_LR_SEARCH_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"

namespace moco {

struct LrPoint {
  double lr = 0, loss = 0;
};

// The rates of the test, a geometric series.
struct LrRange {
  double low = 1e-5, high = 100;
  int64_t steps = 140;  // at least 2

  double At(int64_t step) const;
};

struct LrCurve {
  std::vector<LrPoint> points;
  bool diverged = false;  // it ended early, because the loss was too large or not finite
};

// Calls `step` with one rate after the other, which computes the loss of a batch and then updates
// the weights with the rate. Ends early once the mean loss of a few steps is twice that of the
// first steps, or if `step` returns Aborted (a loss that is not finite). Other errors are those of
// `step`; Aborted, too, if it comes before enough points for a suggestion.
absl::StatusOr<LrCurve> RaiseLr(const LrRange& range,
                                const std::function<absl::StatusOr<double>(double lr)>& step);

// The losses without their noise.
std::vector<double> SmoothLosses(const std::vector<LrPoint>& points);

struct LrSuggestion {
  double lr = 0;     // for --lr, with two digits: where the loss falls fastest
  double stall = 0;  // beyond, it falls no more, or four times as slowly
};

// Suggests a rate. Nullopt if the losses do not fall by more than their noise.
std::optional<LrSuggestion> SuggestLr(const std::vector<LrPoint>& points);

}  // namespace moco

#endif  // MOCO_BEFORE_LR_SEARCH_H_
