// Checkpoints: the reference's `.pth.tar`, with what an exact resume needs beside its entries.
#ifndef MOCO_CHECKPOINTS_CHECKPOINT_H_
#define MOCO_CHECKPOINTS_CHECKPOINT_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "moco/checkpoints/facts.h"
#include "moco/checkpoints/state_dict.h"
#include "tensors/dtype.h"

namespace moco {

// Where the state_dict of pretraining keeps what: the reference's names and prefixes.
inline constexpr char kQueryEncoder[] = "module.encoder_q.";
inline constexpr char kKeyEncoder[] = "module.encoder_k.";
inline constexpr char kQueue[] = "module.queue";
inline constexpr char kQueuePointer[] = "module.queue_ptr";

// The dict of facebookresearch/moco:
//   epoch       the epoch to go on with (the one that is under way in a checkpoint within an epoch)
//   arch        torchvision's name of the backbone
//   state_dict  both encoders, the queue and its pointer, under the names above
//   optimizer   as torch.optim.SGD.state_dict(), or that of another of torch.optim
// and of ours:
//   mocopp      text to text: CheckpointFacts
struct Checkpoint {
  int64_t epoch = 0;
  std::string arch;
  StateDict state;

  struct OptimizerState {
    double lr = 0;
    std::vector<std::pair<std::string, std::vector<double>>> constants;
    int64_t parameters = 0;  // in the optimizer, those without a gradient included
    // Of each slot ("momentum_buffer"), one tensor for each of the first parameters.
    std::vector<std::pair<std::string, std::vector<at::Tensor>>> slots;
  } optimizer;

  std::map<std::string, double> numbers;  // further entries of the dict, such as best_acc1
  CheckpointFacts facts;
};

// The name of a dtype in files; null when files do not hold it.
const tensors::DType* DTypeOf(at::ScalarType type);

// Atomically: after any failure the file is the old one. Makes the folder where it is missing.
// ResourceExhausted when the disk is full.
absl::Status WriteCheckpoint(const std::string& path, const Checkpoint& checkpoint);

// The same of a dict of tensors alone, as torch.save writes a state_dict.
absl::Status WriteStateDict(const std::string& path, const StateDict& state);

// The same of a single tensor.
absl::Status WriteTensor(const std::string& path, const at::Tensor& tensor);

// Reads what tensors/tensor_file.h does: zip, legacy and safetensors files and pickles. Without a
// state_dict the dict "model" is taken for it, or vissl's trunk, or all of the file. DataLoss when
// the file is cut or damaged, InvalidArgument when it is something else, NotFound; the message
// names the file. Entries that the file lacks stay empty.
absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path);

// Where a run has its checkpoints and what their names begin with, below the run folder: in a
// folder of their own, or beside everything else under the names of the reference's 96x96
// adaptation.
inline constexpr char kCheckpoints[] = "checkpoints/checkpoint";
inline constexpr char kFlatCheckpoints[] = "moco_unsupervised";

// Names behind either, and their order in time:
//   checkpoint_0003.pth.tar             epoch 3 (counted from 0) is done
//   checkpoint_0004_step_00017.pth.tar  17 steps of epoch 4 are done
std::string CheckpointName(const std::string& prefix, int64_t epoch, int64_t steps,
                           int64_t steps_per_epoch);

// The checkpoints of pretraining in a run folder, oldest first; empty when there are none or no
// such folder.
std::vector<std::string> ListCheckpoints(const std::string& run_folder);

// Leaves the newest `keep` of them (0: all). Those within an epoch are for going on alone: they
// leave when they are not among the newest two.
void RemoveOldCheckpoints(const std::string& run_folder, int64_t keep);

}  // namespace moco

#endif  // MOCO_CHECKPOINTS_CHECKPOINT_H_
