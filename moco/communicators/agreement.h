// Checks that the ranks of a run make together. All functions are collective (communicator.h), and
// return the same result on all ranks.
#ifndef MOCO_COMMUNICATORS_AGREEMENT_H_
#define MOCO_COMMUNICATORS_AGREEMENT_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "moco/communicators/communicator.h"

namespace moco {

// Name (the flag's name if a flag sets it) and value, as in checkpoints.
using Settings = std::vector<std::pair<std::string, std::string>>;

// Returns the text of every rank, by rank.
std::vector<std::string> AllGatherText(Communicator& communicator, const std::string& text);

// OK if all ranks have the same settings; InvalidArgument names the first setting that differs
// between two ranks, with both values.
absl::Status CheckSameSettings(Communicator& communicator, const Settings& settings);

// Internal, naming the ranks, if any bit of a rank's tensors differs from rank 0's. `what` and
// `step` are for the message.
absl::Status CheckSameTensors(Communicator& communicator, const std::vector<at::Tensor>& tensors,
                              const std::string& what, int64_t step);

// Returns the union of the numbers of all ranks.
std::set<int64_t> Union(Communicator& communicator, const std::set<int64_t>& numbers);

// Returns the features of all `total` images, in their order, if the ranks have taken the images in
// turn: own is n x D on each rank, n = total / size, rounded up or down.
at::Tensor AllGatherUneven(Communicator& communicator, const at::Tensor& own, int64_t total);

// Returns base::StopRequested(), on all ranks if any rank has received a signal.
absl::Status StopRequested(Communicator& communicator);

// Returns once all ranks have called it.
void WaitForAll(Communicator& communicator);

// Returns rank 0's value of `own`.
bool RankZeroSays(Communicator& communicator, bool own);

}  // namespace moco

#endif  // MOCO_COMMUNICATORS_AGREEMENT_H_
