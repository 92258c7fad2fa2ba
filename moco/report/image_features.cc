#include "moco/report/image_features.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <opencv2/core.hpp>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/format_count.h"
#include "data/decode.h"
#include "moco/report/picture.h"
#include "page/html.h"

namespace report {
namespace {

using base::FormatCount;
using page::HtmlText;

constexpr int64_t kQueries = 12;
constexpr size_t kNeighbours = 6;
constexpr int kSide = 96;         // pixels of a picture
constexpr int64_t kBlock = 4096;  // rows read at a time

struct Neighbour {
  int64_t row = -1;
  float cosine = -2;
};

std::vector<int64_t> Queries(const std::vector<std::string>& labels) {
  const auto size = static_cast<int64_t>(labels.size());
  std::set<std::string> seen;
  std::vector<int64_t> firsts;  // of each class
  for (int64_t row = 0; row < size; ++row) {
    if (!labels[row].empty() && seen.insert(labels[row]).second) firsts.push_back(row);
  }
  std::vector<int64_t> queries;
  for (const int64_t i : Spaced(static_cast<int64_t>(firsts.size()), kQueries)) {
    queries.push_back(firsts[i]);
  }
  for (const int64_t row : Spaced(size, kQueries)) {
    if (static_cast<int64_t>(queries.size()) == kQueries) break;
    if (std::find(queries.begin(), queries.end(), row) == queries.end()) queries.push_back(row);
  }
  return queries;
}

// The nearest rows of each query, the nearest first, without the query itself.
absl::StatusOr<std::vector<std::vector<Neighbour>>> Nearest(const ImageFeatures& features,
                                                            const tensors::NpyMatrix& matrix,
                                                            const std::vector<int64_t>& queries) {
  const auto wanted = UnitRows(features, matrix, queries);
  if (!wanted.ok()) return wanted.status();
  std::vector<std::vector<Neighbour>> nearest(queries.size());
  for (int64_t from = 0; from < matrix.rows(); from += kBlock) {
    std::vector<int64_t> rows(std::min(kBlock, matrix.rows() - from));
    std::iota(rows.begin(), rows.end(), from);
    const auto block = UnitRows(features, matrix, rows);
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
    matrix.Release(from);
  }
  return nearest;
}

// A picture of a row's image, or its name where it cannot be read.
std::string Shown(const ImageFeatures& features, int64_t row, const std::string& more) {
  const std::string& label = features.labels[row];
  const std::string title =
      absl::StrCat(features.names[row], label.empty() ? "" : ", ", label, more);
  if (features.dataset != nullptr) {
    const auto image = data::ReadImageAt(*features.dataset, features.indices[row]);
    if (image.ok()) return Picture(data::ToRgb8(*image), title, kSide);
  }
  return absl::StrCat("<span>", HtmlText(title), "</span>");
}

// The neighbours of `query`; those of its class have a frame.
std::string Row(const ImageFeatures& features, int64_t query,
                const std::vector<Neighbour>& nearest) {
  const std::string& label = features.labels[query];
  std::string html;
  for (const Neighbour& n : nearest) {
    const bool same = !label.empty() && features.labels[n.row] == label;
    absl::StrAppend(&html, same ? "<td class=\"same\">" : "<td>",
                    Shown(features, n.row, absl::StrFormat(", cosine %.3f", n.cosine)));
  }
  return html;
}

}  // namespace

std::vector<int64_t> Spaced(int64_t size, int64_t count) {
  std::vector<int64_t> rows;
  count = std::min(size, count);
  for (int64_t i = 0; i < count; ++i) rows.push_back(i * size / count);
  return rows;
}

absl::StatusOr<cv::Mat> UnitRows(const ImageFeatures& features, const tensors::NpyMatrix& matrix,
                                 const std::vector<int64_t>& rows) {
  cv::Mat units(static_cast<int>(rows.size()), static_cast<int>(matrix.columns()), CV_32F);
  for (size_t i = 0; i < rows.size(); ++i) {
    auto* out = units.ptr<float>(static_cast<int>(i));
    matrix.Read(rows[i], 1, out);
    for (int64_t c = 0; c < matrix.columns(); ++c) {
      if (std::isfinite(out[c])) continue;
      return absl::InvalidArgumentError(absl::StrCat("'", matrix.path(), "' row ", rows[i],
                                                     ", of '", features.names[rows[i]], "', holds ",
                                                     out[c], "; features must be finite"));
    }
    cv::Mat row = units.row(static_cast<int>(i));
    const double length = cv::norm(row);
    if (length > 0) row *= 1 / length;
  }
  return units;
}

absl::StatusOr<std::string> NeighbourSection(const ImageFeatures& features) {
  const std::vector<int64_t> queries = Queries(features.labels);
  const auto now = Nearest(features, features.now, queries);
  if (!now.ok()) return now.status();
  absl::StatusOr<std::vector<std::vector<Neighbour>>> then;
  if (features.before) {
    then = Nearest(features, *features.before, queries);
    if (!then.ok()) return then.status();
  }
  const bool labelled = std::any_of(features.labels.begin(), features.labels.end(),
                                    [](const std::string& label) { return !label.empty(); });
  std::string html = absl::StrCat(
      "<section><h2>Nearest neighbours</h2><p class=\"quiet\">Left: ", queries.size(),
      " images, chosen without regard to the features. Beside each: the most similar ones of all ",
      FormatCount(static_cast<int64_t>(features.names.size())),
      features.before ? absl::StrCat(", now and, below, ", features.before_name, ".") : ".",
      labelled ? " Framed: images of the same class. Training uses no labels." : "",
      "</p><div class=\"neighbours\">");
  for (size_t q = 0; q < queries.size(); ++q) {
    absl::StrAppend(&html, "<div class=\"scroll\"><table><tr><td>", Shown(features, queries[q], ""),
                    Row(features, queries[q], (*now)[q]), "</tr>");
    if (features.before) {
      absl::StrAppend(&html, "<tr><td class=\"quiet\">", HtmlText(features.before_name),
                      Row(features, queries[q], (*then)[q]), "</tr>");
    }
    html += "</table></div>";
  }
  return html + "</div></section>\n";
}

absl::StatusOr<FeatureSections> ShowFeatures(const ImageFeatures& features) {
  auto shown = FeatureMap(features);
  if (!shown.ok()) return shown.status();
  const auto neighbours = NeighbourSection(features);
  if (!neighbours.ok()) return neighbours.status();
  shown->section += *neighbours;
  return shown;
}

}  // namespace report
