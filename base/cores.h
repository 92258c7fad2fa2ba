// The number of CPU cores, which decides how many threads a program uses unless a flag says so.
#ifndef BASE_CORES_H_
#define BASE_CORES_H_

#include <string>

namespace base {

// Returns the number of CPU cores that the calling thread may run on (taskset, Slurm's and
// containers' sets of cores), hardware threads counted singly. At least 1, even if the system does
// not say.
int Cores();

// Names the machine and those cores: equal in processes that may run on the same ones.
std::string CoresId();

}  // namespace base

#endif  // BASE_CORES_H_
