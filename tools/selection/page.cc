#include "tools/selection/page.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <glog/logging.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "data/contact_sheet.h"
#include "data/encode.h"
#include "nlohmann/json.hpp"
#include "page/document.h"
#include "page/html.h"
#include "tools/selection/draws.h"
#include "tools/selection/plane.h"
#include "tools/selection/rows.h"
#include "tools/selection/strategy.h"

namespace selection {
namespace {

using page::HtmlText;

constexpr char kStyle[] =
#include "tools/selection/page.css.inc"
    ;
constexpr char kScript[] =
#include "tools/selection/page.js.inc"
    ;

// 12,800 with commas.
std::string Count(int64_t number) {
  std::string text = absl::StrCat(number);
  for (int place = static_cast<int>(text.size()) - 3; place > 0; place -= 3) {
    text.insert(place, 1, ',');
  }
  return text;
}

std::string Percent(double share) { return absl::StrFormat("%.1f %%", 100 * share); }

// ---- Pictures -----------------------------------------------------------------------------------

constexpr int kSheetWidth = 960, kSheetRows = 20;
constexpr int kTiles[] = {96, 64,
                          48};  // pixels; whole blocks of JPEG, so that none shows its neighbour
constexpr int64_t kPixels = 32'000'000;

struct Sheet {
  int columns = 0;
  std::vector<int64_t> images;  // of the data set
  cv::Mat pixels;
  std::string jpeg;
};

// Contact sheets of what was chosen.
struct Pictures {
  int tile = 0;
  int64_t shown = 0;
  std::vector<std::vector<Sheet>> sheets;  // of each stratum
};

// The fewer pictures there are, the larger they can be; each stratum shows as many as fit.
Pictures TakePictures(const Selection& selection, const PageOptions& options) {
  const lincls::TableImages& images = *options.images;
  std::vector<int64_t> chosen, order(selection.strata.size());
  for (const Stratum& stratum : selection.strata) chosen.push_back(stratum.chosen.size());
  std::iota(order.begin(), order.end(), 0);
  const int64_t all = std::accumulate(chosen.begin(), chosen.end(), int64_t{0});

  Pictures pictures;
  for (const int tile : kTiles) {
    pictures.tile = tile;
    if (all * tile * tile <= kPixels) break;
  }
  pictures.shown = std::min(all, kPixels / (pictures.tile * pictures.tile));
  const std::vector<int64_t> shown = ShareOut(pictures.shown, chosen, order);
  const int widest = kSheetWidth / pictures.tile;
  int64_t read = 0;
  for (size_t s = 0; s < shown.size(); ++s) {
    std::vector<Sheet>& sheets = pictures.sheets.emplace_back();
    for (int64_t from = 0; from < shown[s]; from += widest * kSheetRows) {
      const int64_t count = std::min<int64_t>(shown[s] - from, widest * kSheetRows);
      Sheet& sheet = sheets.emplace_back();
      sheet.columns = static_cast<int>(std::min<int64_t>(count, widest));
      for (int64_t i = from; i < from + count; ++i) {
        sheet.images.push_back(images.indices[selection.strata[s].chosen[i]]);
      }
      sheet.pixels =
          data::ContactSheet(*images.dataset, sheet.images, sheet.columns, pictures.tile);
      read += count;
      if (options.progress) options.progress(read, pictures.shown);
    }
  }
  // The best quality that fits. At the last one, even sheets of noise fit.
  for (const int quality : {85, 70, 50, 30}) {
    int64_t bytes = 0;
    for (std::vector<Sheet>& sheets : pictures.sheets) {
      for (Sheet& sheet : sheets) {
        sheet.jpeg = data::EncodeJpeg(sheet.pixels, quality);
        bytes += static_cast<int64_t>(sheet.jpeg.size());
      }
    }
    if (bytes <= kPicturesBytes) break;
  }
  return pictures;
}

// ---- Map ----------------------------------------------------------------------------------------

constexpr int64_t kMapOthers = 20'000;  // most dots for images that were not chosen
constexpr int64_t kPlaneRows = 10'000;  // rows from which the principal components are computed
constexpr int kMapSteps = 4095;         // steps along the wider side

// The features of some rows at unit length, as selections compare them: rows x D.
absl::StatusOr<at::Tensor> UnitRows(const lincls::FeatureTable& table,
                                    const std::vector<int64_t>& rows) {
  const int64_t dim = table.features.columns();
  at::Tensor values = at::empty({static_cast<int64_t>(rows.size()), dim}, at::kFloat);
  float* out = values.mutable_data_ptr<float>();
  for (const int64_t row : rows) {
    table.features.Read(row, 1, out);
    if (absl::Status s = lincls::CheckFinite(table, row, 1, out); !s.ok()) return s;
    const float scale = UnitScale(out, dim);
    for (int64_t d = 0; d < dim; ++d) out[d] *= scale;
    out += dim;
  }
  return values;
}

// A sample of the rows that could have been chosen, as far as the selection says, and were not.
std::vector<int64_t> SampleOthers(const Selection& selection, int64_t size, base::Rng& rng) {
  std::vector<bool> out(size);
  for (const Stratum& stratum : selection.strata) {
    for (const int64_t row : stratum.chosen) out[row] = true;
  }
  for (size_t i = 0; i < selection.clusters.size(); ++i) {
    if (selection.clusters[i] < 0) out[i] = true;
  }
  for (size_t i = 0; i < selection.energies.size(); ++i) {
    if (std::isnan(selection.energies[i])) out[i] = true;
  }
  std::vector<int64_t> others;
  for (const int64_t row : rng.Permutation(size)) {
    if (static_cast<int64_t>(others.size()) == kMapOthers) break;
    if (!out[row]) others.push_back(row);
  }
  return others;
}

struct Map {
  nlohmann::json data;  // for the script
  int64_t chosen = 0, others = 0;
  Plane plane;
};

absl::StatusOr<Map> DrawMap(const lincls::FeatureTable& table, const Selection& selection) {
  base::Rng rng = DrawsFor(selection.seed, Draw::kMap);
  const std::vector<int64_t> others = SampleOthers(selection, table.size(), rng);
  std::vector<int64_t> rows;
  for (const Stratum& stratum : selection.strata) {
    rows.insert(rows.end(), stratum.chosen.begin(), stratum.chosen.end());
  }
  Map map;
  map.chosen = rows.size();
  map.others = others.size();

  // The plane is computed from all images. The map shows every chosen image.
  std::vector<int64_t> sample = rng.Permutation(table.size());
  sample.resize(std::min(kPlaneRows, table.size()));
  const auto sampled = UnitRows(table, sample);
  if (!sampled.ok()) return sampled.status();
  map.plane = PrincipalPlane(*sampled, rng);
  rows.insert(rows.end(), others.begin(), others.end());
  std::vector<at::Tensor> parts;
  for (size_t from = 0; from < rows.size(); from += kPlaneRows) {
    const auto end = std::min<size_t>(rows.size(), from + kPlaneRows);
    const auto part = UnitRows(table, {rows.begin() + from, rows.begin() + end});
    if (!part.ok()) return part.status();
    parts.push_back(map.plane.Project(*part));
  }
  const at::Tensor points = at::cat(parts).contiguous();
  const float* value = points.const_data_ptr<float>();

  float low[2] = {value[0], value[1]}, high[2] = {value[0], value[1]};
  for (int64_t i = 0; i < points.numel(); ++i) {
    low[i % 2] = std::min(low[i % 2], value[i]);
    high[i % 2] = std::max(high[i % 2], value[i]);
  }
  const float side = std::max({high[0] - low[0], high[1] - low[1], 1e-12f});
  const auto step = [&](float x, int axis) {
    return static_cast<int>(std::lround((x - low[axis]) / side * kMapSteps));
  };
  map.data = {{"width", std::max(1, step(high[0], 0))}, {"height", std::max(1, step(high[1], 1))}};
  for (const char* key : {"chosen", "others"}) map.data[key] = {{"x", {}}, {"y", {}}};
  for (int64_t i = 0; i < points.size(0); ++i) {
    nlohmann::json& to = map.data[i < map.chosen ? "chosen" : "others"];
    to["x"].push_back(step(value[2 * i], 0));
    to["y"].push_back(step(value[2 * i + 1], 1));
  }
  nlohmann::json& names = map.data["others"]["names"] = nlohmann::json::array();
  for (const int64_t row : others) names.push_back(table.files[row]);
  return map;
}

// ---- Energies -----------------------------------------------------------------------------------

double Quantile(const std::vector<float>& sorted, double q) {
  return sorted[std::lround(q * static_cast<double>(sorted.size() - 1))];
}

// Histograms of the energies of all candidates and of the chosen images: the share of each in 40
// bins. The outermost bins also hold what lies beyond the range.
std::string Histogram(const Selection& selection) {
  constexpr int kParts = 40, kHeight = 100;
  std::vector<float> all, chosen;
  for (const float energy : selection.energies) {
    if (!std::isnan(energy)) all.push_back(energy);
  }
  for (const Stratum& stratum : selection.strata) {
    for (const int64_t row : stratum.chosen) chosen.push_back(selection.energies[row]);
  }
  std::sort(all.begin(), all.end());
  std::sort(chosen.begin(), chosen.end());
  const double low = Quantile(all, 0.005), high = Quantile(all, 0.995);
  const auto spread = [&](const std::vector<float>& energies) {
    std::vector<double> shares(kParts);
    for (const float energy : energies) {
      const double place = high > low ? (energy - low) / (high - low) * kParts : 0;
      shares[std::clamp(static_cast<int>(place), 0, kParts - 1)] += 1.0 / energies.size();
    }
    return shares;
  };
  const std::vector<double> of_all = spread(all), of_chosen = spread(chosen);
  const double most = std::max(*std::max_element(of_all.begin(), of_all.end()),
                               *std::max_element(of_chosen.begin(), of_chosen.end()));
  const auto height = [&](double share) { return share / most * (kHeight - 2); };

  const std::string medians = absl::StrFormat("median of all %.4g, of the chosen %.4g",
                                              Quantile(all, 0.5), Quantile(chosen, 0.5));
  // The drawing is stretched to the window's width, so it contains no text.
  std::string html = absl::StrCat(
      "<section><h2>Energies</h2><p class=\"quiet\">", HtmlText(selection.energy), ": ", medians,
      ". Each bar shows a share of all candidates, the line shows the same for the chosen images. "
      "The first and the last bar also count what lies beyond the axis.</p><svg viewBox=\"0 0 ",
      kParts, " ", kHeight, "\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"",
      "Histogram of energies: ", medians, "\">");
  for (int i = 0; i < kParts; ++i) {
    absl::StrAppendFormat(&html,
                          "<rect class=\"all\" x=\"%.2f\" y=\"%.1f\" width=\"0.9\" "
                          "height=\"%.1f\"/>",
                          i + 0.05, kHeight - height(of_all[i]), height(of_all[i]));
  }
  absl::StrAppendFormat(&html, "<path class=\"picked\" d=\"M0 %d", kHeight);
  for (int i = 0; i < kParts; ++i) {
    absl::StrAppendFormat(&html, "V%.1fH%d", kHeight - height(of_chosen[i]), i + 1);
  }
  absl::StrAppendFormat(
      &html, "V%d\"/></svg><div class=\"range\"><span>%.4g</span><span>%.4g</span></div>", kHeight,
      low, high);
  return absl::StrCat(html,
                      "<div class=\"key\"><span><i style=\"background:var(--other)\"></i>all ",
                      Count(all.size()), "</span><span><i style=\"background:var(--chosen)\"></i>",
                      "chosen ", Count(chosen.size()), "</span></div></section>");
}

// ---- Strata -------------------------------------------------------------------------------------

struct Counts {
  int64_t strata = 0, candidates = 0, quota = 0, chosen = 0;

