// TensorBoard's event files: a sequence of records, each a protocol buffer with checksums.
#ifndef BASE_EVENT_FILE_H_
#define BASE_EVENT_FILE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace base {

// The functions return the bytes of a record, to be appended to a file named
// "events.out.tfevents.<unique suffix>". `time` is in seconds since 1970.

// The first record of every file.
std::string EventFileVersion(double time);

// Says that a run starts or continues at `step`: TensorBoard then drops what earlier files hold
// from that step on.
std::string SessionStart(double time, int64_t step);

// Numbers by name, in float32, the precision of the format.
std::string ScalarEvent(double time, int64_t step,
                        const std::vector<std::pair<std::string, double>>& scalars);

}  // namespace base

#endif  // BASE_EVENT_FILE_H_
