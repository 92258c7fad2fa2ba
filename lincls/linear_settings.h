// Which options of the linear protocol identify a run.
#ifndef LINCLS_LINEAR_SETTINGS_H_
#define LINCLS_LINEAR_SETTINGS_H_

#include <cstdint>
#include <string>

#include "lincls/encoders/frozen_backbone.h"
#include "lincls/linear_trainer.h"
#include "lincls/linear_validation.h"
#include "moco/checkpoints/resume.h"

namespace lincls {

// Returns the settings that the checkpoints of a run hold. `views`: the canonical spec of the views
// of training; `options` must have a schedule that exists.
moco::RunSettings SettingsOf(const LinearOptions& options, const LinearData& data,
                             const FrozenBackbone& encoder, const std::string& views,
                             int64_t ranks);

// Returns further settings that must be the same on every rank.
moco::Settings FurtherSettingsOf(const LinearOptions& options, const LinearData& data);

}  // namespace lincls

#endif  // LINCLS_LINEAR_SETTINGS_H_
