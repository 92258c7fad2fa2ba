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

// What a run writes for its report when it starts (SettingsText).
inline constexpr char kSettingsFile[] = "settings.json";

// What sweep writes after each epoch: features,lr,weight_decay,epoch,acc1,acc5,loss, a line for
// each probe that has not diverged.
inline constexpr char kEpochsFile[] = "epochs.csv";

struct Settings {
  std::string program = {};                       // "//moco:pretrain"
  std::string preset = {};                        // empty: none
  std::map<std::string, std::string> usual = {};  // flags as the preset and the defaults set them
  std::map<std::string, std::string> facts = {};  // canonical specs and the like, as in checkpoints
  // Of a program that reads features: where the images are, by the names of pretrain's flags, and
  // "split". Empty: the flags say it.
  std::map<std::string, std::string> images = {};
  std::vector<std::string> arguments = {};  // positional ones, which no flag holds
  int64_t steps = 0, steps_per_epoch = 0;
};

// The contents of kSettingsFile: the members as JSON, with "settings" for `facts`.
std::string SettingsText(const Settings& settings);

// Reads such a file. What is not there or of another type is empty or 0; a file that is damaged
// adds a note.
Settings ReadSettings(const std::string& path, std::vector<std::string>& notes);

// A classifier of a sweep.
struct Probe {
  std::string name = {};                   // "backbone, lr 0.1, decay 0"
  Series acc1 = {}, acc5 = {}, loss = {};  // by step, at the ends of epochs
  double best = 0;                         // of acc1
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
  // Of a sweep: sweep.csv, with its header, which is written at the end; and its probes, the most
  // accurate one first, whose numbers are the run's metrics.
  std::vector<std::vector<std::string>> sweep;
  std::vector<Probe> probes;
  // What could not be read, and why, as sentences.
  std::vector<std::string> notes;

  bool IsSweep() const { return settings.program == "//lincls:sweep"; }
  bool Ended() const {
    return IsSweep() ? !sweep.empty() : settings.steps > 0 && step >= settings.steps;
  }
  // Empty if there is no such flag.
  std::string Flag(const std::string& name) const;
  // The same of the flags that say where the images are, and how they are read.
  std::string ImageFlag(const std::string& name) const;
  // The canonical setting, or the flag of this name.
  std::string Fact(const std::string& name) const;
  // Null if there is no such number.
  const Series* Find(const std::string& name) const;
};

// Reads the folder at `path` of a run of pretrain, lincls or sweep, whether it has ended or not. A
// last line that is cut is ignored, because a run may be writing it. NotFound if there is no such
// folder; InvalidArgument if it is no run's; DataLoss, naming the file and the line, if there are
// no metrics (yet), or if they are damaged. What else is damaged becomes a note.
absl::StatusOr<Run> ReadRun(const std::string& path);

}  // namespace report

#endif  // MOCO_REPORT_RUN_H_
