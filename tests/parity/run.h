// A run of MoCo that both sides make from the same settings (make_golden.py, float32_test.py).
#ifndef TESTS_PARITY_RUN_H_
#define TESTS_PARITY_RUN_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>

#include "moco/communicators/communicator.h"
#include "moco/moco.h"
#include "moco/schedules/schedule.h"

namespace parity {

class TrainingRun {
 public:
  // `settings`: backbone, head, splits, batch, size, queue, temperature, momentum, lr,
  // weight_decay, schedule, epochs, steps_per_epoch, seed, and directions (1, or 2: symmetric).
  TrainingRun(const nlohmann::json& settings, at::ScalarType dtype);

  // Computes one step on two noisy views of the same images, which depend only on the number of the
  // step.
  moco::StepMetrics Step(int64_t step);

  moco::MoCo& model() { return *moco_; }

 private:
  const nlohmann::json settings_;
  const at::ScalarType dtype_;
  const std::unique_ptr<moco::Communicator> communicator_;
  const std::unique_ptr<moco::Schedule> schedule_;
  std::unique_ptr<moco::MoCo> moco_;
};

}  // namespace parity

#endif  // TESTS_PARITY_RUN_H_
