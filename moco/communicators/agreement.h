// What the ranks of a run make sure of together. All of it is collective (communicator.h), and all
// ranks come to the same result.
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

// Name (a flag's, where one sets it) and value, as a checkpoint holds them.
using Settings = std::vector<std::pair<std::string, std::string>>;

// The text of every rank, by rank.
std::vector<std::string> AllGatherText(Communicator& communicator, const std::string& text);

// OK when all ranks have the same settings; InvalidArgument names the first flag that two have
// otherwise, with both values.
absl::Status CheckSameSettings(Communicator& communicator, const Settings& settings);

// Internal when a rank's tensors differ from rank 0's in a bit, naming the ranks. `what` and `step`
// are for the message.
absl::Status CheckSameTensors(Communicator& communicator, const std::vector<at::Tensor>& tensors,
                              const std::string& what, int64_t step);

// The numbers that any rank has.
std::set<int64_t> Union(Communicator& communicator, const std::set<int64_t>& numbers);

// The features of images that the ranks took in turn, `total` in all, by image: own is n x D on
// each rank, n = total / size or one more.
at::Tensor AllGatherUneven(Communicator& communicator, const at::Tensor& own, int64_t total);

// Whether all are to stop: base::StopRequested(), when any rank was asked to.
absl::Status StopRequested(Communicator& communicator);

// Rank 0's word.
bool RankZeroSays(Communicator& communicator, bool own);

}  // namespace moco

#endif  // MOCO_COMMUNICATORS_AGREEMENT_H_
