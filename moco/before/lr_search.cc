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
constexpr double kWidth = 5;     // steps, a quarter of a power of ten: the deviation of the weights
constexpr double kLeastFall = 0.01;   // of the first losses
constexpr double kRisenAgain = 0.25;  // of the fall
constexpr double kStalled = 0.25;     // of the steepest slope
constexpr int64_t kLeastPoints = 3 * kFew;

double Mean(const std::vector<LrPoint>& points, size_t from, size_t count) {
  double sum = 0;
  for (size_t i = from; i < from + count; ++i) sum += points[i].loss;
  return sum / static_cast<double>(count);
}

// The line that fits the losses near a point best.
struct Line {
  double value = 0, slope = 0;  // at the point; by the logarithm of the rate
};

// Weighted linear regression around each point (Cleveland, "Robust locally weighted regression and
// smoothing scatterplots", JASA 74, 1979). Unlike means, lines do not lag at the ends.
std::vector<Line> Lines(const std::vector<LrPoint>& points) {
  const auto reach = static_cast<int64_t>(2.5 * kWidth), n = static_cast<int64_t>(points.size());
  std::vector<Line> lines(points.size());
  for (int64_t i = 0; i < n; ++i) {
    double weights = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (int64_t j = std::max<int64_t>(0, i - reach); j <= std::min(n - 1, i + reach); ++j) {
      const double steps = static_cast<double>(j - i) / kWidth;
      const double weight = std::exp(-steps * steps / 2);
      const double dx = std::log(points[j].lr / points[i].lr);
      weights += weight;
      x += weight * dx;
      y += weight * points[j].loss;
      xx += weight * dx * dx;
      xy += weight * dx * points[j].loss;
    }
    const double spread = weights * xx - x * x;
    lines[i].slope = spread > 0 ? (weights * xy - x * y) / spread : 0;
    lines[i].value = (y - lines[i].slope * x) / weights;
  }
  return lines;
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
  std::vector<double> smooth;
  for (const Line& line : Lines(points)) smooth.push_back(line.value);
  return smooth;
}

std::optional<LrSuggestion> SuggestLr(const std::vector<LrPoint>& points) {
  const auto n = static_cast<int64_t>(points.size());
  if (n < kLeastPoints) return std::nullopt;
  const std::vector<Line> lines = Lines(points);
  // The noise of single losses: their distances to the curve have this median.
  std::vector<double> distances;
  for (int64_t i = 0; i < n; ++i) distances.push_back(std::abs(points[i].loss - lines[i].value));
  std::nth_element(distances.begin(), distances.begin() + n / 2, distances.end());
  const double noise = 1.5 * distances[n / 2];

  // The descent ends where the loss has risen again; what falls behind that is a part of the
  // chaos.
  const double start = Mean(points, 0, kFew);
  double lowest = start;
  int64_t end = n;
  for (int64_t i = 0; i < n && end == n; ++i) {
    lowest = std::min(lowest, lines[i].value);
    const double risen = lines[i].value - lowest;
    if (risen > 2 * noise && risen > kRisenAgain * (start - lowest)) end = i;
  }
  if (start - lowest <= kLeastFall * std::abs(start) || start - lowest <= 2 * noise) {
    return std::nullopt;
  }
  // Slopes at the ends are uncertain.
  const auto margin = static_cast<int64_t>(kWidth);
  end = std::min(end, n - margin);
  int64_t steepest = margin;
  for (int64_t i = margin; i < end; ++i) {
    if (lines[i].slope < lines[steepest].slope) steepest = i;
  }
  if (lines[steepest].slope >= 0) return std::nullopt;
  int64_t stall = steepest;
  while (stall + 1 < end && lines[stall].slope < kStalled * lines[steepest].slope) ++stall;
  return LrSuggestion{Rounded(points[steepest].lr), points[stall].lr};
}

}  // namespace moco
