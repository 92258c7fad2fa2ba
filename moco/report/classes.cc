#include "moco/report/classes.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/format_count.h"
#include "data/dataset.h"
#include "data/decode.h"
#include "moco/report/confusion_matrix.h"
#include "moco/report/images.h"
#include "moco/report/picture.h"
#include "moco/report/predictions.h"
#include "page/html.h"

namespace report {
namespace {

using base::FormatCount;
using page::HtmlText;

constexpr size_t kShownPairs = 12;   // of classes that are confused
constexpr size_t kShownClasses = 5;  // the best, and as many of the worst
constexpr size_t kExamples = 8;      // pictures of each of these
constexpr size_t kTall = 20;         // classes above which a table scrolls
constexpr int kSide = 96;            // pixels of a picture

std::string Percent(double share) { return absl::StrFormat("%.1f %%", 100 * share); }

std::string PercentCell(double share) {
  return absl::StrFormat("<td data-value=\"%.9g\">%.1f %%", share, 100 * share);
}

// The interval as a line from 0 to 100 %, with a dot at the accuracy.
std::string IntervalPicture(double accuracy, const Interval& interval) {
  constexpr double kWidth = 120;
  return absl::StrFormat(
      "<svg class=\"interval\" viewBox=\"0 0 %g 12\" width=\"%g\" height=\"12\" "
      "aria-hidden=\"true\">"
      "<line class=\"grid\" x1=\"0\" x2=\"%g\" y1=\"6\" y2=\"6\"/>"
      "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"6\" y2=\"6\"/><circle cx=\"%.1f\" cy=\"6\" "
      "r=\"3\"/></svg>",
      kWidth, kWidth, kWidth, kWidth * interval.low, kWidth * interval.high, kWidth * accuracy);
}

// The class that most images of `label` were wrongly taken for; `label` itself if there is none.
size_t MostlyTakenFor(const Confusion& confusion, size_t label) {
  size_t most = label;
  int64_t count = 0;
  for (const auto& [taken_for, images] : confusion.predicted[label]) {
    if (taken_for == label || images <= count) continue;
    most = taken_for;
    count = images;
  }
  return most;
}

std::vector<size_t> ClassesWithImages(const Confusion& confusion) {
  std::vector<size_t> classes;
  for (size_t c = 0; c < confusion.classes.size(); ++c) {
    if (confusion.Images(c) > 0) classes.push_back(c);
  }
  return classes;
}

std::string ScrollOf(size_t rows) {
  return rows > kTall ? "<div class=\"scroll tall\">" : "<div class=\"scroll\">";
}

std::string Summary(const Confusion& confusion) {
  int64_t images = 0, right = 0;
  for (size_t c = 0; c < confusion.classes.size(); ++c) {
    images += confusion.Images(c);
    right += confusion.Right(c);
  }
  const Interval interval = Wilson(right, images);
  return absl::StrFormat(
      "<p>Of %s validation images, the best classifier gives %s the right class: %s (95 %% "
      "interval: %s to %s).</p>",
      FormatCount(images), FormatCount(right), Percent(static_cast<double>(right) / images),
      Percent(interval.low), Percent(interval.high));
}

std::string ClassTable(const Confusion& confusion) {
  const std::vector<size_t> classes = ClassesWithImages(confusion);
  std::string html = absl::StrCat(
      "<h3>Accuracy of each class</h3><p class=\"quiet\">The interval is that of Wilson: with a "
      "probability of 95 % it covers the accuracy that many more images would show. Classes whose "
      "intervals overlap may be equally hard. Click a heading to sort.</p>",
      ScrollOf(classes.size()),
      "<table class=\"sortable classes\"><thead><tr><th>Class<th>Images<th>Acc@1<th>From<th>To<th>"
      "95 % interval<th>Mostly taken for<th>Share</tr></thead><tbody>");
  for (const size_t c : classes) {
    const int64_t images = confusion.Images(c);
    const double accuracy = confusion.Accuracy(c);
    const Interval interval = Wilson(confusion.Right(c), images);
    absl::StrAppend(&html, "<tr><td>", HtmlText(confusion.classes[c]), "<td data-value=\"", images,
                    "\">", FormatCount(images), PercentCell(accuracy), PercentCell(interval.low),
                    PercentCell(interval.high),
                    absl::StrFormat("<td data-value=\"%.9g\">", interval.high - interval.low),
                    IntervalPicture(accuracy, interval));
    if (const size_t other = MostlyTakenFor(confusion, c); other != c) {
      absl::StrAppend(&html, "<td>", HtmlText(confusion.classes[other]),
                      PercentCell(static_cast<double>(confusion.Count(c, other)) / images));
    } else {
      html += "<td><td>";
    }
    html += "</tr>";
  }
  return html + "</tbody></table></div>";
}

std::string ConfusedPairs(const Confusion& confusion) {
  struct Pair {
    size_t label, taken_for;
    int64_t images;
  };
  std::vector<Pair> pairs;
  for (size_t c = 0; c < confusion.classes.size(); ++c) {
    for (const auto& [taken_for, images] : confusion.predicted[c]) {
      if (taken_for != c) pairs.push_back({c, taken_for, images});
    }
  }
  if (pairs.empty()) return "";
  const size_t shown = std::min(pairs.size(), kShownPairs);
  std::partial_sort(pairs.begin(), pairs.begin() + shown, pairs.end(),
                    [](const Pair& a, const Pair& b) {
                      if (a.images != b.images) return a.images > b.images;
                      return std::pair(a.label, a.taken_for) < std::pair(b.label, b.taken_for);
                    });
  std::string html =
      "<h3>Most frequent confusions</h3><div class=\"scroll\"><table class=\"sortable "
      "confused\"><thead><tr>"
      "<th>Class<th>Taken for<th>Images<th>Share</tr></thead><tbody>";
  for (size_t i = 0; i < shown; ++i) {
    const Pair& pair = pairs[i];
    absl::StrAppend(&html, "<tr><td>", HtmlText(confusion.classes[pair.label]), "<td>",
                    HtmlText(confusion.classes[pair.taken_for]), "<td data-value=\"", pair.images,
                    "\">", FormatCount(pair.images),
                    PercentCell(static_cast<double>(pair.images) / confusion.Images(pair.label)),
                    "</tr>");
  }
  return html + "</tbody></table></div>";
}

// ---- Pictures -----------------------------------------------------------------------------------

struct Group {
  size_t label;
  std::vector<const Prediction*> examples;
};

// The classes of `order`, at most kShownClasses, each with the images of which the classifier was
// most certain: those that it got right, or those that it got wrong.
std::vector<Group> Groups(const Confusion& confusion, const std::vector<Prediction>& predictions,
                          const std::vector<size_t>& order, bool right) {
  std::vector<Group> groups;
  for (size_t i = 0; i < order.size(); ++i) {
    Group group{order[i], {}};
    const std::string& name = confusion.classes[order[i]];
    for (const Prediction& p : predictions) {
      if (p.label == name && (p.predicted == p.label) == right) group.examples.push_back(&p);
    }
    std::stable_sort(
        group.examples.begin(), group.examples.end(),
        [](const Prediction* a, const Prediction* b) { return a->probability > b->probability; });
    if (group.examples.size() > kExamples) group.examples.resize(kExamples);
    groups.push_back(std::move(group));
  }
  return groups;
}

// Where the images of the groups are in the data set, by their names.
std::map<std::string, int64_t> Find(const std::vector<Group>& groups,
                                    const data::Dataset& dataset) {
  std::set<std::string> wanted;
  for (const Group& group : groups) {
    for (const Prediction* p : group.examples) wanted.insert(p->file);
  }
  std::map<std::string, int64_t> found;
  for (int64_t i = 0; i < dataset.size() && found.size() < wanted.size(); ++i) {
    const std::string name = dataset.Name(i);
    if (wanted.count(name) > 0) found.emplace(name, i);
  }
  return found;
}

std::string ShowGroups(const Confusion& confusion, const std::vector<Group>& groups,
                       const data::Dataset& dataset, const std::map<std::string, int64_t>& places) {
  std::string html;
  for (const Group& group : groups) {
    absl::StrAppend(&html, "<h4>", HtmlText(confusion.classes[group.label]), ": ",
                    Percent(confusion.Accuracy(group.label)), " of ",
                    FormatCount(confusion.Images(group.label)), "</h4><div class=\"examples\">");
    if (group.examples.empty()) html += "<p class=\"quiet\">No image is classified like this.</p>";
    for (const Prediction* p : group.examples) {
      const std::string says = absl::StrFormat("%s, %.0f %%", p->predicted, 100 * p->probability);
      const auto place = places.find(p->file);
      absl::StatusOr<cv::Mat> image = absl::NotFoundError("");
      if (place != places.end()) image = data::ReadImageAt(dataset, place->second);
      const std::string title = absl::StrCat(p->file, ": ", p->label, ", classified as ", says);
      absl::StrAppend(&html, "<figure>",
                      image.ok() ? Picture(data::ToRgb8(*image), title, kSide)
                                 : absl::StrCat("<span>", HtmlText(title), "</span>"),
                      "<figcaption>", HtmlText(says), "</figcaption></figure>");
    }
    html += "</div>";
  }
  return html;
}

absl::StatusOr<std::unique_ptr<data::Dataset>> OpenValidation(const Run& run) {
  const std::string split = run.ImageFlag("split");
  if (split.empty()) return OpenImages(run, data::Split::kValidation);
  const auto read = data::ReadSplit(split);
  if (!read.ok()) return read.status();
  return OpenImages(run, *read);
}

std::string BestAndWorst(const Run& run, const Confusion& confusion,
                         const std::vector<Prediction>& predictions) {
  std::vector<size_t> order = ClassesWithImages(confusion);  // the best class first
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return confusion.Accuracy(a) > confusion.Accuracy(b);
  });
  const size_t shown = std::min(kShownClasses, order.size() / 2);
  if (shown == 0) return "";
  std::string html = "<h3>Best and worst classes</h3>";
  const auto dataset = OpenValidation(run);
  if (!dataset.ok()) {
    return absl::StrCat(html, "<p class=\"quiet\">There are no pictures: ",
                        HtmlText(dataset.status().message()), ".</p>");
  }
  const std::vector<Group> best =
      Groups(confusion, predictions, {order.begin(), order.begin() + shown}, /*right=*/true);
  const std::vector<Group> worst =
      Groups(confusion, predictions, {order.rbegin(), order.rbegin() + shown}, /*right=*/false);
  const auto best_places = Find(best, **dataset), worst_places = Find(worst, **dataset);
  if (best_places.empty() && worst_places.empty()) {
    return absl::StrCat(html,
                        "<p class=\"quiet\">There are no pictures: the data no longer has the "
                        "images that <code>",
                        kPredictionsFile, "</code> names.</p>");
  }
  return absl::StrCat(
      html,
      "<p class=\"quiet\">Of each class the images of which the classifier is most certain, with "
      "what it says. Click a picture to enlarge it.</p><div class=\"bestworst\"><div><p><b>The "
      "best classes</b>, images that are classified correctly</p>",
      ShowGroups(confusion, best, **dataset, best_places),
      "</div><div><p><b>The worst classes</b>, images that are classified wrongly</p>",
      ShowGroups(confusion, worst, **dataset, worst_places), "</div></div>");
}

}  // namespace

