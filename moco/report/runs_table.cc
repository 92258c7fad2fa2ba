#include "moco/report/runs_table.h"

#include <cstddef>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/format_count.h"
#include "moco/measures/measure_names.h"
#include "moco/report/advice.h"
#include "page/html.h"

namespace report {
namespace {

using base::FormatCount;
using page::HtmlText;

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

// What no flag states.
std::string OwnFact(const Run& run, const std::string& name) {
  const auto fact = run.settings.facts.find(name);
  return fact == run.settings.facts.end() ? "" : fact->second;
}

// A setting, whose end may be hidden.
std::string SettingCell(const std::string& value) {
  const std::string text = HtmlText(value);
  return absl::StrCat("<td class=\"setting\" title=\"", text, "\">", text);
}

}  // namespace

std::string Badge(const Run& run) {
  const std::string word = VerdictWord(run);
  return absl::StrCat("<b class=\"verdict ", word, "\">", word, "</b>");
}

std::string RunsTable(const std::vector<Run>& runs) {
  const std::vector<Column> columns = MetricColumns(runs);
  const std::vector<std::string> settings = DifferingSettings(runs);
  std::vector<std::string> facts;  // that differ, and that no flag states
  for (const char* name : {"data", "ranks", "cpu", "device"}) {
    std::set<std::string> values;
    for (const Run& run : runs) values.insert(OwnFact(run, name));
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
      absl::StrAppend(&html, SettingCell(OwnFact(run, name)));
    }
    html += "</tr>";
  }
  return html + "</tbody></table></div></section>\n";
}

std::string SweepTable(const Run& run) {
  if (run.sweep.empty()) return "";
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

}  // namespace report
