// 20,000 draws of every parameter against the distributions that torchvision 0.26 defines: by
// Kolmogorov and Smirnov where they are continuous, by chi-square where they are discrete. A
// correct drawer fails a test for one seed in a thousand; the seed is fixed.
#include "augment/draws.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "augment/augmentation.h"
#include "augment/ops.h"

namespace augment {
namespace {

constexpr int kDraws = 20000;

base::Rng Stream(uint64_t sample) { return base::Rng(11, base::Purpose::kTest, 0, sample); }

// The distance between the samples' distribution and `cdf`, at most 1.949 / sqrt(n).
void ExpectDistributed(const std::string& what, std::vector<double> samples,
                       const std::function<double(double)>& cdf) {
  const double n = samples.size();
  ASSERT_GT(n, 0);
  std::sort(samples.begin(), samples.end());
  double distance = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const double p = cdf(samples[i]);
    distance = std::max({distance, p - i / n, (i + 1) / n - p});
  }
  EXPECT_LE(distance * std::sqrt(n), 1.949) << what;
}

void ExpectUniform(const std::string& what, const std::vector<double>& samples, double low,
                   double high) {
  ExpectDistributed(what, samples,
                    [=](double x) { return std::clamp((x - low) / (high - low), 0.0, 1.0); });
}

// Counts of classes against their probabilities; the critical value by Wilson and Hilferty.
void ExpectShares(const std::string& what, const std::vector<int>& counts,
                  const std::vector<double>& probabilities) {
  ASSERT_EQ(counts.size(), probabilities.size());
  double n = 0, statistic = 0;
  for (const int count : counts) n += count;
  for (size_t i = 0; i < counts.size(); ++i) {
    const double expected = n * probabilities[i];
    ASSERT_GT(expected, 5) << what << " " << i;
    statistic += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  const double spread = 2.0 / 9 / (counts.size() - 1);
  EXPECT_LE(statistic, (counts.size() - 1) * std::pow(1 - spread + 3.090 * std::sqrt(spread), 3))
      << what;
}

// --- Crops ---

// Images so large that rounding to whole pixels does not show.
std::vector<cv::Rect> Crops(const cv::Size& image, const CropRange& range) {
  std::vector<cv::Rect> crops;
  for (int i = 0; i < kDraws; ++i) {
    base::Rng rng = Stream(i);
    crops.push_back(DrawCrop(rng, image, range));
  }
  return crops;
}

constexpr double kThreeQuarters = 3.0 / 4, kFourThirds = 4.0 / 3;
const double kLogFourThirds = std::log(kFourThirds);

TEST(CropTest, AreaIsUniformRatioLogUniformPlaceUniform) {
  const cv::Size image(40'000'000, 30'000'000);
  std::vector<double> shares, ratios, x, y;
  std::vector<int> cells(16);  // of both, in quarters
  for (const cv::Rect& box : Crops(image, {0.08, 0.5, kThreeQuarters, kFourThirds})) {
    ASSERT_EQ(box & cv::Rect({}, image), box);
    shares.push_back(static_cast<double>(box.width) / image.width * box.height / image.height);
    ratios.push_back(std::log(static_cast<double>(box.width) / box.height));
    x.push_back((box.x + 0.5) / (image.width - box.width + 1));
    y.push_back((box.y + 0.5) / (image.height - box.height + 1));
    const auto quarter = [](double of) { return std::clamp(static_cast<int>(4 * of), 0, 3); };
    ++cells[4 * quarter((shares.back() - 0.08) / 0.42) +
            quarter((ratios.back() / kLogFourThirds + 1) / 2)];
  }
  ExpectUniform("share of the area", shares, 0.08, 0.5);
  ExpectUniform("logarithm of the ratio", ratios, -kLogFourThirds, kLogFourThirds);
  ExpectUniform("x", x, 0, 1);
  ExpectUniform("y", y, 0, 1);
  ExpectShares("share and ratio together", cells, std::vector<double>(16, 1.0 / 16));
}

// MoCo v2's crops of a square: shapes that do not fit are drawn again, which a share s escapes with
// the probability of |log ratio| <= -log s.
TEST(CropTest, ShapesThatDoNotFitAreDrawnAgain) {
  const cv::Size image(40'000'000, 40'000'000);
  std::vector<double> shares, ratios;
  for (const cv::Rect& box : Crops(image, {0.2, 1, kThreeQuarters, kFourThirds})) {
    shares.push_back(static_cast<double>(box.width) / image.width * box.height / image.height);
    ratios.push_back(std::log(static_cast<double>(box.width) / box.height));
  }
  const auto below_share = [](double s) {
    const auto integral = [](double t) { return (t - t * std::log(t)) / kLogFourThirds; };
    return s <= 0.75 ? s - 0.2 : 0.55 + integral(std::min(s, 1.0)) - integral(0.75);
  };
  ExpectDistributed("share of the area", shares,
                    [&](double s) { return below_share(s) / below_share(1); });
  const auto within_ratio = [](double u) { return 1 - std::exp(-u) - 0.2 * u; };  // 0 to u
  ExpectDistributed("logarithm of the ratio", ratios, [&](double u) {
    return 0.5 + std::copysign(within_ratio(std::abs(u)) / within_ratio(kLogFourThirds) / 2, u);
  });
}

// An image three times as wide as high: a shape fits when its share is at most a third of its
// ratio.
TEST(CropTest, AfterTenShapesThatDoNotFitTheCentreIsTaken) {
  const cv::Size wide(30'000'000, 10'000'000), high(10'000'000, 30'000'000);
  const double fits = (std::sinh(kLogFourThirds) / kLogFourThirds / 3 - 0.2) / 0.8;
  const double none = std::pow(1 - fits, 10);
  for (const auto& [image, centre] :
       {std::pair(wide, cv::Rect((30'000'000 - 13'333'333) / 2, 0, 13'333'333, 10'000'000)),
        std::pair(high, cv::Rect(0, (30'000'000 - 13'333'333) / 2, 10'000'000, 13'333'333))}) {
    int centres = 0;
    for (const cv::Rect& box : Crops(image, {0.2, 1, kThreeQuarters, kFourThirds})) {
      centres += box == centre;
    }
    ExpectShares("the centre", {centres, kDraws - centres}, {none, 1 - none});
  }
  base::Rng rng = Stream(0);  // an allowed ratio, but no share that fits
  EXPECT_EQ(DrawCrop(rng, {50, 50}, {2, 3, 1, 1}), cv::Rect(0, 0, 50, 50));
}

// --- Colours ---

TEST(ColourTest, AmountsAreUniformAndEveryOrderIsAsLikely) {
  std::map<Colour, std::vector<double>> amounts;
  std::map<std::vector<Colour>, int> orders;
  for (int i = 0; i < kDraws; ++i) {
    base::Rng rng = Stream(i);
    std::vector<Colour> order;
    for (const auto& [colour, amount] : DrawColourChanges(rng, {0.4, 0.3, 2, 0.1})) {
      order.push_back(colour);
      amounts[colour].push_back(amount);
    }
    ++orders[order];
  }
  ExpectUniform("brightness", amounts[Colour::kBrightness], 0.6, 1.4);
  ExpectUniform("contrast", amounts[Colour::kContrast], 0.7, 1.3);
  ExpectUniform("saturation", amounts[Colour::kSaturation], 0, 3);
  ExpectUniform("hue", amounts[Colour::kHue], -0.1, 0.1);
  std::vector<int> counts;
  for (const auto& [order, count] : orders) counts.push_back(count);
  ASSERT_EQ(counts.size(), 24u);
  ExpectShares("order", counts, std::vector<double>(24, 1.0 / 24));
}

TEST(ColourTest, WhatHasNoAmountIsLeftOut) {
  base::Rng rng = Stream(0);
  const auto changes = DrawColourChanges(rng, {0, 0.4, 0, 0});
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].colour, Colour::kContrast);
}

