// What a run takes in memory, disk space and time: the result of `pretrain --dry-run`, which writes
// it and which the doctor reads. Needs no LibTorch.
#ifndef MOCO_BEFORE_COST_H_
#define MOCO_BEFORE_COST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace moco {

struct Cost {
  double memory = 0, machine_memory = 0;  // bytes
  double checkpoint = 0;                  // bytes, of one file
  int64_t checkpoints = 0;                // that the run leaves
  int64_t steps = 0;                      // that are to be done
  int64_t steps_per_epoch = 0;
  double seconds = 0;                         // of these steps; 0: not known
  int64_t tried_steps = 0, tried_images = 0;  // how many steps were tried, of how many images each
};

// As JSON, in one line.
std::string CostJson(const Cost& cost);

// The inverse. DataLoss if `json` is something else.
absl::StatusOr<Cost> ReadCost(absl::string_view json);

// Lines as the programs print settings: memory, disk, and the time if it is known. `disk`: bytes
// that are free.
std::vector<std::string> DescribeCost(const Cost& cost, double disk);

}  // namespace moco

#endif  // MOCO_BEFORE_COST_H_
