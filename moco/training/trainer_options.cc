#include "moco/training/trainer_options.h"

#include <ATen/Parallel.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "augment/augmentation.h"
#include "data/image_names.h"
#include "data/values.h"
#include "moco/backbones/backbone.h"
#include "moco/heads/head.h"
#include "moco/losses/loss.h"
#include "moco/optimizers/optimizer.h"
#include "moco/schedules/schedule.h"
#include "moco/training/cuda_devices.h"
#include "moco/training/run_description.h"
#include "registry/options.h"

namespace moco {

absl::StatusOr<TrainerOptions> Canonical(TrainerOptions options) {
  const std::pair<const registry::Table&, std::string&> specs[] = {
      {Backbones(), options.moco.encoder.backbone},
      {Heads(), options.moco.encoder.head},
      {Losses(), options.moco.loss},
      {Optimizers(), options.moco.optimizer},
      {Schedules(), options.schedule}};
  for (const auto& [table, spec] : specs) {
    auto canonical = table.Canonical(spec);
    if (!canonical.ok()) return canonical.status();
    spec = *canonical;
  }
  for (std::string* views : {&options.views, &options.eval_views}) {
    auto pipeline =
        augment::Pipeline::Create(*views, *ImageChannels(options.moco.encoder.backbone));
    if (!pipeline.ok()) return pipeline.status();
    *views = pipeline->spec();
  }
  return options;
}

RunSettings SettingsOf(const TrainerOptions& options, const data::Dataset& images, int64_t ranks) {
  const MoCoOptions& m = options.moco;
  RunSettings settings;
  settings.identity = {{"program", "pretrain"},
                       {kArchSetting, m.encoder.backbone},
                       {kHeadSetting, m.encoder.head},
                       {"moco-k", absl::StrCat(m.queue_size)},
                       {"bn-splits", absl::StrCat(m.encoder.bn_splits)},
                       {"symmetric", m.symmetric ? "true" : "false"},
                       {"precision", m.bf16                   ? "bf16"
                                     : m.dtype == at::kDouble ? "fp64"
                                                              : "fp32"},
                       {"seed", absl::StrCat(options.seed)}};
  settings.forceable = {{kViewsSetting, options.views},
                        {"data", absl::StrCat(images.size(), " images")},
                        {kImageNamesSetting, data::DigestOfNames(images, /*with_labels=*/false)},
                        {"batch-size", absl::StrCat(options.batch_size)},
                        {kExifSetting, options.decode.apply_exif ? "apply" : "ignore"},
                        {kRangeSetting, data::WriteRange(options.decode.range)}};
  settings.changeable = {{kLossSetting, m.loss},
                         {"optimizer", m.optimizer},
                         {"moco-m", registry::WriteValue(m.momentum)},
                         {"lr", registry::WriteValue(options.lr)},
                         {"schedule", options.schedule},
                         {"epochs", absl::StrCat(options.epochs)},
                         {"max-megapixels", absl::StrCat(options.decode.max_pixels / 1'000'000)},
                         // Micro-batches, as ranks, only divide a step's batch statistics.
                         {"accumulate", absl::StrCat(m.accumulate)},
                         {"ranks", absl::StrCat(ranks)},
                         // On another machine or with other threads, the results are equally valid,
                         // but differ in the last bits.
                         {"threads", absl::StrCat(at::get_num_threads())},
                         {"cpu", CpuForResults()},
                         {"device", DeviceSetting(m.device)}};
  return settings;
}

Settings FurtherSettingsOf(const TrainerOptions& options) {
  return {{"shuffle-keys", options.shuffle},
          {kEvalViewsSetting, options.eval_views},
          {"checkpoint-every", absl::StrCat(options.checkpoint_every)},
          {"checkpoint-minutes", registry::WriteValue(options.checkpoint_minutes)},
          {"knn-every", absl::StrCat(options.knn_every)},
          {"knn-k", absl::StrCat(options.knn_k)},
          {"knn-t", registry::WriteValue(options.knn_temperature)},
          {"probe", options.probe ? "true" : "false"},
          {"monitor-every", absl::StrCat(options.monitor_every)},
          {"monitor-images", absl::StrCat(options.monitor_images)},
          {"start-epoch", absl::StrCat(options.start_epoch)}};
}

}  // namespace moco