  void Add(const Stratum& stratum) {
    ++strata;
    candidates += stratum.candidates;
    quota += stratum.quota;
    chosen += static_cast<int64_t>(stratum.chosen.size());
  }
};

std::string ClusterName(int cluster) { return absl::StrCat("cluster ", cluster); }

// The kind of a stratum, which all clusters share: "edge, high energy" for "cluster 12, edge, high
// energy".
std::string Kind(const Stratum& stratum) {
  absl::string_view name = stratum.name;
  if (stratum.cluster >= 0 && absl::ConsumePrefix(&name, ClusterName(stratum.cluster))) {
    absl::ConsumePrefix(&name, ", ");
  }
  return std::string(name);
}

// A table of the kinds of strata, with a row of totals.
std::string Kinds(const Selection& selection) {
  std::vector<std::pair<std::string, Counts>> kinds;  // in the order of the strata
  std::map<std::string, size_t> places;
  Counts all;
  for (const Stratum& stratum : selection.strata) {
    const std::string kind = Kind(stratum);
    const auto [place, is_new] = places.emplace(kind, kinds.size());
    if (is_new) kinds.emplace_back(kind, Counts());
    kinds[place->second].second.Add(stratum);
    all.Add(stratum);
  }
  const auto row = [](const std::string& name, const Counts& counts) {
    return absl::StrCat("<tr><td>", HtmlText(name), "<td>", Count(counts.strata), "<td>",
                        Count(counts.candidates), "<td>", Count(counts.quota), "<td>",
                        Count(counts.chosen), "</tr>");
  };
  if (all.strata == 1) return "";  // the strata below say it
  std::string html =
      "<div class=\"scroll\"><table><thead><tr><th>Kind of stratum<th>Strata<th>Candidates"
      "<th>Quota<th>Chosen</tr></thead><tbody>";
  for (const auto& [name, counts] : kinds) {
    absl::StrAppend(&html, row(name.empty() ? "clusters" : name, counts));
  }
  return absl::StrCat(html, "</tbody><tfoot>", row("all", all), "</tfoot></table></div>");
}

// A stratum: its counts, its pictures, its files.
std::string Figure(const lincls::FeatureTable& table, const Stratum& stratum,
                   const std::vector<Sheet>* sheets, int tile) {
  const std::string kind = Kind(stratum);
  const int64_t chosen = stratum.chosen.size();
  int64_t shown = 0;
  std::string pictures;
  for (size_t i = 0; sheets != nullptr && i < sheets->size(); ++i) {
    const Sheet& sheet = (*sheets)[i];
    const int64_t count = sheet.images.size();
    absl::StrAppend(
        &pictures, "<div class=\"sheet\" style=\"--columns:", sheet.columns,
        ";--rows:", sheet.pixels.rows / tile, "\"><img loading=\"lazy\" ",
        "decoding=\"async\" width=\"", sheet.pixels.cols, "\" height=\"", sheet.pixels.rows,
        "\" data-columns=\"", sheet.columns, "\" data-from=\"", shown, "\" data-count=\"", count,
        "\" alt=\"images ", shown + 1, " to ", shown + count, " of ", HtmlText(stratum.name),
        "\" src=\"data:image/jpeg;base64,", absl::Base64Escape(sheet.jpeg), "\"></div>");
    shown += count;
  }
  std::string html =
      absl::StrCat("<figure><figcaption><b>", HtmlText(kind), "</b>", Count(chosen), " of ",
                   Count(stratum.candidates), " candidates, quota ", Count(stratum.quota));
  if (chosen < stratum.quota) {
    absl::StrAppend(&html, ", <span class=\"short\">", Count(stratum.quota - chosen),
                    " short</span>");
  }
  if (sheets != nullptr && shown < chosen) {
    absl::StrAppend(&html, "; the first ", Count(shown), " are shown");
  }
  absl::StrAppend(&html, "</figcaption>", pictures);
  if (chosen > 0) {
    absl::StrAppend(&html, "<details class=\"files\"><summary>Files</summary><ol>");
    for (const int64_t row : stratum.chosen) {
      absl::StrAppend(&html, "<li>", HtmlText(table.files[row]), "</li>");
    }
    absl::StrAppend(&html, "</ol></details>");
  }
  return html + "</figure>\n";
}

// The strata of each cluster below a line that can be opened, in the order of the strata.
std::string Groups(const lincls::FeatureTable& table, const Selection& selection,
                   const std::optional<Pictures>& pictures) {
  constexpr int64_t kOpen = 2;  // so that some pictures are visible at first
  struct Group {
    Counts counts;
    std::vector<size_t> strata;
  };
  std::map<int, Group> groups;
  int64_t most = 1;
  for (size_t s = 0; s < selection.strata.size(); ++s) {
    Group& group = groups[selection.strata[s].cluster];
    group.counts.Add(selection.strata[s]);
    group.strata.push_back(s);
    most = std::max(most, group.counts.candidates);
  }
  std::string html = "<div id=\"groups\">";
  int64_t place = 0;
  for (const auto& [cluster, group] : groups) {
    const Counts& counts = group.counts;
    const std::string title = cluster >= 0 ? ClusterName(cluster) : "";
    const int64_t missing = counts.quota - counts.chosen;
    absl::StrAppend(&html, "<details class=\"group\"", place < kOpen ? " open" : "",
                    " data-place=\"", place, "\" data-title=\"", title, "\" data-candidates=\"",
                    counts.candidates, "\" data-quota=\"", counts.quota, "\" data-chosen=\"",
                    counts.chosen, "\" data-short=\"", missing, "\"><summary><span>",
                    title.empty() ? "all images" : title);
    if (missing > 0) {
      absl::StrAppend(&html, " <span class=\"short\">", Count(missing), " short</span>");
    }
    absl::StrAppend(&html, "</span><span>", Count(counts.chosen),
                    " <small>chosen</small></span><span>", Count(counts.quota),
                    " <small>quota</small></span><span>", Count(counts.candidates),
                    " <small>candidates</small></span><span class=\"share\" style=\"--share:",
                    absl::StrFormat("%.1f%%", 100.0 * counts.candidates / most),
                    "\"></span></summary><div class=\"strata\">");
    for (const size_t s : group.strata) {
      absl::StrAppend(&html, Figure(table, selection.strata[s],
                                    pictures.has_value() ? &pictures->sheets[s] : nullptr,
                                    pictures.has_value() ? pictures->tile : 0));
    }
    absl::StrAppend(&html, "</div></details>\n");
    ++place;
  }
  html += "</div>";
  if (groups.size() == 1) return html;
  std::string bar = "<div class=\"bar\"><button id=\"open-all\" type=\"button\">Open all</button>";
  for (const auto& [key, text] : {std::pair("place", "By cluster"),
                                  {"chosen", "By chosen"},
                                  {"candidates", "By candidates"},
                                  {"short", "By shortage"}}) {
    absl::StrAppend(&bar, "<button type=\"button\" data-key=\"", key, "\" aria-pressed=\"false\">",
                    text, "<span></span></button>");
  }
  return absl::StrCat(bar, "</div>", html);
}

// ---- Page ---------------------------------------------------------------------------------------

// The settings and results, as terms with their values.
std::string Settings(const lincls::FeatureTable& table, const Selection& selection,
                     const PageOptions& options) {
  std::string html = "<dl>";
  const auto add = [&](absl::string_view term, const std::string& value, bool code = false) {
    if (value.empty()) return;
    absl::StrAppend(&html, "<dt>", term, "<dd>", code ? "<code>" : "", HtmlText(value),
                    code ? "</code>" : "", "</dd>");
  };
  add("List", options.request, true);
  add("Data", table.source.path, true);
  add("Features",
      absl::StrCat(table.features.path(), ", ", Count(table.size()), " x ",
                   table.features.columns()),
      true);
  add("Encoder", table.checkpoint, true);
  add("Strategy", selection.strategy, true);
  add("Energy", selection.energy, true);
  add("Seed", absl::StrCat(selection.seed));
  if (selection.clusters_made > 0) add("Clusters", Count(selection.clusters_made));
  if (selection.neighbours > 0) {
    add("Neighbours", absl::StrCat(selection.neighbours, " of each image; ",
                                   Percent(selection.recall), " of the true ones found"));
  }
  add("Left out",
      absl::StrCat(Count(selection.excluded), " with labels, or requested before; ",
                   selection.duplicates < 1
                       ? absl::StrCat(Count(selection.near_duplicates),
                                      " near duplicates (cosine above ", selection.duplicates, ")")
                       : "near duplicates were not searched for"));
  return html + "</dl>";
}

std::string Notes(const Selection& selection) {
  if (selection.notes.empty()) return "";
  std::string html = "<ul class=\"notes\">";
  for (const std::string& note : selection.notes) {
    absl::StrAppend(&html, "<li>", HtmlText(note), "</li>");
  }
  return html + "</ul>";
}

std::string MapSection(const Map& map) {
  const std::string what = absl::StrCat(
      "The first two principal components of the features at unit length, which hold ",
      Percent(map.plane.shares[0]), " and ", Percent(map.plane.shares[1]), " of their variance");
  return absl::StrCat(
      "<section><h2>Map</h2><p class=\"quiet\">", what,
      ". Images that are close here may be far apart in the other dimensions. Point at a dot to "
      "see its file, and click on a chosen one to see its stratum. Images of open strata are "
      "highlighted.</p>",
      "<div class=\"map\"><canvas role=\"img\" aria-label=\"", what, ": ", Count(map.chosen),
      " chosen images among ", Count(map.others), " others\"></canvas></div>",
      "<div class=\"key\"><span><i style=\"background:var(--chosen)\"></i>chosen, all ",
      Count(map.chosen), "</span><span><i style=\"background:var(--other)\"></i>not chosen, ",
      map.others == kMapOthers ? "a sample of " : "all ", Count(map.others),
      "</span><span><i style=\"background:var(--mark)\"></i>chosen, in an open stratum</span>",
      "</div><noscript>The map needs JavaScript.</noscript></section>");
}

}  // namespace

absl::StatusOr<std::string> Page(const lincls::FeatureTable& table, Selection selection,
                                 const PageOptions& options) {
  std::stable_sort(selection.strata.begin(), selection.strata.end(),
                   [](const Stratum& a, const Stratum& b) { return a.cluster < b.cluster; });
  int64_t chosen = 0;
  for (const Stratum& stratum : selection.strata) {
    chosen += static_cast<int64_t>(stratum.chosen.size());
  }
  CHECK(chosen > 0);
  CHECK(selection.clusters.empty() || selection.clusters.size() == table.files.size());
  CHECK(selection.energies.empty() || selection.energies.size() == table.files.size());
  const auto map = DrawMap(table, selection);
  if (!map.ok()) return map.status();
  std::optional<Pictures> pictures;
  if (options.images != nullptr) pictures = TakePictures(selection, options);

  const std::string title =
      absl::StrCat(Count(chosen), " of ", Count(selection.images), " images to label");
  const std::string shown =
      pictures.has_value()
          ? absl::StrCat("The pictures show ", Count(pictures->shown), " of the ", Count(chosen),
                         " chosen images, at ", pictures->tile,
                         " pixels. Point at one for its file.")
          : "There are no pictures, because the features do not name their images.";
  return page::Write(
      {.title = title,
       .body =
           absl::StrCat("<header><h1>", title, "</h1>", Settings(table, selection, options),
                        Notes(selection), "</header>\n<main>\n", MapSection(*map),
                        selection.energies.empty() ? "" : Histogram(selection),
                        "<section><h2>Strata</h2>", Kinds(selection), "<p class=\"quiet\">", shown,
                        "</p>", Groups(table, selection, pictures), "</section>\n</main>\n"),
       .style = kStyle,
       .script = kScript,
       .data = {std::pair<std::string, nlohmann::json>("map-data", map->data)}});
}

}  // namespace selection
