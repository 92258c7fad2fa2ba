#include "tests/parity/run.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/parity/golden.h"

namespace parity {

TrainingRun::TrainingRun(const nlohmann::json& settings, at::ScalarType dtype)
    : settings_(settings),
      dtype_(dtype),
      communicator_(moco::Communicators().Create("single").value()),
      schedule_(
          moco::Schedules()
              .Create(settings.at("schedule").get<std::string>(),
                      moco::ScheduleContext{settings.at("epochs"), settings.at("steps_per_epoch")})
              .value()) {
  moco::MoCoOptions options;
  options.encoder = {.backbone = settings.at("backbone"),
                     .head = settings.at("head"),
                     .bn_splits = settings.at("splits")};
  options.loss = absl::StrCat("info_nce:temperature=", settings.at("temperature").dump());
  options.optimizer = absl::StrCat("sgd:weight_decay=", settings.at("weight_decay").dump());
  options.queue_size = settings.at("queue");
  options.momentum = settings.at("momentum");
  options.symmetric = settings.value("directions", 1) == 2;
  options.dtype = dtype;
  options.seed = settings.at("seed");
  Seed(options.seed);
  moco_ = moco::MoCo::Create(options, *communicator_).value();
}

moco::StepMetrics TrainingRun::Step(int64_t step) {
  const auto [x_q, x_k] = Views(step, settings_.at("batch"), settings_.at("size"));
  const double lr = settings_.at("lr").get<double>() * schedule_->Factor(step);
  return moco_->Step(x_q.to(dtype_), x_k.to(dtype_), lr, step).value();
}

}  // namespace parity
