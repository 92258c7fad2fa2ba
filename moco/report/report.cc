#include "moco/report/report.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/files.h"
#include "base/format_count.h"
#include "moco/measures/measure_names.h"
#include "moco/report/advice.h"
#include "moco/report/curves.h"
#include "moco/report/pairs.h"
#include "moco/report/picture.h"
#include "page/document.h"
#include "page/html.h"

namespace report {
namespace {

using base::FormatCount;
using page::HtmlText;

constexpr char kStyle[] =
#include "moco/report/report.css.inc"
    ;
constexpr char kScript[] =
#include "moco/report/report.js.inc"
    ;

constexpr size_t kPairs = 24;         // images shown with their views
constexpr size_t kRunsWithPairs = 3;  // the first ones
constexpr size_t kShownBadImages = 1000;

// ---- Settings -----------------------------------------------------------------------------------

// A flag whose value is not the usual one.
bool IsUnusual(const Run& run, const std::string& flag, const std::string& value) {
  const auto usual = run.settings.usual.find(flag);
  return usual != run.settings.usual.end() && usual->second != value;
}

std::string FlagRow(const Run& run, const std::string& flag, const std::string& value) {
  const bool unusual = IsUnusual(run, flag, value);
  const auto usual = run.settings.usual.find(flag);
  return absl::StrCat(unusual ? "<tr class=\"unusual\"><td><b>" : "<tr><td>", "<code>--",
                      HtmlText(flag), unusual ? "</code></b><td><b>" : "</code><td>", "<code>",
                      HtmlText(value), unusual ? "</code></b>" : "</code>", "<td><code>",
                      unusual ? HtmlText(usual->second) : "", "</code></tr>");
}

std::string SettingsTable(const Run& run) {
  if (run.flags.empty()) {
    return "<p class=\"quiet\">The folder has no flags.txt, so that the settings are not "
           "known.</p>";
  }
  const std::string compared =
      run.settings.usual.empty()
          ? "The run does not say what its preset was."
          : absl::StrCat("In bold: what differs from ",
                         run.settings.preset.empty()
                             ? "the program's defaults"
                             : absl::StrCat("the preset ", run.settings.preset),
                         ".");
  std::string unusual, others;
  for (const auto& [flag, value] : run.flags) {
    absl::StrAppend(IsUnusual(run, flag, value) ? &unusual : &others, FlagRow(run, flag, value));
  }
  constexpr char kHead[] =
      "<div class=\"scroll\"><table class=\"flags\"><thead><tr><th>Flag<th>Value<th>Usual</tr>"
      "</thead><tbody>";
  std::string html = absl::StrCat("<p class=\"quiet\">", HtmlText(compared), "</p>");
  if (!unusual.empty()) absl::StrAppend(&html, kHead, unusual, "</tbody></table></div>");
  return absl::StrCat(html, "<details", unusual.empty() ? " open" : "", "><summary>",
                      unusual.empty() ? "All flags" : "The other flags", "</summary>", kHead,
                      others, "</tbody></table></div></details>");
}

std::string Environment(const Run& run) {
  if (run.environment.empty()) return "";
  std::string html = "<h3>Environment</h3><dl>";
  for (const auto& [name, value] : run.environment) {
    absl::StrAppend(&html, "<dt>", HtmlText(name), "<dd>", HtmlText(value), "</dd>");
  }
  return html + "</dl>";
}

std::string Commands(const Run& run) {
  if (run.flags.empty()) return "";
  const std::string program = absl::StrCat("bazel run ", run.settings.program, " -- ");
  std::string html = absl::StrCat(
      "<h3>Commands</h3><p>The same run again, in a new folder:</p><pre>", HtmlText(program),
      "--flagfile=", HtmlText(base::ShellQuoted(run.path + "/flags.txt")), "</pre>");
  if (!run.Ended()) {
    absl::StrAppend(&html, "<p>If it has stopped, this continues it:</p><pre>", HtmlText(program),
                    "--resume=", HtmlText(base::ShellQuoted(run.path)), "</pre>");
  }
  return html;
}

std::string BadImages(const Run& run) {
  if (run.bad_images.empty()) return "";
  std::string html =
      absl::StrCat("<details class=\"files\"><summary>", FormatCount(run.bad_images.size()),
                   " damaged images</summary><ol>");
  for (size_t i = 0; i < std::min(run.bad_images.size(), kShownBadImages); ++i) {
    const auto& [name, why] = run.bad_images[i];
    // The reason begins with the name, unless it is that of another image.
    absl::StrAppend(&html, "<li>", HtmlText(absl::StrContains(why, name) ? why : name + ": " + why),
                    "</li>");
  }
  html += "</ol>";
  if (run.bad_images.size() > kShownBadImages) {
    absl::StrAppend(&html, "<p class=\"quiet\">and ",
                    FormatCount(run.bad_images.size() - kShownBadImages),
                    " more in bad_images.txt</p>");
  }
  return html + "</details>";
}

// ---- Verdict ------------------------------------------------------------------------------------

std::string Sentences(const std::vector<std::string>& sentences) {
  std::string html = "<ul class=\"advice\">";
  for (const std::string& sentence : sentences) {
    absl::StrAppend(&html, "<li>", HtmlText(sentence), "</li>");
  }
  return html + "</ul>";
}

std::string Notes(const std::vector<Run>& runs) {
  std::string html;
  for (const Run& run : runs) {
    for (const std::string& note : run.notes) {
      absl::StrAppend(&html, "<li>", HtmlText(note), ".</li>");
    }
  }
  return html.empty() ? "" : absl::StrCat("<ul class=\"notes\">", html, "</ul>");
}

std::string Badge(const Run& run) {
  const std::string word = VerdictWord(run);
  return absl::StrCat("<b class=\"verdict ", word, "\">", word, "</b>");
}

std::string Verdict(const Run& run) {
  return absl::StrCat("<section><h2>Verdict</h2><p>", Badge(run), "</p>", Sentences(Advice(run)),
                      "</section>\n");
}

// ---- Table of runs ------------------------------------------------------------------------------

struct Column {
  std::string title;
  std::string metric;
  bool percent = false;
};

// The last values that the table has: the known ones first, those of other versions behind them.
std::vector<Column> MetricColumns(const std::vector<Run>& runs) {
  std::vector<Column> known = {{"Loss", "epoch_loss"},
                               {"Of chance", "loss_of_chance", true},
                               {"kNN", "knn", true},
                               {"Probe", "probe", true},
                               {"Acc@1", "validation_acc1", true},
                               {"Acc@5", "validation_acc5", true},
                               {"Spread", "spread"},
                               {"Dimensions", "dimensions"},
                               {"Leak", "leak", true},
                               {"Pairs/s", "pairs_per_second"},
                               {"Images/s", "images_per_second"},
                               {"Waiting", "waiting", true}};
  for (const moco::MeasureName& measure : moco::MeasureNames()) {
    for (const char* place : moco::kMeasuredPlaces) {
      known.push_back(
          {absl::StrCat(measure.title, ", ", place), moco::MeasureMetric(measure, place)});
    }
  }
  const std::set<std::string> left_out = {
      "epoch", "loss",         "top1",      "top5",       "acc1",      "acc5",
      "lr",    "queue_filled", "queue_age", "epoch_top1", "best_acc1", "validation_loss"};
  std::set<std::string> there;
  for (const Run& run : runs) {
    for (const auto& [name, series] : run.metrics) there.insert(name);
  }
  std::vector<Column> columns;
  for (const Column& column : known) {
    if (there.erase(column.metric) > 0) columns.push_back(column);
  }
  for (const std::string& name : there) {
    if (left_out.count(name) == 0) columns.push_back({name, name});
  }
  return columns;
}

// The flags whose values differ between runs, and facts that no flag states.
std::vector<std::string> DifferingSettings(const std::vector<Run>& runs) {
  std::set<std::string> names;
  for (const Run& run : runs) {
    for (const auto& [flag, value] : run.flags) names.insert(flag);
  }
  std::vector<std::string> differing;
  for (const std::string& name : names) {
    std::set<std::string> values;
    for (const Run& run : runs) {
      if (run.flags.count(name) > 0) values.insert(run.Flag(name));
    }
    if (values.size() > 1) differing.push_back(name);
  }
  return differing;
}

std::string Fact(const Run& run, const std::string& name) {
  const auto fact = run.settings.facts.find(name);
  return fact == run.settings.facts.end() ? "" : fact->second;
}

// A setting, whose end may be hidden.
std::string SettingCell(const std::string& value) {
  const std::string text = HtmlText(value);
  return absl::StrCat("<td class=\"setting\" title=\"", text, "\">", text);
}

std::string RunsTable(const std::vector<Run>& runs) {
  const std::vector<Column> columns = MetricColumns(runs);
  const std::vector<std::string> settings = DifferingSettings(runs);
  std::vector<std::string> facts;  // that differ, and that no flag states
  for (const char* name : {"data", "ranks", "cpu", "device"}) {
    std::set<std::string> values;
    for (const Run& run : runs) values.insert(Fact(run, name));
    if (values.size() > 1 && std::string(name) != "data") facts.push_back(name);
  }
  std::string html =
      "<section><h2>Runs</h2><p class=\"quiet\">The last values, and the settings that differ. "
      "Click a heading to sort.</p><div class=\"scroll\"><table class=\"sortable runs\"><thead>"
      "<tr><th>Run<th>Verdict<th>Step";
  for (const Column& column : columns) absl::StrAppend(&html, "<th>", HtmlText(column.title));
  for (const std::string& name : settings) absl::StrAppend(&html, "<th>--", HtmlText(name));
  for (const std::string& name : facts) absl::StrAppend(&html, "<th>", HtmlText(name));
  html += "</tr></thead><tbody>";
  for (size_t r = 0; r < runs.size(); ++r) {
    const Run& run = runs[r];
    absl::StrAppend(&html, "<tr><td><a href=\"#run-", r, "\"><i class=\"run\" data-run=\"", r,
                    "\"></i>", HtmlText(run.name), "</a><td>", Badge(run), "<td data-value=\"",
                    run.step, "\">", FormatCount(run.step));
    for (const Column& column : columns) {
      const Series* series = run.Find(column.metric);
      if (series == nullptr) {
        html += "<td>";
        continue;
      }
      const double value = series->back().value;
      absl::StrAppend(&html, absl::StrFormat("<td data-value=\"%.9g\">", value),
                      column.percent ? absl::StrFormat("%.1f %%", 100 * value)
                                     : absl::StrFormat("%.4g", value));
    }
    for (const std::string& name : settings) {
      absl::StrAppend(&html, SettingCell(run.Flag(name)));
    }
    for (const std::string& name : facts) {
      absl::StrAppend(&html, SettingCell(Fact(run, name)));
    }
    html += "</tr>";
  }
  return html + "</tbody></table></div></section>\n";
}

// ---- Pictures -----------------------------------------------------------------------------------

std::string PairsSection(const Run& run, bool named, const data::Dataset* dataset) {
  const auto pairs = FirstPairs(run, dataset, kPairs);
  std::string html = absl::StrCat("<section><h2>Views", named ? " of " : "",
                                  named ? HtmlText(run.name) : "", "</h2>");
  if (!pairs.ok()) {
    return absl::StrCat(html, "<p class=\"quiet\">There are no pictures: ",
                        HtmlText(pairs.status().message()), ".</p></section>\n");
  }
  absl::StrAppend(&html,
                  "<p class=\"quiet\">The first images of the run: the original and the two "
                  "views that the network saw, the query and the key. Click a picture to enlarge "
                  "it.</p>");
  if (!pairs->note.empty()) absl::StrAppend(&html, "<p>", HtmlText(pairs->note), "</p>");
  html += "<div class=\"pairs\">";
  for (const Pair& pair : pairs->pairs) {
    absl::StrAppend(&html, "<figure>", Picture(pair.original, pair.name + ": original"),
                    Picture(pair.query, pair.name + ": first view (query)"),
                    Picture(pair.key, pair.name + ": second view (key)"), "</figure>");
  }
  return html + "</div></section>\n";
}

std::string Views(const std::vector<Run>& runs, const ReportOptions& options) {
  std::string html;
  size_t shown = 0, all = 0;
  for (const Run& run : runs) {
    if (run.settings.program != "//moco:pretrain") continue;
    if (++all > kRunsWithPairs) continue;
    html += PairsSection(run, runs.size() > 1, runs.size() == 1 ? options.dataset : nullptr);
    ++shown;
  }
  if (all > shown) {
    absl::StrAppend(&html, "<p class=\"quiet\">The views of the first ", shown, " of ", all,
                    " runs are shown.</p>");
  }
  return html;
}

// ---- Page ---------------------------------------------------------------------------------------

constexpr char kCurves[] =
    "<section><h2>Curves</h2><p class=\"quiet\">Point at a curve for its values. Drag across a "
    "part of the steps to enlarge it.</p><div class=\"bar\" id=\"curve-bar\"></div>"
    "<div id=\"charts\"></div><noscript>The curves need JavaScript.</noscript></section>\n";

std::string SweepTable(const Run& run) {
  std::string html =
      "<h3>Classifiers</h3><div class=\"scroll\"><table class=\"sortable\"><thead><tr>";
  for (const std::string& name : run.sweep[0]) absl::StrAppend(&html, "<th>", HtmlText(name));
  html += "</tr></thead><tbody>";
  for (size_t i = 1; i < run.sweep.size(); ++i) {
    html += "<tr>";
    for (const std::string& cell : run.sweep[i]) {
      double number;
      const bool is_number = absl::SimpleAtod(cell, &number);
      absl::StrAppend(&html, "<td data-value=\"", HtmlText(cell), "\">",
                      is_number ? absl::StrFormat("%.5g", number) : HtmlText(cell));
    }
    html += "</tr>";
  }
  return html + "</tbody></table></div>";
}

// What the page has of each run beside its curves and pictures.
std::string Details(const Run& run) {
  return absl::StrCat(run.IsSweep() ? SweepTable(run) : SettingsTable(run), BadImages(run),
                      Environment(run), Commands(run));
}

}  // namespace

std::string Report(const std::vector<Run>& runs, const ReportOptions& options) {
  const bool one = runs.size() == 1;
  const std::string title =
      one ? absl::StrCat("Run ", runs[0].name) : absl::StrCat("Report of ", runs.size(), " runs");
  std::string body = absl::StrCat("<header><h1>", HtmlText(title), "</h1>");
  if (one) {
    absl::StrAppend(&body, "<p class=\"quiet\">", HtmlText(runs[0].settings.program), ", <code>",
                    HtmlText(runs[0].path), "</code></p>");
  }
  absl::StrAppend(&body, Notes(runs), "</header>\n<main>\n");
  if (one) {
    absl::StrAppend(&body, Verdict(runs[0]), "<section><h2>Settings</h2>", Details(runs[0]),
                    "</section>\n", kCurves);
  } else {
    absl::StrAppend(&body, RunsTable(runs), kCurves);
  }
  absl::StrAppend(&body, Views(runs, options), options.sections);
  for (size_t r = 0; !one && r < runs.size(); ++r) {
    absl::StrAppend(&body, "<details class=\"each\" id=\"run-", r, "\"><summary><h2>",
                    HtmlText(runs[r].name), "</h2> ", Badge(runs[r]),
                    "</summary><p class=\"quiet\">", HtmlText(runs[r].settings.program), ", <code>",
                    HtmlText(runs[r].path), "</code></p>", Sentences(Advice(runs[r])),
                    Details(runs[r]), "</details>\n");
  }
  std::vector<std::pair<std::string, nlohmann::json>> data = options.data;
  data.emplace_back("curves", Curves(runs));
  return page::Write({.title = title,
                      .body = body + "</main>\n",
                      .style = kStyle,
                      .script = absl::StrCat(kScript, options.script),
                      .data = std::move(data)});
}

}  // namespace report
