#include "moco/checkpoints/resume.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/fnv.h"

namespace moco {
namespace {

constexpr int64_t kHashedBytes = 1024;  // from each tensor, since any step changes all tensors

// The position of a checkpoint in its run, by which checkpoints are ordered.
std::tuple<int64_t, int64_t> Position(const Checkpoint& checkpoint) {
  return {checkpoint.epoch, checkpoint.facts.step.value_or(0)};
}

// Returns the first setting for which the checkpoint has another value; null if there is none.
const Settings::value_type* FirstDifference(const Checkpoint& checkpoint,
                                            const Settings& settings) {
  for (const auto& setting : settings) {
    const auto saved = checkpoint.facts.settings.find(setting.first);
    if (saved != checkpoint.facts.settings.end() && saved->second != setting.second) {
      return &setting;
    }
  }
  return nullptr;
}

// Describes the differences: "lr 0.03 -> 0.5; ..."; empty if there are none.
std::string DescribeDifferences(const Checkpoint& checkpoint, const Settings& settings) {
  std::string differences;
  for (const auto& [flag, value] : settings) {
    const auto saved = checkpoint.facts.settings.find(flag);
    if (saved == checkpoint.facts.settings.end() || saved->second == value) continue;
    absl::StrAppend(&differences, differences.empty() ? "" : "; ", flag, " ", saved->second, " -> ",
                    value);
  }
  return differences;
}

absl::Status Differs(const Checkpoint& checkpoint, const Settings::value_type& setting,
                     absl::string_view remedy) {
  const auto& [flag, value] = setting;
  const char* const images = flag == kImageNamesSetting        ? "training images"
                             : flag == kValidationNamesSetting ? "validation images"
                                                               : nullptr;
  if (images != nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("was written with other ", images,
                     ", whose names or classes differ from those of this run; give the data of "
                     "the checkpoint's run",
                     remedy));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("was written with --", flag, "='", checkpoint.facts.settings.at(flag),
                   "', this run has '", value, "'; change the flag", remedy));
}

// Of a run without any whole checkpoint (newest first).
absl::Status AllDamaged(const std::vector<ResumePoint::Damaged>& damaged) {
  const std::string& why = damaged[0].why;
  // The remedy for a single file, after the last semicolon, is an earlier one.
  return absl::DataLossError(absl::StrCat(
      why.substr(0, why.rfind(';')), "; ",
      damaged.size() == 1
          ? std::string("it is the run's only checkpoint")
          : absl::StrCat("all ", damaged.size(), " checkpoints of the run are damaged"),
      "; copy them again from where they were saved, or start a new run in another "
      "folder"));
}

}  // namespace

std::string NewRunId(const Settings& settings) {
  base::Fnv hash;
  for (const auto& [name, value] : settings) {
    if (name == "ranks") continue;  // the number of ranks does not change what a run computes
    hash.Add(absl::StrCat(name, "=", value, "\n"));
  }
  return hash.Text();
}

std::string HashOf(const StateDict& state) {
  base::Fnv hash;
  for (const auto& [name, tensor] : state) {
    const at::Tensor bytes = tensor.contiguous();
    hash.Add(name);
    hash.Add({static_cast<const char*>(bytes.const_data_ptr()),
              static_cast<size_t>(std::min<int64_t>(bytes.nbytes(), kHashedBytes))});
  }
  return hash.Text();
}

std::string RunId(const Checkpoint& checkpoint) {
  if (!checkpoint.facts.run.empty()) return checkpoint.facts.run;
  return absl::StrCat("from_", HashOf(checkpoint.state));
}

