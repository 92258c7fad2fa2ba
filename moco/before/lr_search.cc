#include "moco/before/lr_search.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace moco {
namespace {

constexpr int64_t kFew = 8;      // steps whose mean loss is compared
constexpr double kTooLarge = 2;  // times the first losses
constexpr double kWidth = 3;     // steps; the standard deviation of the weights
constexpr int64_t kLeastPoints = 3 * kFew;

double Mean(const std::vector<LrPoint>& points, size_t from, size_t count) {
  double sum = 0;
  for (size_t i = from; i < from + count; ++i) sum += points[i].loss;
  return sum / static_cast<double>(count);
}

// With two digits.
double Rounded(double value) {
  return std::strtod(absl::StrFormat("%.1e", value).c_str(), nullptr);
}

}  // namespace

double LrRange::At(int64_t step) const {
  return low * std::pow(high / low, static_cast<double>(step) / static_cast<double>(steps - 1));
}

absl::StatusOr<LrCurve> RaiseLr(const LrRange& range,
                                const std::function<absl::StatusOr<double>(double lr)>& step) {
  LrCurve curve;
  for (int64_t i = 0; i < range.steps; ++i) {
    const double lr = range.At(i);
    const auto loss = step(lr);
    const bool finite = loss.ok() && std::isfinite(*loss);
    if (!loss.ok() && (!absl::IsAborted(loss.status()) || i < kLeastPoints)) return loss.status();
    if (!finite && i < kLeastPoints) {
      return absl::AbortedError(absl::StrCat("the loss is not finite at learning rate ", lr));
    }
    if (finite) curve.points.push_back({lr, *loss});
    const size_t n = curve.points.size();
    const bool large =
        n >= 2 * kFew &&
        Mean(curve.points, n - kFew, kFew) >
            Mean(curve.points, 0, kFew) + (kTooLarge - 1) * std::abs(Mean(curve.points, 0, kFew));
    if (!finite || large) {
      curve.diverged = true;
      break;
    }
  }
  return curve;
}

std::vector<double> SmoothLosses(const std::vector<LrPoint>& points) {
  const auto reach = static_cast<int64_t>(3 * kWidth), n = static_cast<int64_t>(points.size());
  std::vector<double> smooth(points.size());
  for (int64_t i = 0; i < n; ++i) {
    // As far to one side as to the other, so that the ends do not lag.
    const int64_t side = std::min({reach, i, n - 1 - i});
    double sum = 0, weights = 0;
    for (int64_t j = i - side; j <= i + side; ++j) {
      const double distance = static_cast<double>(j - i) / kWidth;
      const double weight = std::exp(-distance * distance / 2);
      sum += weight * points[j].loss;
      weights += weight;
    }
    smooth[i] = sum / weights;
  }
  return smooth;
}

std::optional<LrSuggestion> SuggestLr(const std::vector<LrPoint>& points) {
  const auto n = static_cast<int64_t>(points.size());
  if (n < kLeastPoints) return std::nullopt;
  const std::vector<double> smooth = SmoothLosses(points);
  const int64_t lowest = std::min_element(smooth.begin() + kFew, smooth.end() - 1) - smooth.begin();
  // The noise of single losses, from their distances to the curve.
  std::vector<double> distances;
  for (int64_t i = 0; i <= lowest; ++i) distances.push_back(std::abs(points[i].loss - smooth[i]));
  std::nth_element(distances.begin(), distances.begin() + distances.size() / 2, distances.end());
  const double noise = 1.5 * distances[distances.size() / 2];
  const double start = Mean(points, 0, kFew), fall = start - smooth[lowest];
  if (fall <= 0.01 * std::abs(start) || fall <= 2 * noise) return std::nullopt;

  int64_t steepest = 0;
  double slope = 0;
  for (int64_t i = 1; i < lowest; ++i) {
    const double here =
        (smooth[i + 1] - smooth[i - 1]) / (std::log(points[i + 1].lr) - std::log(points[i - 1].lr));
    if (here < slope) {
      slope = here;
      steepest = i;
    }
  }
  if (steepest == 0) return std::nullopt;
  const double lr = std::sqrt(points[steepest].lr * points[lowest].lr);
  return LrSuggestion{Rounded(lr), points[steepest].lr, points[lowest].lr};
}

}  // namespace moco
