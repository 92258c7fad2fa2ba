#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/format_count.h"
#include "data/contact_sheet.h"
#include "data/encode.h"
#include "moco/report/image_features.h"
#include "page/html.h"

namespace report {
namespace {

using base::FormatCount;
using page::HtmlText;

constexpr char kScript[] =
#include "moco/report/feature_map.js.inc"
    ;

constexpr int64_t kMapImages = 2000;
constexpr int kTile = 48, kColumns = 40, kQuality = 75;  // of the map's pictures
constexpr int kMostClusters = 20, kClustersWithoutLabels = 10;

// The first two principal components of the rows (n x D): n x 2, with the shares of the variance.
// By subspace iteration, because cv::PCA decomposes a D x D matrix, which takes minutes.
cv::Mat Project(cv::Mat rows, double shares[2]) {
  constexpr int kDirections = 4, kIterations = 30;
  cv::Mat mean;
  cv::reduce(rows, mean, 0, cv::REDUCE_AVG);
  for (int i = 0; i < rows.rows; ++i) rows.row(i) -= mean;
  cv::Mat directions(rows.cols, kDirections, CV_32F);
  cv::RNG rng(1);
  rng.fill(directions, cv::RNG::NORMAL, 0, 1);
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    for (int d = 0; d < kDirections; ++d) {  // Gram-Schmidt
      for (int e = 0; e < d; ++e) {
        const cv::Mat along = directions.col(e) * directions.col(e).dot(directions.col(d));
        directions.col(d) -= along;
      }
      const double length = cv::norm(directions.col(d));
      if (length > 1e-12) directions.col(d) *= 1 / length;
    }
    if (iteration + 1 < kIterations) directions = rows.t() * (rows * directions);
  }
  const cv::Mat points = rows * directions;  // of all directions, the largest variance first
  const double all = rows.dot(rows);
  for (int d = 0; d < 2; ++d) {
    shares[d] = all > 0 ? points.col(d).dot(points.col(d)) / all : 0;
  }
  return points.colRange(0, 2).clone();
}

// The cluster of each row, by k-means on all dimensions: from the largest cluster to the smallest.
std::vector<int> Clusters(const cv::Mat& units, int count) {
  count = std::min(count, units.rows);
  cv::Mat found;
  cv::theRNG() = cv::RNG(1);  // the same clusters each time
  cv::kmeans(units, count, found,
             cv::TermCriteria(cv::TermCriteria::COUNT + cv::TermCriteria::EPS, 20, 1e-4),
             /*attempts=*/2, cv::KMEANS_PP_CENTERS);
  std::vector<std::pair<int, int>> sizes(
      count);  // negative, so that sorting puts the largest first
  for (int c = 0; c < count; ++c) sizes[c] = {0, c};
  for (int i = 0; i < units.rows; ++i) --sizes[found.at<int>(i)].first;
  std::sort(sizes.begin(), sizes.end());
  std::vector<int> place(count), clusters;
  for (int c = 0; c < count; ++c) place[sizes[c].second] = c;
  for (int i = 0; i < units.rows; ++i) clusters.push_back(place[found.at<int>(i)]);
  return clusters;
}

}  // namespace

absl::StatusOr<FeatureSections> FeatureMap(const ImageFeatures& features) {
  const auto all = static_cast<int64_t>(features.names.size());
  const std::vector<int64_t> rows = Spaced(all, kMapImages);
  auto units = UnitRows(features, features.now, rows);
  if (!units.ok()) return units.status();

  std::map<std::string, int> classes;  // numbers, in the order of the names
  for (const int64_t row : rows) {
    if (!features.labels[row].empty()) classes.emplace(features.labels[row], 0);
  }
  nlohmann::json names = nlohmann::json::array();
  for (auto& [name, number] : classes) {
    number = static_cast<int>(names.size());
    names.push_back(name);
  }
  const int clusters = classes.size() > 1
                           ? std::min(static_cast<int>(classes.size()), kMostClusters)
                           : kClustersWithoutLabels;
  nlohmann::json map = {
      {"x", nlohmann::json::array()},          {"y", nlohmann::json::array()},
      {"names", nlohmann::json::array()},      {"labels", nlohmann::json::array()},
      {"classes", std::move(names)},           {"columns", kColumns},
      {"clusters", Clusters(*units, clusters)}};
  double shares[2];
  const cv::Mat points = Project(*units, shares);
  for (size_t i = 0; i < rows.size(); ++i) {
    const int row = static_cast<int>(i);
    map["x"].push_back(std::round(1e4 * points.at<float>(row, 0)) / 1e4);
    map["y"].push_back(std::round(1e4 * points.at<float>(row, 1)) / 1e4);
    map["names"].push_back(features.names[rows[i]]);
    const std::string& label = features.labels[rows[i]];
    map["labels"].push_back(label.empty() ? -1 : classes[label]);
  }

  FeatureSections result;
  result.script = kScript;
  result.section = absl::StrCat(
      "<section><h2>Map of the features</h2><p class=\"quiet\">",
      static_cast<int64_t>(rows.size()) < all ? "A sample of " : "", FormatCount(rows.size()),
      " images by the first two principal components of their features, ",
      absl::StrFormat("which hold %.1f and %.1f %% of the variance", 100 * shares[0],
                      100 * shares[1]),
      ". Images that are close here may be far apart in the other dimensions. Clusters are those "
      "of k-means on all dimensions. Point at a dot for its image.</p><div class=\"bar\" "
      "id=\"feature-bar\"></div><div class=\"map\" id=\"feature-map\"><canvas role=\"img\" "
      "aria-label=\"Map of ",
      rows.size(), " images\"></canvas></div><div class=\"key\" id=\"feature-key\"></div>",
      "<noscript>The map needs JavaScript.</noscript>");
  if (features.dataset != nullptr) {
    std::vector<int64_t> indices;
    for (const int64_t row : rows) indices.push_back(features.indices[row]);
    const cv::Mat sheet = data::ContactSheet(*features.dataset, indices, kColumns, kTile);
    absl::StrAppend(&result.section,
                    "<img id=\"feature-sheet\" hidden alt=\"\" src=\"data:image/jpeg;base64,",
                    absl::Base64Escape(data::EncodeJpeg(sheet, kQuality)), "\">");
  } else {
    absl::StrAppend(&result.section,
                    "<p class=\"quiet\">There are no pictures: ", HtmlText(features.no_dataset),
                    ".</p>");
  }
  result.section += "</section>\n";
  result.data.emplace_back("feature-map-data", std::move(map));
  return result;
}

}  // namespace report