absl::StatusOr<ResumePoint> FindResumePoint(const std::string& asked,
                                            const std::vector<std::string>& in_folder) {
  ResumePoint point;
  std::optional<Checkpoint> first;  // the requested one
  absl::Status failure;             // of the first checkpoint that was read
  if (!asked.empty()) {
    auto read = ReadCheckpoint(asked);
    if (read.ok()) {
      first = *std::move(read);
    } else if (absl::IsNotFound(read.status()) || absl::IsDataLoss(read.status())) {
      failure = read.status();
      point.note = absl::StrCat("instead of --resume: ", failure.message());
    } else {
      return read.status();
    }
  }
  std::error_code error;
  for (auto path = in_folder.rbegin(); path != in_folder.rend(); ++path) {
    if (first && std::filesystem::equivalent(*path, asked, error)) break;
    auto read = ReadCheckpoint(*path);
    if (absl::IsDataLoss(read.status())) {
      failure.Update(read.status());
      point.damaged.push_back({*path, std::string(read.status().message())});
      continue;
    }
    if (!read.ok()) return read.status();
    if (first && Position(*read) <= Position(*first)) break;
    if (first && RunId(*read) != RunId(*first)) {
      return absl::AlreadyExistsError(absl::StrCat(
          "'", *path, "' belongs to another run than '", asked, "', or does not name its run; ",
          "give it as --resume, or choose another folder for this run"));
    }
    if (first) point.note = absl::StrCat("newer than --resume ", asked, ", of the same run");
    point.path = *path;
    point.checkpoint = *std::move(read);
    return point;
  }
  if (!first && asked.empty() && !point.damaged.empty()) return AllDamaged(point.damaged);
  if (!first) return failure;
  point.path = asked;
  point.checkpoint = *std::move(first);
  return point;
}

Settings RunSettings::All() const {
  Settings all = identity;
  all.insert(all.end(), forceable.begin(), forceable.end());
  all.insert(all.end(), changeable.begin(), changeable.end());
  return all;
}

absl::Status CheckRun(const RunSettings& settings, const std::string& force, ResumePoint& point) {
  const Checkpoint& checkpoint = point.checkpoint;
  if (const auto* setting = FirstDifference(checkpoint, settings.identity)) {
    if (setting->first != "program") return Differs(checkpoint, *setting, " or start a new run");
    return absl::InvalidArgumentError(absl::StrCat(
        "was written by ", checkpoint.facts.Setting("program"), ", not by ", setting->second,
        "; give a checkpoint, or a run folder, of ", setting->second));
  }
  if (const auto* setting = FirstDifference(checkpoint, settings.forceable)) {
    if (force.empty()) {
      return Differs(checkpoint, *setting,
                     ", start a new run, or accept the difference with --force=REASON");
    }
    point.forced =
        absl::StrCat(DescribeDifferences(checkpoint, settings.forceable), " (", force, ")");
  }
  point.differences = DescribeDifferences(checkpoint, settings.changeable);
  return absl::OkStatus();
}

std::vector<std::string> PutAsideDamaged(const ResumePoint& point) {
  std::vector<std::string> lines;
  for (const auto& [path, why] : point.damaged) {
    const std::string aside = path + ".damaged";
    const bool moved = std::rename(path.c_str(), aside.c_str()) == 0;
    lines.push_back(absl::StrCat("warning: skipped a damaged checkpoint, ",
                                 moved ? "renamed to " + aside : "which could not be renamed", ": ",
                                 why));
  }
  return lines;
}

std::vector<std::string> DescribeResume(const ResumePoint& point, int64_t step,
                                        int64_t steps_per_epoch, int64_t last_step,
                                        const std::string& force) {
  std::vector<std::string> lines;
  lines.push_back(absl::StrCat(
      "resumed  from ", point.path, ": ",
      step == last_step ? std::string("all steps are done; raise --epochs to continue")
                        : absl::StrCat("epoch ", step / steps_per_epoch + 1, ", step ",
                                       step % steps_per_epoch, " of ", steps_per_epoch)));
  if (!point.note.empty()) lines.push_back("note     " + point.note);
  if (!point.differences.empty()) {
    lines.push_back("note     changed since the checkpoint: " + point.differences);
  }
  if (!point.forced.empty()) {
    lines.push_back("forced   " + point.forced);
  } else if (!force.empty()) {
    lines.push_back("note     --force was not needed");
  }
  return lines;
}

absl::StatusOr<int64_t> NextStep(const Checkpoint& checkpoint, int64_t steps_per_epoch,
                                 int64_t last_step, bool may_be_done) {
  int64_t step = 0;
  const CheckpointFacts& facts = checkpoint.facts;
  const bool other_epochs = facts.steps_per_epoch && *facts.steps_per_epoch != steps_per_epoch;
  if (facts.step && !other_epochs) {
    step = *facts.step;
  } else if (__builtin_mul_overflow(checkpoint.epoch, steps_per_epoch, &step) || step < 0) {
    return absl::DataLossError("has no readable step; use an earlier checkpoint");
  }
  if (step >= last_step && !(may_be_done && step == last_step)) {
    return absl::InvalidArgumentError(
        absl::StrCat("has ", step, " of ", last_step,
                     " steps done, so that nothing is left to do; raise --epochs"));
  }
  return step;
}

}  // namespace moco
