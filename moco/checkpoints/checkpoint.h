// Checkpoints: the reference's `.pth.tar` files, with additional entries for an exact resume.
#ifndef MOCO_CHECKPOINTS_CHECKPOINT_H_
#define MOCO_CHECKPOINTS_CHECKPOINT_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "moco/checkpoints/facts.h"
#include "moco/checkpoints/state_dict.h"
#include "tensors/dtype.h"

namespace moco {

// Names and prefixes in the state_dict of pretraining, as in the reference.
inline constexpr char kQueryEncoder[] = "module.encoder_q.";
inline constexpr char kKeyEncoder[] = "module.encoder_k.";
inline constexpr char kQueue[] = "module.queue";
inline constexpr char kQueuePointer[] = "module.queue_ptr";

// The dict of facebookresearch/moco:
//   epoch       the epoch to continue with (the current one in a checkpoint within an epoch)
//   arch        torchvision's name of the backbone; of files without this entry, what
//               named_network.h finds
//   state_dict  both encoders, the queue and its pointer, under the names above
//   optimizer   as torch.optim.SGD.state_dict(), or another optimizer of torch.optim
// and one more entry:
//   mocopp      text to text: CheckpointFacts
struct Checkpoint {
  int64_t epoch = 0;
  std::string arch;
  StateDict state;

  struct OptimizerState {
    double lr = 0;
    std::vector<std::pair<std::string, std::vector<double>>> constants;
    int64_t parameters = 0;  // in the optimizer, including those without a gradient
    // For each slot ("momentum_buffer"), one tensor for each of the first parameters.
    std::vector<std::pair<std::string, std::vector<at::Tensor>>> slots;
  } optimizer;

  std::map<std::string, double> numbers;  // further entries of the dict, such as best_acc1
  CheckpointFacts facts;

  // --- Only of files that are read ---

  // The tensors outside `state`, except for the optimizer's, by the keys that lead to them:
  // "state_dict_ema.conv1.weight".
  StateDict elsewhere;
  // What is neither a tensor that can be read nor a dict of tensors: its name and its kind.
  std::map<std::string, std::string> unread;
  std::set<std::string> entries;  // the keys of the whole dict
};

// What is wrong with an entry of Checkpoint::unread that should be a tensor, and what to do.
std::string NotATensor(absl::string_view name, absl::string_view kind);

// Returns the name of a dtype in files; null if files cannot hold it.
const tensors::DType* DTypeOf(at::ScalarType type);

// Writes atomically: a reader finds the old file or the whole new one; base::WriteFileAtomically
// says which of them remains after an error. Creates the folder if it does not exist.
// ResourceExhausted if the disk is full.
absl::Status WriteCheckpoint(const std::string& path, const Checkpoint& checkpoint);

// The same for a dict of tensors, as torch.save writes a state_dict.
absl::Status WriteStateDict(const std::string& path, const StateDict& state);

// The same for a single tensor.
absl::Status WriteTensor(const std::string& path, const at::Tensor& tensor);

// Reads what tensors/tensor_file.h does: zip, legacy and safetensors files and pickles. If there is
// no state_dict, the dict "model" serves as one, or the whole file; dicts in it are joined, with
// names such as "teacher.conv1.weight". DataLoss if the file is truncated or damaged,
// InvalidArgument if it is something else, or has no tensor, NotFound; the message names the file.
// Entries that the file lacks stay empty.
absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path);

// Prefixes of the paths of a run's checkpoints, below the run folder: in a folder of their own, or
// beside the other files, with the names of the reference's 96x96 adaptation.
inline constexpr char kCheckpoints[] = "checkpoints/checkpoint";
inline constexpr char kFlatCheckpoints[] = "moco_unsupervised";

// What follows a prefix, in order of time:
//   checkpoint_0003.pth.tar             epoch 3 (counted from 0) is done
//   checkpoint_0004_step_00017.pth.tar  17 steps of epoch 4 are done
std::string CheckpointName(const std::string& prefix, int64_t epoch, int64_t steps,
                           int64_t steps_per_epoch);

// Returns the checkpoints of pretraining in a run folder, oldest first; empty if there are none or
// the folder does not exist.
std::vector<std::string> ListCheckpoints(const std::string& run_folder);

// Returns the newest checkpoint of pretraining in `runs`, which is a run folder or a folder of run
// folders. NotFound if there is none; InvalidArgument for a folder of torch.distributed.checkpoint,
// and for one with files of other programs, of which the message names one.
absl::StatusOr<std::string> NewestCheckpoint(const std::string& runs);

// Removes all but the newest `keep` checkpoints (0: keeps all). Also removes checkpoints within an
// epoch, which serve only to resume, unless they are among the newest two.
void RemoveOldCheckpoints(const std::string& run_folder, int64_t keep);

}  // namespace moco

#endif  // MOCO_CHECKPOINTS_CHECKPOINT_H_