// --- What is seen through the augmentation itself ---

cv::Mat Edge() {
  cv::Mat image(8, 8, CV_8UC3, cv::Scalar::all(0));
  image.colRange(3, 8).setTo(cv::Scalar(255, 200, 100));
  return image;
}

TEST(ProbabilityTest, IsThatOfTheSpec) {
  const cv::Mat image = Edge();
  for (const auto& [spec, p] : std::vector<std::pair<std::string, double>>{
           {"flip", 0.5},
           {"flip:p=0.1", 0.1},
           {"grayscale", 0.2},
           {"gaussian_blur:radius_min=1", 0.5},
           {"color_jitter:p=0.8,brightness=0.4,contrast=0.4,saturation=0.4,hue=0.1", 0.8}}) {
    const Pipeline pipeline = Pipeline::Create(spec).value();
    int changed = 0;
    for (int i = 0; i < kDraws; ++i) {
      base::Rng rng = Stream(i);
      changed += cv::norm(pipeline(image, rng), image, cv::NORM_INF) > 0;
    }
    ExpectShares(spec, {changed, kDraws - changed}, {p, 1 - p});
  }
}

TEST(ProbabilityTest, NeverAndAlways) {
  const cv::Mat image = Edge();
  for (int i = 0; i < 1000; ++i) {
    base::Rng rng = Stream(i);
    EXPECT_EQ(cv::norm(Pipeline::Create("flip:p=0").value()(image, rng), image, cv::NORM_INF), 0);
    EXPECT_GT(cv::norm(Pipeline::Create("flip:p=1").value()(image, rng), image, cv::NORM_INF), 0);
  }
}

