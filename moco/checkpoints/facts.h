// What a checkpoint says about itself besides its tensors, as one typed record.
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

// Names in CheckpointFacts::settings of those settings that not only the run itself reads. Their
// values are canonical specs, except for kExifSetting and kRangeSetting.
inline constexpr char kArchSetting[] = "arch";
inline constexpr char kHeadSetting[] = "head";
inline constexpr char kLossSetting[] = "loss";
inline constexpr char kViewsSetting[] = "views";
inline constexpr char kEvalViewsSetting[] = "eval-views";
inline constexpr char kExifSetting[] = "exif";    // "ignore" or "apply"
inline constexpr char kRangeSetting[] = "range";  // data::WriteRange; empty: full scale

struct CheckpointFacts {
  // The settings with which the checkpoint was computed, by name (the flag's name if a flag sets
  // it).
  std::map<std::string, std::string> settings;

  std::string run;                         // identity of the run (moco/checkpoints/resume.h)
  std::optional<int64_t> step;             // number of steps done
  std::optional<int64_t> steps_per_epoch;  // at least 1
  std::set<int64_t> bad_images;            // indices of all bad images that the run has found
  std::vector<double> epoch_sums;          // of the current epoch
  std::string forced;                      // differences that --force allowed, with the reasons
  std::string init;  // fingerprint of the weights that pretraining started from; empty: drawn ones

  // Of a linear classifier.
  std::string classes;     // names, joined by '/'; empty: the classes have no names
  std::string pretrained;  // the checkpoint that contains the encoder
  bool validated = true;   // after the last complete epoch

  // Returns the setting of that name; empty if the checkpoint does not have it.
  std::string Setting(absl::string_view name) const;

  bool operator==(const CheckpointFacts&) const = default;
};

// Convert the record to and from the text-to-text dict `mocopp` of the file. Reading accepts the
// names of earlier versions, too. DataLoss, to be read after the checkpoint's name, if a number
// cannot be read.
std::map<std::string, std::string> WriteFacts(const CheckpointFacts& facts);
absl::StatusOr<CheckpointFacts> ReadFacts(const std::map<std::string, std::string>& dict);

}  // namespace moco

#endif  // MOCO_CHECKPOINTS_FACTS_H_
