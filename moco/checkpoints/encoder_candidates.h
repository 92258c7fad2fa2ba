// The places in a checkpoint where an encoder may be.
#ifndef MOCO_CHECKPOINTS_ENCODER_CANDIDATES_H_
#define MOCO_CHECKPOINTS_ENCODER_CANDIDATES_H_

#include <set>
#include <string>
#include <vector>

#include "moco/checkpoints/encoder_names.h"
#include "moco/checkpoints/state_dict.h"

namespace moco {

// Whether weights are averages of others (EncoderChoice::weights).
inline constexpr char kEma[] = "ema", kRaw[] = "raw";

// A prefix below which an encoder may be.
struct Candidate {
  std::string prefix;
  const EncoderNames* names;
  int rank = 0;                // of the order in FindEncoder's comment
  const char* weights = kRaw;  // or kEma
  StateDict tensors = {};      // below the prefix, with torchvision's names
};

// Returns the candidates among the tensors of a checkpoint in the order of FindEncoder's comment.
// `entries`: Checkpoint::entries. `own`: names of a backbone that is known already and is no
// ResNet; null otherwise.
std::vector<Candidate> Candidates(const StateDict& all, const std::set<std::string>& entries,
                                  const EncoderNames* own);

}  // namespace moco

#endif  // MOCO_CHECKPOINTS_ENCODER_CANDIDATES_H_
