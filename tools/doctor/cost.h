// What a run takes, as //moco:pretrain says it (--dry-run).
#ifndef TOOLS_DOCTOR_COST_H_
#define TOOLS_DOCTOR_COST_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "moco/before/cost.h"
#include "tools/doctor/advice.h"

namespace doctor {

using moco::Cost;

// The cost of a run with these words of a command line. InvalidArgument if pretrain refuses them;
// other errors if it does not say.
using CostOf = std::function<absl::StatusOr<Cost>(const std::string& words)>;

// Starts the program `pretrain`.
CostOf CostBy(const std::string& pretrain);

// Changes the advice until the run fits the machine, and returns what it then takes. Where nothing
// fits, the last that was tried. `data`: as for CommandLine. `disk`: bytes that are free.
absl::StatusOr<Cost> FitMachine(const CostOf& cost_of, const std::vector<std::string>& data,
                                double disk, Advice& advice);

}  // namespace doctor

#endif  // TOOLS_DOCTOR_COST_H_
