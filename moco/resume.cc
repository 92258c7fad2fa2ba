#include "moco/resume.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <tuple>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace moco {
namespace {

constexpr int64_t kHashedBytes = 1024;  // of each tensor: any step changes all of them

// FNV-1a, which gives the same everywhere.
class Hash {
 public:
  void Add(absl::string_view bytes) {
    for (const unsigned char c : bytes) state_ = (state_ ^ c) * 0x100000001b3;
  }
  std::string Text() const { return absl::StrCat(absl::Hex(state_, absl::kZeroPad16)); }

 private:
  uint64_t state_ = 0xcbf29ce484222325;
};

// Two checkpoints of a run in their order in time.
std::tuple<int64_t, int64_t> Position(const Checkpoint& checkpoint) {
  int64_t step = 0;
  const auto saved = checkpoint.mocopp.find("step");
  if (saved != checkpoint.mocopp.end() && !absl::SimpleAtoi(saved->second, &step)) step = 0;
  return {checkpoint.epoch, step};
}

// The first setting that the checkpoint has otherwise; null when there is none.
const Settings::value_type* FirstDifference(const Checkpoint& checkpoint,
                                            const Settings& settings) {
  for (const auto& setting : settings) {
    const auto saved = checkpoint.mocopp.find(setting.first);
    if (saved != checkpoint.mocopp.end() && saved->second != setting.second) return &setting;
  }
  return nullptr;
}

absl::Status Differs(const Checkpoint& checkpoint, const Settings::value_type& setting,
                     absl::string_view remedy) {
  const auto& [flag, value] = setting;
  return absl::InvalidArgumentError(absl::StrCat("was written with '", checkpoint.mocopp.at(flag),
                                                 "', this run has '", value, "'; change --", flag,
                                                 remedy));
}

}  // namespace

std::string NewRunId(const Settings& settings) {
  Hash hash;
  for (const auto& [name, value] : settings) hash.Add(absl::StrCat(name, "=", value, "\n"));
  return hash.Text();
}

std::string RunId(const Checkpoint& checkpoint) {
  const auto saved = checkpoint.mocopp.find("run");
  if (saved != checkpoint.mocopp.end()) return saved->second;
  Hash hash;
  for (const auto& [name, tensor] : checkpoint.state) {
    const at::Tensor bytes = tensor.contiguous();
    hash.Add(name);
    hash.Add({static_cast<const char*>(bytes.const_data_ptr()),
              static_cast<size_t>(std::min<int64_t>(bytes.nbytes(), kHashedBytes))});
  }
  return absl::StrCat("from_", hash.Text());
}

absl::StatusOr<ResumePoint> FindResumePoint(const std::string& asked,
                                            const std::vector<std::string>& in_folder) {
  ResumePoint point;
  std::optional<Checkpoint> first;  // that was asked for
  absl::Status failure;             // of the one that was looked at first
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
          "'", *path, "' is of another run than '", asked, "', or does not say; give it as ",
          "--resume to go on from it, or another folder for this run"));
    }
    if (first) point.note = absl::StrCat("newer than --resume ", asked, ", of the same run");
    point.path = *path;
    point.checkpoint = *std::move(read);
    return point;
  }
  if (!first) return failure;
  point.path = asked;
  point.checkpoint = *std::move(first);
  return point;
}

std::vector<std::string> SetAside(const std::vector<ResumePoint::Damaged>& damaged) {
  std::vector<std::string> said;
  for (const auto& [path, why] : damaged) {
    const std::string aside = path + ".damaged";
    const bool moved = std::rename(path.c_str(), aside.c_str()) == 0;
    said.push_back(absl::StrCat(
        "passed over, ", moved ? "now " + aside : std::string("cannot be renamed"), ": ", why));
  }
  return said;
}

absl::Status CheckSettings(const Checkpoint& checkpoint, const Settings& settings) {
  const auto* setting = FirstDifference(checkpoint, settings);
  if (setting == nullptr) return absl::OkStatus();
  if (setting->first == "program") {
    return absl::InvalidArgumentError(absl::StrCat(
        "was written by ", checkpoint.mocopp.at("program"), ", not by ", setting->second,
        "; give a checkpoint, or a run folder, of ", setting->second));
  }
  return Differs(checkpoint, *setting, " or start anew");
}

absl::Status CheckForced(const Checkpoint& checkpoint, const Settings& settings,
                         const std::string& reason) {
  const auto* setting = FirstDifference(checkpoint, settings);
  if (setting == nullptr || !reason.empty()) return absl::OkStatus();
  return Differs(checkpoint, *setting, ", start anew, or insist by --force=REASON");
}

std::string DescribeDifferences(const Checkpoint& checkpoint, const Settings& settings) {
  std::string differences;
  for (const auto& [flag, value] : settings) {
    const auto saved = checkpoint.mocopp.find(flag);
    if (saved == checkpoint.mocopp.end() || saved->second == value) continue;
    absl::StrAppend(&differences, differences.empty() ? "" : "; ", flag, " was ", saved->second,
                    ", is ", value);
  }
  return differences;
}

absl::StatusOr<int64_t> NextStep(const Checkpoint& checkpoint, int64_t steps_per_epoch,
                                 int64_t last_step, bool may_be_done) {
  int64_t step = 0;
  const auto saved = checkpoint.mocopp.find("step");
  const auto length = checkpoint.mocopp.find("steps_per_epoch");
  const bool other_epochs =
      length != checkpoint.mocopp.end() && length->second != absl::StrCat(steps_per_epoch);
  const bool read = saved != checkpoint.mocopp.end() && !other_epochs
                        ? absl::SimpleAtoi(saved->second, &step)
                        : !__builtin_mul_overflow(checkpoint.epoch, steps_per_epoch, &step);
  if (!read || step < 0) return absl::DataLossError("has no readable step; use an earlier one");
  if (step >= last_step && !(may_be_done && step == last_step)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "has ", step, " of ", last_step, " steps done: nothing is left to do; raise --epochs"));
  }
  return step;
}

}  // namespace moco
