// What a pretraining run takes, measured with LibTorch.
#ifndef TOOLS_DOCTOR_ESTIMATE_H_
#define TOOLS_DOCTOR_ESTIMATE_H_

#include "absl/status/statusor.h"
#include "data/dataset.h"
#include "tools/doctor/advice.h"
#include "tools/doctor/cost.h"

namespace doctor {

// A CostOf. Memory and files are those of moco/training/footprint.h; the time is that of a few
// steps of a smaller batch, with the images of `dataset`, their views and this machine's threads.
absl::StatusOr<Cost> EstimateCost(const RunPlan& plan, const data::Dataset& dataset,
                                  double trial_seconds);

}  // namespace doctor

#endif  // TOOLS_DOCTOR_ESTIMATE_H_
