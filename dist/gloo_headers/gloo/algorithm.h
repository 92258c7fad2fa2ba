// The wheel of LibTorch has Gloo's code but not its headers, which ProcessGroupGloo.hpp includes.
// These declare as much of them as it takes to create that class and to call what it overrides of
// c10d::Backend: names in signatures, and base classes that its own vtable, inside the library,
// knows better. Nothing here may be constructed, derived from or called by us.
#ifndef GLOO_ALGORITHM_H_
#define GLOO_ALGORITHM_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#endif  // GLOO_ALGORITHM_H_
