#include "moco/before/lr_page.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/format_count.h"
#include "base/progress.h"
#include "moco/report/parts.h"
#include "page/document.h"
#include "page/html.h"

namespace moco {
namespace {

using base::FormatCount;
using nlohmann::json;
using page::HtmlText;

// With five digits, which are enough for a drawing.
double Rounded(double value) {
  return std::strtod(absl::StrFormat("%.5g", value).c_str(), nullptr);
}

// The form of report::Curves.
json Chart(const LrTest& test) {
  const std::vector<double> smooth = SmoothLosses(test.curve.points);
  json x = json::array(), y = json::array(), smoothed = json::array();
  for (size_t i = 0; i < test.curve.points.size(); ++i) {
    x.push_back(Rounded(test.curve.points[i].lr));
    y.push_back(Rounded(test.curve.points[i].loss));
    smoothed.push_back(Rounded(smooth[i]));
  }
  json series = json::array(), levels = json::array(), spans = json::array();
  series.push_back({{"run", 0}, {"name", "loss of a step"}, {"thin", true}, {"x", x}, {"y", y}});
  series.push_back({{"run", 0}, {"name", "smoothed"}, {"thin", false}, {"x", x}, {"y", smoothed}});
  if (test.chance > 0) {
    levels.push_back({{"run", 0}, {"name", "chance"}, {"y", Rounded(test.chance)}});
  }
  if (test.suggestion) {
    // A tenth of a power of ten, as wide as a line that can be seen.
    spans.push_back({{"run", 0},
                     {"name", absl::StrCat("suggested: ", test.suggestion->lr)},
                     {"from", test.suggestion->lr / 1.1},
                     {"to", test.suggestion->lr * 1.1}});
  }
  json runs = json::array(), charts = json::array();
  runs.push_back({{"name", "test"}, {"perEpoch", 0}});
  charts.push_back({{"title", "Loss by learning rate"},
                    {"note", "Each step has a higher rate than the one before."},
                    {"percent", false},
                    {"log", true},
                    {"xTitle", "learning rate"},
                    {"series", series},
                    {"levels", levels},
                    {"spans", spans}});
  return {{"runs", runs}, {"charts", charts}};
}

std::string Verdict(const LrTest& test) {
  if (!test.suggestion) {
    return "<p><b>No suggestion.</b> The loss falls at no rate by more than its noise. Look at the "
           "views with <code>--preview</code>; a temperature (<code>--moco-t</code>) that is too "
           "low or too high looks like this, too.</p>";
  }
  const double ratio = test.lr / test.suggestion->lr;
  return absl::StrCat(
      "<p><b>Suggested: <code>--lr=", test.suggestion->lr, "</code></b></p><p>In this test, ",
      Summary(test), ". The run's rate is ", test.lr, ": ",
      ratio > 3        ? "too high, by this test."
      : ratio < 1. / 3 ? "too low, by this test."
                       : "within a factor of three of it, which is as exact as this test is.",
      "</p>");
}

std::string Numbers(const LrTest& test) {
  const std::vector<double> smooth = SmoothLosses(test.curve.points);
  std::string html =
      "<details><summary>Numbers</summary><div class=\"scroll\"><table><thead><tr><th>Learning rate"
      "<th>Loss<th>Smoothed</tr></thead><tbody>";
  for (size_t i = 0; i < smooth.size(); ++i) {
    absl::StrAppend(&html,
                    absl::StrFormat("<tr><td>%.4g<td>%.5g<td>%.5g</tr>", test.curve.points[i].lr,
                                    test.curve.points[i].loss, smooth[i]));
  }
  return html + "</tbody></table></div></details>";
}

}  // namespace

std::string Summary(const LrTest& test) {
  return absl::StrFormat("the loss falls fastest there, and stalls or rises at %.2g",
                         test.suggestion->stall);
}

std::string LrPage(const LrTest& test) {
  const auto steps = static_cast<int64_t>(test.curve.points.size());
  const std::string queue =
      test.queue < test.queue_of_run
          ? absl::StrCat(" The queue has ", FormatCount(test.queue), " keys here, and ",
                         FormatCount(test.queue_of_run),
                         " in the run, because filling it would take longer than the test.")
          : "";
  const std::string body = absl::StrCat(
      "<header><h1>Learning rate</h1><p class=\"quiet\">", HtmlText(test.place), ", ",
      FormatCount(test.images), " images, batches of ", FormatCount(test.batch), "; <code>",
      HtmlText(test.encoder), "</code>, <code>", HtmlText(test.optimizer),
      "</code></p></header>\n<main>\n<section><h2>Suggestion</h2>", Verdict(test),
      "</section>\n<section><h2>The test</h2>", report::kCurvesSection,
      "<p>The rate rises by the same factor in each step. Too low a rate does not change the loss. "
      "Where the loss falls, the encoder learns. Where it stalls, rises or jumps, the rate is too "
      "high. A run needs a rate below that, since it has to last for longer. (L. N. Smith, "
      "\"Cyclical learning rates for training neural networks\", 2017, section 3.3)</p><p>",
      test.curve.diverged
          ? "The test ended early, because the loss was twice that of the start or not finite. "
          : "",
      "It is a short test with one seed: take it for the order of magnitude. Another batch size, "
      "optimizer, encoder or other views need another test.</p>",
      Numbers(test), "</section>\n<section><h2>Cost</h2><p>", test.filling,
      " steps that filled the queue without changing the weights, and ", steps,
      " with rising rates: ", FormatCount((test.filling + steps) * test.batch),
      " images in two views, ", base::FormatSeconds(test.seconds), ".", queue,
      " Nothing of the test is kept but this page.</p></section>\n</main>\n");
  return page::Write({.title = "Learning rate",
                      .body = body,
                      .style = report::PartsStyle(),
                      .script = report::CurvesScript(),
                      .data = {{report::kCurvesId, Chart(test)}}});
}

}  // namespace moco
