#include "lincls/linear_settings.h"

#include <ATen/Parallel.h>

#include "absl/strings/str_cat.h"
#include "data/image_names.h"
#include "data/values.h"
#include "lincls/classifier_checkpoint.h"
#include "moco/schedules/schedule.h"
#include "moco/training/cuda_devices.h"
#include "moco/training/run_description.h"
#include "registry/options.h"

namespace lincls {

moco::RunSettings SettingsOf(const LinearOptions& options, const LinearData& data,
                             const FrozenBackbone& encoder, const std::string& views,
                             int64_t ranks) {
  moco::RunSettings settings;
  settings.identity = {{"program", "lincls"},
                       {moco::kArchSetting, encoder.spec()},
                       {"batch-size", absl::StrCat(options.batch_size)},
                       {"seed", absl::StrCat(options.seed)},
                       {"precision", encoder.bf16() ? "bf16" : "fp32"},
                       {"finetune", encoder.frozen() ? "false" : "true"}};
  settings.forceable = {
      {moco::kViewsSetting, views},
      {"data", absl::StrCat(data.train.size(), " images")},
      {moco::kImageNamesSetting, data::DigestOfNames(data.train, /*with_labels=*/true)},
      {moco::kValidationNamesSetting, data::DigestOfNames(data.validation, /*with_labels=*/true)},
      {moco::kExifSetting, options.decode.apply_exif ? "apply" : "ignore"},
      {moco::kRangeSetting, data::WriteRange(options.decode.range)}};
  settings.changeable = {{"lr", registry::WriteValue(options.lr)},
                         {"schedule", moco::Schedules().Canonical(options.schedule).value()},
                         {"momentum", registry::WriteValue(options.momentum)},
                         {"weight-decay", registry::WriteValue(options.weight_decay)},
                         {"epochs", absl::StrCat(options.epochs)},
                         {"max-megapixels", absl::StrCat(options.decode.max_pixels / 1'000'000)},
                         {"ranks", absl::StrCat(ranks)},
                         {"threads", absl::StrCat(at::get_num_threads())},
                         {"cpu", moco::CpuForResults()},
                         {"device", moco::DeviceSetting(encoder.device())}};
  return settings;
}

moco::Settings FurtherSettingsOf(const LinearOptions& options, const LinearData& data) {
  return {{moco::kEvalViewsSetting, options.eval_views},
          {"start-epoch", absl::StrCat(options.start_epoch)},
          {"classes", ClassNames(data.train.classes())},
          {"validation", absl::StrCat(data.validation.size(), " images")}};
}

}  // namespace lincls
