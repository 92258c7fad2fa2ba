// Settings of papers and programs, as presets of the program pretrain.
#ifndef MOCO_PRESETS_H_
#define MOCO_PRESETS_H_

#include <vector>

#include "base/program.h"

namespace moco {

std::vector<base::Preset> Presets();

}  // namespace moco

#endif  // MOCO_PRESETS_H_
