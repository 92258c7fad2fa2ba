#include "moco/report/advice.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/format_count.h"
#include "base/progress.h"
#include "moco/measures/rank_verdict.h"
#include "moco/report/sweep_files.h"
#include "moco/verdict.h"

namespace report {
namespace {

constexpr double kMuchWaiting = 0.1;  // share of the time

std::optional<double> Last(const Run& run, const char* name) {
  const Series* series = run.Find(name);
  if (series == nullptr) return std::nullopt;
  return series->back().value;
}

// moco::kJudgedMetric before training, and now.
std::pair<std::optional<double>, std::optional<double>> JudgedRank(const Run& run) {
  const Series* rank = run.Find(moco::kJudgedMetric);
  if (rank == nullptr) return {};
  const Point &first = rank->front(), &last = rank->back();
  if (first.step != 0) return {std::nullopt, last.value};
  return {first.value, last.step > 0 ? std::optional(last.value) : std::nullopt};
}

// As the run itself printed it last; empty before the end of the first epoch, and for other
// programs.
std::string PrintedVerdict(const Run& run) {
  const auto filled = Last(run, "queue_filled"), age = Last(run, "queue_age"),
             spread = Last(run, "spread"), leak = Last(run, "leak");
  if (!filled || !age || !spread || !leak) return "";
  moco::Health health;
  health.loss = Last(run, "loss_of_chance");
  health.filled = *filled;
  health.age = *age;
  health.spread = *spread;
  health.leak = *leak;
  const std::string verdict = moco::Verdict(health);
  const auto [before, now] = JudgedRank(run);
  return before && now ? moco::VerdictWithRank(verdict, *before, *now) : verdict;
}

std::string Percent(double share) { return absl::StrFormat("%.1f %%", 100 * share); }

std::string Epoch(const Run& run, int64_t step) {
  const int64_t n = run.settings.steps_per_epoch;
  return n > 0 && step % n == 0 ? absl::StrCat("epoch ", step / n)
                                : absl::StrCat("step ", base::FormatCount(step));
}

// How far the run is.
std::string Progress(const Run& run) {
  if (run.Ended()) {
    return absl::StrCat(
        "The run has ended: ", base::FormatCount(run.step), " steps",
        run.settings.steps_per_epoch > 0
            ? absl::StrCat(", ",
                           base::FormatCount(run.settings.steps / run.settings.steps_per_epoch),
                           " epochs")
            : "",
        ".");
  }
  const std::string of =
      run.settings.steps > 0
          ? absl::StrCat(" of ", base::FormatCount(run.settings.steps), " (",
                         absl::StrFormat("%.0f %%", 100.0 * run.step / run.settings.steps), ")")
          : "";
  return absl::StrCat("The run has not ended: it is at step ", base::FormatCount(run.step), of,
                      ". Its last numbers were written ",
                      base::FormatSeconds(std::max(0.0, run.age)), " before this report.");
}

// What a series of accuracies says: "kNN accuracy is ...".
std::string Accuracy(const Run& run, const char* metric, const char* title) {
  const Series* series = run.Find(metric);
  if (series == nullptr) return "";
  const Point& last = series->back();
  const Point& best =
      *std::max_element(series->begin(), series->end(),
                        [](const Point& a, const Point& b) { return a.value < b.value; });
  std::string text =
      absl::StrCat(title, " is ", Percent(last.value), " in ", Epoch(run, last.step));
  if (series->front().step == 0 && series->size() > 1) {
    absl::StrAppend(&text, ", ", Percent(series->front().value), " before training");
  }
  if (best.step != last.step && best.value > last.value) {
    absl::StrAppend(&text, ", and was best in ", Epoch(run, best.step), ": ", Percent(best.value));
  }
  return text + ".";
}

// The mean over the last tenth of the steps.
std::optional<double> MeanAtTheEnd(const Run& run, const char* name) {
  const Series* series = run.Find(name);
  if (series == nullptr) return std::nullopt;
  double sum = 0;
  int64_t count = 0;
  for (const Point& point : *series) {
    if (point.step * 10 < run.step * 9) continue;
    sum += point.value;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / count;
}

}  // namespace

std::string VerdictWord(const Run& run) {
  if (run.IsSweep()) return run.Ended() ? "swept" : "started";
  if (run.Find("validation_acc1") != nullptr) return "validated";
  const std::string verdict = PrintedVerdict(run);
  return verdict.empty() ? "started" : verdict.substr(0, verdict.find(':'));
}

std::vector<std::string> Advice(const Run& run) {
  if (run.IsSweep()) {
    if (run.Ended()) return {BestOfSweep(run)};
    return {Progress(run), BestOfSweep(run)};
  }
  std::vector<std::string> sentences = {Progress(run)};
  if (const std::string verdict = PrintedVerdict(run); !verdict.empty()) {
    const auto loss = Last(run, "loss_of_chance");
    sentences.push_back(
        absl::StrCat("Verdict of the last epoch: ", verdict, ".",
                     loss ? absl::StrFormat(" The loss is %.0f %% of chance.", 100 * *loss) : ""));
  }
  for (const auto& [metric, title] :
       {std::pair("knn", "kNN accuracy"), std::pair("probe", "The accuracy of the linear probe"),
        std::pair("validation_acc1", "Validation Acc@1")}) {
    if (std::string text = Accuracy(run, metric, title); !text.empty()) {
      sentences.push_back(std::move(text));
    }
  }
  if (const auto& [before, now] = JudgedRank(run); now) {
    sentences.push_back(
        absl::StrCat("RankMe of the backbone is ", absl::StrFormat("%.3g", *now), " directions",
                     before ? absl::StrFormat(", %.3g before training", *before) : "",
                     "; higher is better among runs of one network and one data set."));
  }
  if (const auto waiting = MeanAtTheEnd(run, "waiting"); waiting && *waiting > kMuchWaiting) {
    sentences.push_back(
        absl::StrCat("Training waits for images ", Percent(*waiting),
                     " of the time: raise --workers, or make the images cheaper to read (bazel run "
                     "//tools:pack)."));
  }
  if (!run.bad_images.empty()) {
    sentences.push_back(absl::StrCat(base::FormatCount(run.bad_images.size()),
                                     run.bad_images.size() == 1
                                         ? " image could not be read, and another replaced it."
                                         : " images could not be read, and others replaced them."));
  }
  return sentences;
}

}  // namespace report
