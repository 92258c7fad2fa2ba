// What a run takes. The estimate of //tools/doctor:estimate needs LibTorch; what is said of it does
// not.
#ifndef TOOLS_DOCTOR_COST_H_
#define TOOLS_DOCTOR_COST_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/dataset.h"
#include "tools/doctor/advice.h"

namespace doctor {

struct Cost {
  double memory = 0;                          // bytes
  double checkpoint = 0;                      // bytes, of one file
  double seconds_per_step = 0;                // 0: not tried
  int64_t tried_steps = 0, tried_images = 0;  // how many steps were tried, of how many images each
};

// Estimates the cost of a run on `dataset`. Tries steps for about `trial_seconds`; 0: none, and the
// time is not known. InvalidArgument if the settings do not go together.
using CostOf = std::function<absl::StatusOr<Cost>(const RunPlan& plan, const data::Dataset& dataset,
                                                  double trial_seconds)>;

// The machine's memory in bytes, and the bytes that are free where runs/ would be.
struct Machine {
  double memory, disk;
};
Machine ThisMachine(const std::string& folder);

// Changes the advice until the run fits the machine, and returns what it then takes. Where nothing
// fits, the last that was tried.
absl::StatusOr<Cost> FitMachine(const CostOf& cost_of, const data::Dataset& dataset,
                                const Machine& machine, double trial_seconds, Advice& advice);

// Checkpoints that the run leaves, one for each epoch.
int64_t Checkpoints(const RunPlan& plan);

// Lines as the programs print settings: memory, disk, and the time if it is known.
std::vector<std::string> DescribeCost(const Cost& cost, const RunPlan& plan,
                                      const Machine& machine);

}  // namespace doctor

#endif  // TOOLS_DOCTOR_COST_H_