bool HasClasses(const Run& run) {
  return run.IsSweep() || run.settings.program == "//lincls:lincls";
}

std::string ClassesSection(const Run& run, bool pictures) {
  constexpr char kHead[] = "<section class=\"of-classes\"><h2>Classes</h2>";
  const auto predictions = ReadPredictions(run.path);
  if (!predictions.ok()) {
    return absl::StrCat(
        kHead, "<p class=\"quiet\">There is no confusion matrix: ",
        HtmlText(predictions.status().message()),
        absl::IsNotFound(predictions.status())
            ? ", which is written whenever an epoch is the best so far (earlier versions wrote "
              "none)"
            : "",
        ".</p></section>\n");
  }
  const Confusion confusion = Confuse(*predictions);
  return absl::StrCat(kHead, Summary(confusion), ConfusionMatrix(confusion),
                      ConfusedPairs(confusion), ClassTable(confusion),
                      pictures ? BestAndWorst(run, confusion, *predictions) : "", "</section>\n");
}

std::string ClassesOfRuns(const std::vector<Run>& runs, size_t most) {
  std::vector<const Run*> shown;
  std::vector<Confusion> confusions;
  size_t all = 0;
  std::set<std::string> names;
  for (const Run& run : runs) {
    if (!HasClasses(run)) continue;
    const auto predictions = ReadPredictions(run.path);
    if (!predictions.ok() || ++all > most) continue;
    shown.push_back(&run);
    confusions.push_back(Confuse(*predictions));
    for (const size_t c : ClassesWithImages(confusions.back())) {
      names.insert(confusions.back().classes[c]);
    }
  }
  if (shown.size() < 2) return "";
  std::string html = absl::StrCat(
      "<section><h2>Accuracy of each class</h2><p class=\"quiet\">Acc@1 of the best classifier of ",
      all > most ? "the first " : "", shown.size(), all > most ? absl::StrCat(" of ", all) : "",
      " runs, with the 95 % interval of Wilson under the pointer.</p>", ScrollOf(names.size()),
      "<table class=\"sortable\"><thead><tr><th>Class");
  for (const Run* run : shown) absl::StrAppend(&html, "<th>", HtmlText(run->name));
  html += "</tr></thead><tbody>";
  for (const std::string& name : names) {
    absl::StrAppend(&html, "<tr><td>", HtmlText(name));
    for (const Confusion& confusion : confusions) {
      const auto found = std::find(confusion.classes.begin(), confusion.classes.end(), name);
      const size_t c = found - confusion.classes.begin();
      if (found == confusion.classes.end() || confusion.Images(c) == 0) {
        html += "<td>";
        continue;
      }
      const Interval interval = Wilson(confusion.Right(c), confusion.Images(c));
      absl::StrAppend(
          &html,
          absl::StrFormat("<td data-value=\"%.9g\" data-tip=\"%s to %s\">", confusion.Accuracy(c),
                          Percent(interval.low), Percent(interval.high)),
          Percent(confusion.Accuracy(c)));
    }
    html += "</tr>";
  }
  return html + "</tbody></table></div></section>\n";
}

}  // namespace report
