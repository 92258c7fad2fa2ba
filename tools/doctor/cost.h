// What a run takes, as //moco:pretrain says it (--estimate).
#ifndef TOOLS_DOCTOR_COST_H_
#define TOOLS_DOCTOR_COST_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/doctor/advice.h"

namespace doctor {

struct Cost {
  double memory = 0, machine_memory = 0;  // bytes
  double checkpoint = 0;                  // bytes, of one file
  int64_t checkpoints = 0;                // that the run leaves
  int64_t steps = 0;
  double seconds = 0;                         // of the whole run; 0: not known
  int64_t tried_steps = 0, tried_images = 0;  // how many steps were tried, of how many images each
};

// The line that `pretrain --estimate` prints. DataLoss if it is something else.
absl::StatusOr<Cost> ReadCost(absl::string_view json);

// The cost of a run with these words of a command line. InvalidArgument if pretrain refuses them;
// other errors if it does not say.
using CostOf = std::function<absl::StatusOr<Cost>(const std::string& words)>;

// Starts the program `pretrain`.
CostOf CostBy(const std::string& pretrain);

// Changes the advice until the run fits the machine, and returns what it then takes. Where nothing
// fits, the last that was tried. `data`: as for CommandLine. `disk`: bytes that are free.
absl::StatusOr<Cost> FitMachine(const CostOf& cost_of, const std::vector<std::string>& data,
                                double disk, Advice& advice);

// Lines as the programs print settings: memory, disk, and the time if it is known.
std::vector<std::string> DescribeCost(const Cost& cost, int64_t epochs, double disk);

}  // namespace doctor

#endif  // TOOLS_DOCTOR_COST_H_
