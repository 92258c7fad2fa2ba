#include "moco/report/sweep_files.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/files.h"
#include "data/csv.h"

namespace report {
namespace {

const std::vector<std::string>& EpochColumns() {
  static const auto& columns = *new std::vector<std::string>{
      "features", "lr", "weight_decay", "epoch", "acc1", "acc5", "loss"};
  return columns;
}

bool Exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

absl::Status Damaged(const std::string& path, int64_t line, const std::string& what) {
  return absl::DataLossError(
      absl::StrCat("'", path, "' line ", line, " ", what,
                   "; it was damaged, or another program or version wrote it; run sweep again"));
}

// The lines that are whole.
absl::StatusOr<std::vector<data::Line>> ReadLines(const std::string& path, Run& run) {
  auto text = base::ReadFile(path);
  if (!text.ok()) return text.status();
  if (!text->empty() && text->back() != '\n') {
    text->erase(text->rfind('\n') + 1);  // npos + 1 is 0
    run.notes.push_back(absl::StrCat("the last line of '", path, "' is cut, and was ignored"));
  }
  auto lines = data::ParseCsv(path, *text, ',');
  if (!lines.ok()) return absl::DataLossError(lines.status().message());
  return lines;
}

absl::Status ReadEpochs(const std::string& path, Run& run) {
  const auto lines = ReadLines(path, run);
  if (!lines.ok()) return lines.status();
  if (lines->empty()) return absl::OkStatus();
  if ((*lines)[0].fields != EpochColumns()) {
    return Damaged(path, (*lines)[0].number,
                   absl::StrCat("is not ", absl::StrJoin(EpochColumns(), ",")));
  }
  int64_t& steps_per_epoch = run.settings.steps_per_epoch;
  if (steps_per_epoch == 0) steps_per_epoch = 1;
  std::map<std::string, size_t> places;
  for (size_t i = 1; i < lines->size(); ++i) {
    const auto& [number, fields] = (*lines)[i];
    int64_t epoch = 0;
    double acc1, acc5, loss;
    if (fields.size() != EpochColumns().size() || !absl::SimpleAtoi(fields[3], &epoch) ||
        epoch < 1 || epoch > 1'000'000 || !absl::SimpleAtod(fields[4], &acc1) ||
        !absl::SimpleAtod(fields[5], &acc5) || !absl::SimpleAtod(fields[6], &loss) ||
        !std::isfinite(acc1 + acc5 + loss)) {
      return Damaged(path, number, "does not hold the numbers of a probe");
    }
    const std::string name = absl::StrCat(fields[0], ", lr ", fields[1], ", decay ", fields[2]);
    const auto [place, is_new] = places.emplace(name, run.probes.size());
    if (is_new) run.probes.push_back({.name = name});
    Probe& probe = run.probes[place->second];
    const int64_t step = epoch * steps_per_epoch;
    probe.acc1.push_back({step, acc1});
    probe.acc5.push_back({step, acc5});
    probe.loss.push_back({step, loss});
    probe.best = std::max(probe.best, acc1);
    run.step = std::max(run.step, step);
  }
  // One that has diverged has no numbers of the last epoch.
  std::stable_sort(run.probes.begin(), run.probes.end(), [&](const Probe& a, const Probe& b) {
    const bool a_goes_on = a.acc1.back().step == run.step;
    const bool b_goes_on = b.acc1.back().step == run.step;
    return a_goes_on != b_goes_on ? a_goes_on : a.best > b.best;
  });
  return absl::OkStatus();
}

size_t Column(const Run& run, const std::string& name) {
  const std::vector<std::string>& header = run.sweep[0];
  return std::find(header.begin(), header.end(), name) - header.begin();
}

std::string Percent(double share) { return absl::StrFormat("%.1f %%", 100 * share); }

}  // namespace

absl::Status ReadSweep(Run& run) {
  const std::string epochs = absl::StrCat(run.path, "/", kEpochsFile);
  const std::string table = absl::StrCat(run.path, "/", kSweepFile);
  if (Exists(epochs)) {
    if (absl::Status s = ReadEpochs(epochs, run); !s.ok()) return s;
  }
  if (Exists(table)) {
    auto lines = data::ReadCsv(table);
    if (!lines.ok()) return absl::DataLossError(lines.status().message());
    for (data::Line& line : *lines) run.sweep.push_back(std::move(line.fields));
    if (run.sweep.size() < 2) {
      return absl::DataLossError(absl::StrCat("'", table, "' has no row; run sweep again"));
    }
  }
  if (run.probes.empty() && run.sweep.empty()) {
    return absl::DataLossError(absl::StrCat("'", run.path, "' has no ", kEpochsFile, " or ",
                                            kSweepFile,
                                            " with numbers; the sweep has not done its first "
                                            "epoch, or they were lost"));
  }
  if (!run.probes.empty()) {
    const Probe& best = run.probes[0];
    run.metrics = {{"validation_acc1", best.acc1},
                   {"validation_acc5", best.acc5},
                   {"validation_loss", best.loss}};
  }
  return absl::OkStatus();
}

std::string BestOfSweep(const Run& run) {
  if (run.sweep.empty()) {
    const Probe& best = run.probes[0];
    return absl::StrCat("The best of ", run.probes.size(), " classifiers so far has an Acc@1 of ",
                        Percent(best.best), " with ", best.name, ".");
  }
  const size_t acc1 = Column(run, "best_acc1");
  double best = -1;
  const std::vector<std::string>* row = nullptr;
  for (size_t i = 1; i < run.sweep.size(); ++i) {
    double value;
    if (acc1 < run.sweep[i].size() && absl::SimpleAtod(run.sweep[i][acc1], &value) &&
        value > best) {
      best = value;
      row = &run.sweep[i];
    }
  }
  if (row == nullptr) return "No classifier has been trained to the end.";
  std::string with;
  for (const char* name : {"features", "lr", "weight_decay"}) {
    if (const size_t c = Column(run, name); c < row->size()) {
      absl::StrAppend(&with, with.empty() ? "" : ", ", name, " ", (*row)[c]);
    }
  }
  return absl::StrCat("The best of ", run.sweep.size() - 1, " classifiers has an Acc@1 of ",
                      Percent(best), with.empty() ? "" : " with ", with, ".");
}

}  // namespace report