// A pixel beside an edge grows darker with the radius, in steps; between two steps lies a known
// share of all radii.
TEST(BlurTest, RadiusIsUniform) {
  const cv::Mat image = Edge();
  const auto seen = [&](const cv::Mat& blurred) {
    return static_cast<int>(blurred.at<cv::Vec3b>(4, 3)[0]);
  };
  std::map<int, double> shares;  // by what is seen
  double low = 0.1;
  while (low < 2) {
    const int value = seen(GaussianBlur(image, low));
    double inside = low, outside = 2;  // by bisection, where another value is seen
    if (seen(GaussianBlur(image, outside)) == value) inside = outside;
    while (outside - inside > 1e-6) {
      const double middle = (inside + outside) / 2;
      (seen(GaussianBlur(image, middle)) == value ? inside : outside) = middle;
    }
    shares[value] += (outside - low) / 1.9;
    low = outside;
  }
  ASSERT_GT(shares.size(), 50u);
  std::map<int, int> counts;
  const Pipeline pipeline =
      Pipeline::Create("gaussian_blur:p=1,radius_min=0.1,radius_max=2").value();
  for (int i = 0; i < kDraws; ++i) {
    base::Rng rng = Stream(i);
    ++counts[seen(pipeline(image, rng))];
  }
  // Neighbouring values together until each class has 1% of the radii.
  std::vector<int> observed(1);
  std::vector<double> expected(1);
  for (const auto& [value, share] : shares) {
    if (expected.back() > 0.01) {
      observed.push_back(0);
      expected.push_back(0);
    }
    observed.back() += counts[value];
    expected.back() += share;
  }
  ExpectShares("radius", observed, expected);
}

// --- The tests themselves ---

// A ratio that is uniform instead of its logarithm would be noticed: the distance is 0.07.
TEST(StatisticsTest, TellDistributionsApart) {
  std::vector<double> ratios;
  std::vector<int> counts(2);
  for (int i = 0; i < kDraws; ++i) {
    base::Rng rng = Stream(i);
    ratios.push_back(std::log(rng.Uniform(kThreeQuarters, kFourThirds)));
    ++counts[rng.Bernoulli(0.52)];
  }
  EXPECT_NONFATAL_FAILURE(ExpectUniform("", ratios, -kLogFourThirds, kLogFourThirds), "");
  EXPECT_NONFATAL_FAILURE(ExpectShares("", counts, {0.5, 0.5}), "");
}

}  // namespace
}  // namespace augment
