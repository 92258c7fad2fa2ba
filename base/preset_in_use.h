// The preset that a program runs with.
#ifndef BASE_PRESET_IN_USE_H_
#define BASE_PRESET_IN_USE_H_

#include "base/program.h"

namespace base {

// The preset that ApplyPreset (program.h) has used last; without name and flags if there is none.
const Preset& PresetInUse();

}  // namespace base

#endif  // BASE_PRESET_IN_USE_H_
