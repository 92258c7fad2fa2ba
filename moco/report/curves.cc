#include "moco/report/curves.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "moco/measures/measure_names.h"

namespace report {
namespace {

using nlohmann::json;

constexpr size_t kPoints = 24'000;  // of a chart
constexpr size_t kMaxBins = 500, kMinBins = 40;
// Added to the note of the loss where the phase is marked.
constexpr char kQueueFills[] =
    " While the queue fills the loss rises, since noise is easier to tell from keys than keys "
    "are: ";
constexpr char kGrey[] = "the grey part.", kDotted[] = "up to the dotted line of each run.";
constexpr char kStaysAtChance[] = "A run that learns nothing stays at chance.";
constexpr size_t kProbes = 10;  // of sweeps, whose curves are drawn

struct Line {
  std::string metric, name;
  bool thin = false;
};

struct Chart {
  std::string title, note;
  bool percent = false;
  std::vector<Line> lines;
  bool fills = false;  // what it shows changes while the queue fills, which is normal and marked
};

// A measure that needs no labels, of the backbone and the head.
Chart ChartOf(const moco::MeasureName& measure) {
  Chart chart{measure.title, measure.note, false, {}};
  for (const char* place : moco::kMeasuredPlaces) {
    chart.lines.push_back({moco::MeasureMetric(measure, place), place});
  }
  return chart;
}

// The charts in their order on the page; those of which no run has a number are left out.
std::vector<Chart> MakeCharts() {
  std::vector<Chart> charts = {
      {"Loss",
       "",
       false,
       {{"loss", "loss of a step", true},
        {"epoch_loss", "mean of an epoch"},
        {"validation_loss", "validation"}},
       /*fills=*/true},
      {"Loss relative to chance",
       "100 % is chance, whatever the length of the queue.",
       true,
       {{"loss_of_chance", "loss / chance"}},
       /*fills=*/true},
      {"Accuracy of kNN and linear probe", "", true, {{"knn", "kNN"}, {"probe", "linear probe"}}},
      {"Accuracy",
       "",
       true,
       {{"acc1", "training Acc@1 of a step", true},
        {"validation_acc1", "validation Acc@1"},
        {"validation_acc5", "validation Acc@5"}}},
      {"Pretext task",
       "The share of queries whose own key is the most similar of all. It falls while the queue "
       "fills.",
       true,
       {{"top1", "of a step", true}, {"epoch_top1", "mean of an epoch"}},
       /*fills=*/true},
      {"Spread of the keys",
       "0: all keys are equal. 1: they point in all directions.",
       false,
       {{"spread", "spread"}}},
      {"Dimensions that the keys use", "", false, {{"dimensions", "dimensions"}}},
      {"Leak", "What batch statistics reveal of the key; 0 is best.", true, {{"leak", "leak"}}},
      {"Learning rate", "", false, {{"lr", "learning rate"}}},
      {"Throughput",
       "Per second, since the last start of the program.",
       false,
       {{"pairs_per_second", "pairs"}, {"images_per_second", "images"}}},
      {"Waiting for data", "Share of the time; 0 is best.", true, {{"waiting", "waiting"}}},
  };
  // Behind kNN and probe, which measure the encoder, too.
  const auto probe = std::find_if(charts.begin(), charts.end(), [](const Chart& chart) {
    return chart.lines.back().metric == "probe";
  });
  std::vector<Chart> measures;
  for (const moco::MeasureName& measure : moco::MeasureNames()) {
    measures.push_back(ChartOf(measure));
  }
  charts.insert(probe + 1, measures.begin(), measures.end());
  return charts;
}

const std::vector<Chart>& Charts() {
  static const auto& charts = *new std::vector<Chart>(MakeCharts());
  return charts;
}

// Numbers that need no chart: they are in others, or follow from the settings.
const std::set<std::string>& Uncharted() {
  static const auto& names =
      *new std::set<std::string>{"epoch", "top5", "acc5", "best_acc1", "queue_filled", "queue_age"};
  return names;
}

// With five digits, which are enough for a drawing.
double Rounded(double value) {
  return std::strtod(absl::StrFormat("%.5g", value).c_str(), nullptr);
}

json SeriesOf(size_t run, const Line& line, const Series& series, size_t bins) {
  json x = json::array(), y = json::array();
  for (const Point& point : Thin(series, bins)) {
    x.push_back(point.step);
    y.push_back(Rounded(point.value));
  }
  return {{"run", run},
          {"name", line.name},
          {"thin", line.thin},
          {"x", std::move(x)},
          {"y", std::move(y)}};
}

// The loss that guessing would have; 0 if it is not known.
double Chance(const Run& run) {
  const Series *loss = run.Find("epoch_loss"), *share = run.Find("loss_of_chance");
  if (loss == nullptr || share == nullptr || share->back().value <= 0 ||
      loss->back().step != share->back().step) {
    return 0;
  }
  return loss->back().value / share->back().value;
}

// The step from which the queue holds keys only; 0 if it is not known.
int64_t QueueFullAt(const Run& run) {
  const Series* filled = run.Find("queue_filled");
  if (filled == nullptr || filled->front().value <= 0) return 0;
  // The share grows by the same amount in each step.
  if (filled->front().value < 1) return filled->front().step / filled->front().value;
  int64_t queue = 0, batch = 0;
  if (!absl::SimpleAtoi(run.Fact("moco-k"), &queue) ||
      !absl::SimpleAtoi(run.Fact("batch-size"), &batch) || batch < 1) {
    return 0;
  }
  const int64_t keys = run.Fact("symmetric") == "true" ? 2 * batch : batch;
  return std::min(filled->front().step, (queue + keys - 1) / keys);
}

json ChartOf(const Chart& chart, const std::vector<Run>& runs) {
  size_t lines = 0;
  for (const Run& run : runs) {
    for (const Line& line : chart.lines) lines += run.Find(line.metric) != nullptr;
  }
  if (lines == 0) return nullptr;
  const size_t bins = std::clamp(kPoints / 4 / lines, kMinBins, kMaxBins);
  json series = json::array(), levels = json::array(), spans = json::array();
  for (size_t r = 0; r < runs.size(); ++r) {
    for (const Line& line : chart.lines) {
      const Series* points = runs[r].Find(line.metric);
      if (points != nullptr) series.push_back(SeriesOf(r, line, *points, bins));
    }
    if (runs[r].IsSweep()) continue;
    if (const double chance = Chance(runs[r]); chance > 0 && chart.lines[0].metric == "loss") {
      levels.push_back({{"run", r}, {"name", "chance"}, {"y", Rounded(chance)}});
    }
    if (const int64_t full = QueueFullAt(runs[r]); full > 0 && chart.fills) {
      spans.push_back({{"run", r}, {"name", "the queue fills"}, {"from", 0}, {"to", full}});
    }
  }
  std::string note = chart.note;
  if (chart.lines[0].metric == "loss") {
    if (!levels.empty()) note += kStaysAtChance;
    if (!spans.empty()) absl::StrAppend(&note, kQueueFills, runs.size() == 1 ? kGrey : kDotted);
  }
  return {{"title", chart.title}, {"note", note},           {"percent", chart.percent},
          {"series", series},     {"levels", levels},       {"spans", spans},
          {"log", false},         {"xTitle", std::string()}};
}

// The best accuracy of each row of sweep.csv by its learning rate: a line for each of the other
// settings.
json SweepChart(const std::vector<Run>& runs) {
  json series = json::array();
  for (size_t r = 0; r < runs.size(); ++r) {
    if (runs[r].sweep.empty()) continue;
    const std::vector<std::string>& header = runs[r].sweep[0];
    const auto column = [&](const char* name) -> size_t {
      return std::find(header.begin(), header.end(), name) - header.begin();
    };
    const size_t lr = column("lr"), acc1 = column("best_acc1");
    std::vector<std::pair<std::string, std::vector<std::pair<double, double>>>> lines;
    for (size_t i = 1; i < runs[r].sweep.size(); ++i) {
      const std::vector<std::string>& row = runs[r].sweep[i];
      double x, y;
      if (lr >= row.size() || acc1 >= row.size() || !absl::SimpleAtod(row[lr], &x) ||
          !absl::SimpleAtod(row[acc1], &y) || x <= 0) {
        continue;  // such as a probe that has diverged
      }
      std::string name;
      for (const char* other : {"features", "weight_decay"}) {
        const size_t c = column(other);
        if (c < row.size()) absl::StrAppend(&name, name.empty() ? "" : ", decay ", row[c]);
      }
      const auto line = std::find_if(lines.begin(), lines.end(),
                                     [&](const auto& known) { return known.first == name; });
      if (line == lines.end()) {
        lines.push_back({name, {{x, y}}});
      } else {
        line->second.emplace_back(x, y);
      }
    }
    for (auto& [name, points] : lines) {
      std::sort(points.begin(), points.end());
      json x = json::array(), y = json::array();
      for (const auto& [rate, accuracy] : points) {
        x.push_back(rate);
        y.push_back(Rounded(accuracy));
      }
      series.push_back({{"run", r}, {"name", name}, {"thin", false}, {"x", x}, {"y", y}});
    }
  }
  if (series.empty()) return nullptr;
  return {{"title", "Accuracy of the probes by learning rate"},
          {"note", "Acc@1 in the best epoch."},
          {"percent", true},
          {"series", series},
          {"levels", json::array()},
          {"spans", json::array()},
          {"log", true},
          {"xTitle", "learning rate"}};
}

// The accuracy of the most accurate probes of each sweep by step. The best one of all is in the
// chart of accuracies, too.
json ProbesChart(const std::vector<Run>& runs) {
  size_t sweeps = 0;
  for (const Run& run : runs) sweeps += !run.probes.empty();
  if (sweeps == 0) return nullptr;
  const size_t most = std::max<size_t>(1, kProbes / sweeps);
  json series = json::array();
  size_t all = 0, shown = 0;
  for (size_t r = 0; r < runs.size(); ++r) {
    const std::vector<Probe>& probes = runs[r].probes;
    all += probes.size();
    for (size_t p = 0; p < std::min(most, probes.size()); ++p, ++shown) {
      series.push_back(SeriesOf(r, {"", probes[p].name}, probes[p].acc1, kMinBins));
    }
  }
  return {{"title", "Accuracy of the probes by epoch"},
          {"note", absl::StrCat("Validation Acc@1 of ", all > shown ? "the best " : "", shown,
                                " of ", all, " probes.")},
          {"percent", true},
          {"series", series},
          {"levels", json::array()},
          {"spans", json::array()},
          {"log", false},
          {"xTitle", std::string()}};
}

}  // namespace

Series Thin(const Series& series, size_t bins) {
  if (series.size() <= 4 * bins) return series;
  const int64_t from = series.front().step;
  const double width = static_cast<double>(series.back().step - from + 1) / bins;
  Series thin;
  for (size_t i = 0; i < series.size();) {
    const auto bin = static_cast<int64_t>((series[i].step - from) / width);
    size_t low = i, high = i, end = i;
    for (; end < series.size() && static_cast<int64_t>((series[end].step - from) / width) == bin;
         ++end) {
      if (series[end].value < series[low].value) low = end;
      if (series[end].value > series[high].value) high = end;
    }
    for (const size_t kept : std::set<size_t>{i, low, high, end - 1}) thin.push_back(series[kept]);
    i = end;
  }
  return thin;
}

json Curves(const std::vector<Run>& runs) {
  json names = json::array(), charts = json::array();
  for (const Run& run : runs) {
    names.push_back({{"name", run.name}, {"perEpoch", run.settings.steps_per_epoch}});
  }
  std::set<std::string> left;
  for (const Run& run : runs) {
    for (const auto& [name, series] : run.metrics) {
      if (Uncharted().count(name) == 0) left.insert(name);
    }
  }
  for (const Chart& chart : Charts()) {
    if (json drawn = ChartOf(chart, runs); !drawn.is_null()) charts.push_back(std::move(drawn));
    for (const Line& line : chart.lines) left.erase(line.metric);
  }
  for (const std::string& name : left)
    charts.push_back(ChartOf({name, "", false, {{name, name}}}, runs));
  if (json probes = ProbesChart(runs); !probes.is_null()) charts.push_back(std::move(probes));
  if (json sweep = SweepChart(runs); !sweep.is_null()) charts.push_back(std::move(sweep));
  return {{"runs", names}, {"charts", charts}};
}

}  // namespace report
