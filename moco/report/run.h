// What a run folder says about its run, read without LibTorch.
#ifndef MOCO_REPORT_RUN_H_
#define MOCO_REPORT_RUN_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace report {

// A number of a run at a step, as metrics.jsonl has it.
struct Point {
  int64_t step;
  double value;
};
using Series = std::vector<Point>;  // in the order of the steps

// What a run writes for its report when it starts: the members of Settings as JSON, with "settings"
// for `facts`.
inline constexpr char kSettingsFile[] = "settings.json";

struct Settings {
  std::string program;                       // "//moco:pretrain"
  std::string preset;                        // empty: none
  std::map<std::string, std::string> usual;  // flags as the preset and the defaults set them
  std::map<std::string, std::string> facts;  // canonical specs and the like, as in checkpoints
  int64_t steps = 0, steps_per_epoch = 0;
};

struct Run {
  std::string path;  // absolute
  std::string name;  // the last part of the path

  Settings settings;                         // what is not known is empty or 0
  std::map<std::string, std::string> flags;  // "moco-k" -> "4096", of flags.txt
  std::vector<std::pair<std::string, std::string>> environment;
  std::map<std::string, Series> metrics;  // finite numbers only
  int64_t step = 0;                       // of the last line of metrics
  double age = 0;                         // seconds since that line was written
  std::vector<std::pair<std::string, std::string>> bad_images;  // name, reason
  // sweep.csv, with its header; a run that has it has no metrics.
  std::vector<std::vector<std::string>> sweep;
  // What could not be read, and why, as sentences.
  std::vector<std::string> notes;

  bool IsSweep() const { return !sweep.empty(); }
  bool Ended() const { return IsSweep() || (settings.steps > 0 && step >= settings.steps); }
  // Empty if there is no such flag.
  std::string Flag(const std::string& name) const;
  // Null if there is no such number.
  const Series* Find(const std::string& name) const;
};

// Reads the folder at `path` of a run of pretrain, lincls or sweep, whether it has ended or not. A
// last line that is cut is ignored, because a run may be writing it. NotFound if there is no such
// folder; InvalidArgument if it is no run's; DataLoss, naming the file and the line, if there are
// no metrics (yet), or if they are damaged.
absl::StatusOr<Run> ReadRun(const std::string& path);

}  // namespace report

#endif  // MOCO_REPORT_RUN_H_
