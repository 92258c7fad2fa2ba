#include "moco/before/lr_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/rng.h"
#include "moco/before/lr_page.h"

namespace moco {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Gradient descent on a noisy quadratic in several dimensions, whose largest curvature is `sharp`:
// it diverges at rates above 2 / sharp.
class Quadratic {
 public:
  explicit Quadratic(double sharp, uint64_t seed = 1)
      : weights_(5, 1.0), rng_(seed, base::Purpose::kTest) {
    for (double share : {1.0, 0.5, 0.3, 0.2, 0.1}) curvatures_.push_back(sharp * share);
  }

  absl::StatusOr<double> Step(double lr) {
    double loss = curvatures_[0];  // so that noise does not make it negative
    for (size_t i = 0; i < weights_.size(); ++i) {
      double& w = weights_[i];
      const double h = curvatures_[i];
      loss += h * w * w / 2;
      w -= lr * h * (w + 0.1 * rng_.Uniform(-1, 1));
    }
    return loss * (1 + 0.02 * rng_.Uniform(-1, 1));
  }

 private:
  std::vector<double> weights_, curvatures_;
  base::Rng rng_;
};

LrCurve CurveOf(double sharp, uint64_t seed = 1) {
  Quadratic problem(sharp, seed);
  return RaiseLr(LrRange(), [&](double lr) { return problem.Step(lr); }).value();
}

TEST(LrSearchTest, RatesAreAGeometricSeries) {
  const LrRange range{.low = 1e-3, .high = 10, .steps = 5};
  for (int64_t i = 0; i < 5; ++i) EXPECT_NEAR(range.At(i), 1e-3 * std::pow(10, i), 1e-9) << i;
}

// The suggestion follows the edge of stability over four powers of ten. The loss stalls before it,
// where the noise of the gradients outweighs the progress.
TEST(LrSearchTest, TheSuggestionFollowsTheEdge) {
  for (const double edge : {0.003, 0.05, 1.0, 20.0}) {
    for (const uint64_t seed : {1, 2, 3}) {
      const LrCurve curve = CurveOf(2 / edge, seed);
      EXPECT_TRUE(curve.diverged);
      EXPECT_LT(curve.points.back().lr, 10 * edge);
      const auto suggestion = SuggestLr(curve.points);
      ASSERT_TRUE(suggestion) << edge;
      EXPECT_LT(suggestion->stall, edge) << seed;
      EXPECT_GT(suggestion->stall, edge / 6) << seed;
      EXPECT_LT(suggestion->lr, suggestion->stall);
      EXPECT_GT(suggestion->lr, edge / 50) << seed;
    }
  }
}

TEST(LrSearchTest, LossesThatDoNotFallGiveNoSuggestion) {
  base::Rng rng(1, base::Purpose::kTest);
  const LrRange range;
  std::vector<LrPoint> flat, rising;
  for (int64_t i = 0; i < range.steps; ++i) {
    const double noise = 0.1 * rng.Uniform(-1, 1);
    flat.push_back({range.At(i), 5 + noise});
    rising.push_back({range.At(i), 5 + 0.01 * i + noise});
  }
  EXPECT_FALSE(SuggestLr(flat));
  EXPECT_FALSE(SuggestLr(rising));
  EXPECT_FALSE(SuggestLr({}));
  EXPECT_FALSE(SuggestLr({flat.begin(), flat.begin() + 5}));
}

TEST(LrSearchTest, LossesThatAreNotFiniteEndTheTest) {
  const auto until = [](double most, double then) {
    return RaiseLr(LrRange(), [=](double lr) -> absl::StatusOr<double> {
      if (lr < most) return 5 - lr;
      if (then > 0) return then;
      return absl::AbortedError("not finite");
    });
  };
  for (const double then : {-1.0, std::numeric_limits<double>::infinity()}) {
    const auto late = until(0.1, then);
    ASSERT_TRUE(late.ok()) << late.status();
    EXPECT_TRUE(late->diverged);
    EXPECT_LT(late->points.back().lr, 0.1);
    EXPECT_TRUE(absl::IsAborted(until(1e-5, then).status()));
  }
  const auto broken = RaiseLr(LrRange(), [](double) -> absl::StatusOr<double> {
    return absl::DataLossError("too many damaged images");
  });
  EXPECT_EQ(broken.status().code(), absl::StatusCode::kDataLoss);
}

LrTest MakeTest() {
  LrTest test;
  test.curve = CurveOf(2);
  test.suggestion = SuggestLr(test.curve.points);
  test.place = "the <demo>";
  test.images = 5000;
  test.batch = 128;
  test.encoder = "resnet18";
  test.optimizer = "sgd";
  test.queue = 64 * 128;
  test.queue_of_run = 65536;
  test.filling = 64;
  test.chance = 9;
  test.lr = 30;
  return test;
}

TEST(LrPageTest, SaysTheRateAndWhatItCost) {
  LrTest test = MakeTest();
  const std::string page = LrPage(test);
  EXPECT_THAT(page,
              AllOf(HasSubstr(absl::StrCat("--lr=", test.suggestion->lr)), HasSubstr("too high"),
                    HasSubstr("the &#60;demo&#62;"), HasSubstr("ended early"), HasSubstr("8,192"),
                    HasSubstr("65,536"), HasSubstr("\"chance\""), HasSubstr("\"log\":true")));
  test.lr = 1.5 * test.suggestion->lr;
  test.queue_of_run = test.queue;
  EXPECT_THAT(LrPage(test), AllOf(Not(HasSubstr("too high,")), Not(HasSubstr("8,192 keys"))));
  test.suggestion.reset();
  EXPECT_THAT(LrPage(test), AllOf(HasSubstr("No suggestion"), Not(HasSubstr("--lr="))));
}

}  // namespace
}  // namespace moco
