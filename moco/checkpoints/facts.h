// What a checkpoint says about itself beside its tensors, as one typed record.
#ifndef MOCO_CHECKPOINTS_FACTS_H_
#define MOCO_CHECKPOINTS_FACTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace moco {

// Settings that other parts than the run itself read, by their names in CheckpointFacts::settings.
// Most of them are canonical specs.
inline constexpr char kArchSetting[] = "arch";
inline constexpr char kHeadSetting[] = "head";
inline constexpr char kLossSetting[] = "loss";
inline constexpr char kViewsSetting[] = "views";
inline constexpr char kEvalViewsSetting[] = "eval-views";
inline constexpr char kExifSetting[] = "exif";  // "ignore" or "apply"

struct CheckpointFacts {
  // The settings that the checkpoint was computed with, by name: a flag's where a flag sets it.
  std::map<std::string, std::string> settings;

  std::string run;                         // identity of the run (moco/checkpoints/resume.h)
  std::optional<int64_t> step;             // steps that are done, from 0
  std::optional<int64_t> steps_per_epoch;  // at least 1
  std::set<int64_t> bad_images;            // met in the run's life: indices in the data
  std::vector<double> epoch_sums;          // of the epoch that is under way
  std::string forced;                      // differences that --force let pass, with the reasons

  // A classifier's.
  std::string classes;     // names, joined by '/'; empty: they have none
  std::string pretrained;  // the checkpoint that the encoder is from
  bool validated = true;   // after the last epoch that is done

  // The setting of that name; empty where the checkpoint does not say it.
  std::string Setting(absl::string_view name) const;

  bool operator==(const CheckpointFacts&) const = default;
};

// The record as the text-to-text dict `mocopp` of the file, and back. Reading takes the names of
// earlier versions, too. DataLoss, to be read after the checkpoint's name, when a number cannot be
// read.
std::map<std::string, std::string> WriteFacts(const CheckpointFacts& facts);
absl::StatusOr<CheckpointFacts> ReadFacts(const std::map<std::string, std::string>& dict);

}  // namespace moco

#endif  // MOCO_CHECKPOINTS_FACTS_H_
