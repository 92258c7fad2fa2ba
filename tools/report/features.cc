#include "tools/report/features.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <opencv2/core.hpp>
#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/format_count.h"
#include "data/contact_sheet.h"
#include "data/decode.h"
#include "data/encode.h"
#include "lincls/tables/feature_table.h"
#include "moco/report/picture.h"
#include "page/html.h"

namespace report {
namespace {

using base::FormatCount;
using page::HtmlText;

constexpr char kScript[] =
#include "tools/report/features.js.inc"
    ;

constexpr int64_t kMapImages = 2000, kQueries = 12, kNeighbours = 6;
constexpr int kTile = 48, kColumns = 40, kQuality = 75;  // of the map's pictures
constexpr int kSide = 96;                                // of neighbours' pictures
constexpr int64_t kBlock = 4096;                         // rows read at a time

// `count` numbers from 0 to size - 1, evenly spaced.
std::vector<int64_t> Spaced(int64_t size, int64_t count) {
  std::vector<int64_t> rows;
  count = std::min(size, count);
  for (int64_t i = 0; i < count; ++i) rows.push_back(i * size / count);
  return rows;
}

// Makes each row a unit vector; rows of zeros stay.
void Normalize(cv::Mat rows) {
  for (int i = 0; i < rows.rows; ++i) {
    const double length = cv::norm(rows.row(i));
    if (length > 0) rows.row(i) *= 1 / length;
  }
}

// Rows of the table as unit vectors: n x D.
absl::StatusOr<cv::Mat> UnitRows(const lincls::FeatureTable& table,
                                 const std::vector<int64_t>& rows) {
  cv::Mat units(static_cast<int>(rows.size()), static_cast<int>(table.features.columns()), CV_32F);
  for (size_t i = 0; i < rows.size(); ++i) {
    auto* out = units.ptr<float>(static_cast<int>(i));
    table.features.Read(rows[i], 1, out);
    if (absl::Status s = lincls::CheckFinite(table, rows[i], 1, out); !s.ok()) return s;
  }
  Normalize(units);
  return units;
}

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

struct Neighbour {
  int64_t row = -1;
  float cosine = -2;
};

// The nearest rows of each query, the nearest first, without the query itself.
absl::StatusOr<std::vector<std::vector<Neighbour>>> Nearest(const lincls::FeatureTable& table,
                                                            const std::vector<int64_t>& queries) {
  const auto wanted = UnitRows(table, queries);
  if (!wanted.ok()) return wanted.status();
  std::vector<std::vector<Neighbour>> nearest(queries.size());
  for (int64_t from = 0; from < table.size(); from += kBlock) {
    std::vector<int64_t> rows(std::min(kBlock, table.size() - from));
    std::iota(rows.begin(), rows.end(), from);
    const auto block = UnitRows(table, rows);
    if (!block.ok()) return block.status();
    const cv::Mat cosines = *wanted * block->t();
    for (size_t q = 0; q < queries.size(); ++q) {
      std::vector<Neighbour>& best = nearest[q];
      const auto* cosine = cosines.ptr<float>(static_cast<int>(q));
      for (size_t i = 0; i < rows.size(); ++i) {
        if (rows[i] == queries[q]) continue;
        const bool is_full = best.size() == kNeighbours;
        if (is_full && cosine[i] <= best.back().cosine) continue;
        if (is_full) best.pop_back();
        const auto place = std::find_if(best.begin(), best.end(),
                                        [&](const Neighbour& n) { return n.cosine < cosine[i]; });
        best.insert(place, {rows[i], cosine[i]});
      }
    }
    table.features.Release(from);
  }
  return nearest;
}

std::string ClassOf(const lincls::FeatureTable& table, int64_t row) {
  const int label = table.labels[row];
  if (label < 0) return "";
  return label < static_cast<int>(table.classes.size()) ? table.classes[label]
                                                        : absl::StrCat("class ", label);
}

// A picture of a row's image, or its name where it cannot be read.
std::string Shown(const lincls::FeatureTable& table, const lincls::TableImages& images, int64_t row,
                  const std::string& more) {
  const std::string label = ClassOf(table, row);
  const std::string title = absl::StrCat(table.files[row], label.empty() ? "" : ", ", label, more);
  const auto image = data::ReadImageAt(*images.dataset, images.indices[row]);
  if (!image.ok()) return absl::StrCat("<span>", HtmlText(title), "</span>");
  return Picture(data::ToRgb8(*image), title, kSide);
}

std::string Row(const lincls::FeatureTable& table, const lincls::TableImages& images,
                const std::vector<Neighbour>& nearest) {
  std::string html;
  for (const Neighbour& n : nearest) {
    absl::StrAppend(&html, "<td>",
                    Shown(table, images, n.row, absl::StrFormat(", cosine %.3f", n.cosine)));
  }
  return html;
}

absl::StatusOr<std::string> NeighbourSection(const lincls::FeatureTable& table,
                                             const lincls::FeatureTable* before,
                                             const lincls::TableImages& images) {
  const std::vector<int64_t> queries = Spaced(table.size(), kQueries);
  const auto now = Nearest(table, queries);
  if (!now.ok()) return now.status();
  absl::StatusOr<std::vector<std::vector<Neighbour>>> then;
  if (before != nullptr) {
    then = Nearest(*before, queries);
    if (!then.ok()) return then.status();
  }
  std::string html = absl::StrCat(
      "<section><h2>Nearest neighbours</h2><p class=\"quiet\">", queries.size(),
      " images, evenly spaced, and the most similar ones among all ", FormatCount(table.size()),
      before != nullptr ? ": by these features, and below by the earlier encoder." : ".",
      "</p><div class=\"neighbours\">");
  for (size_t q = 0; q < queries.size(); ++q) {
    absl::StrAppend(&html, "<div class=\"scroll\"><table><tr><td>",
                    Shown(table, images, queries[q], ""), Row(table, images, (*now)[q]), "</tr>");
    if (before != nullptr) {
      absl::StrAppend(&html, "<tr><td class=\"quiet\">before", Row(table, images, (*then)[q]),
                      "</tr>");
    }
    html += "</table></div>";
  }
  return html + "</div></section>\n";
}

}  // namespace

absl::StatusOr<FeatureSections> ShowFeatures(const std::string& path, const std::string& before) {
  const auto table = lincls::OpenFeatures(path);
  if (!table.ok()) return table.status();
  std::optional<lincls::FeatureTable> earlier;
  if (!before.empty()) {
    auto opened = lincls::OpenFeatures(before);
    if (!opened.ok()) return opened.status();
    if (opened->files != table->files) {
      return absl::InvalidArgumentError(absl::StrCat("'", before, "' and '", path,
                                                     "' are not of the same images; compute both "
                                                     "with the same data"));
    }
    earlier = *std::move(opened);
  }
  const auto images = lincls::OpenImages(*table);

  const std::vector<int64_t> rows = Spaced(table->size(), kMapImages);
  auto units = UnitRows(*table, rows);
  if (!units.ok()) return units.status();
  double shares[2];
  const cv::Mat points = Project(*units, shares);

  nlohmann::json map = {{"x", nlohmann::json::array()},       {"y", nlohmann::json::array()},
                        {"names", nlohmann::json::array()},   {"labels", nlohmann::json::array()},
                        {"classes", nlohmann::json::array()}, {"columns", kColumns}};
  for (size_t i = 0; i < rows.size(); ++i) {
    const int row = static_cast<int>(i);
    map["x"].push_back(std::round(1e4 * points.at<float>(row, 0)) / 1e4);
    map["y"].push_back(std::round(1e4 * points.at<float>(row, 1)) / 1e4);
    map["names"].push_back(table->files[rows[i]]);
    map["labels"].push_back(table->labels[rows[i]]);
  }
  for (const std::string& name : table->classes) map["classes"].push_back(name);

  FeatureSections result;
  result.script = kScript;
  result.section = absl::StrCat(
      "<section><h2>Map of the features</h2><p class=\"quiet\">",
      rows.size() < static_cast<size_t>(table->size()) ? "A sample of " : "All ",
      FormatCount(rows.size()), " images by the first two principal components of their features, ",
      absl::StrFormat("which hold %.1f and %.1f %% of the variance", 100 * shares[0],
                      100 * shares[1]),
      ". Images that are close here may be far apart in the other dimensions. Point at a dot for "
      "its image.</p><div class=\"map\" id=\"feature-map\"><canvas role=\"img\" aria-label=\"Map "
      "of ",
      rows.size(), " images\"></canvas></div><div class=\"key\" id=\"feature-key\"></div>",
      "<noscript>The map needs JavaScript.</noscript>");
  if (images.ok()) {
    std::vector<int64_t> indices;
    for (const int64_t row : rows) indices.push_back(images->indices[row]);
    const cv::Mat sheet = data::ContactSheet(*images->dataset, indices, kColumns, kTile);
    absl::StrAppend(&result.section,
                    "<img id=\"feature-sheet\" hidden alt=\"\" src=\"data:image/jpeg;base64,",
                    absl::Base64Escape(data::EncodeJpeg(sheet, kQuality)), "\">");
  } else {
    absl::StrAppend(&result.section, "<p class=\"quiet\">There are no pictures: ",
                    HtmlText(images.status().message()), ".</p>");
  }
  result.section += "</section>\n";
  result.data.emplace_back("feature-map-data", std::move(map));
  if (images.ok()) {
    const auto neighbours = NeighbourSection(*table, earlier ? &*earlier : nullptr, *images);
    if (!neighbours.ok()) return neighbours.status();
    result.section += *neighbours;
  }
  return result;
}

}  // namespace report
