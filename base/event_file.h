// TensorBoard's event files: records, one behind the other, of protocol buffers with checksums.
#ifndef BASE_EVENT_FILE_H_
#define BASE_EVENT_FILE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace base {

// The records' bytes, to be appended to a file "events.out.tfevents.<what distinguishes it>".
// `time` is in seconds since 1970.

// The first record of every file.
std::string EventFileVersion(double time);

// A run starts, or goes on, before `step`: TensorBoard forgets what earlier files have from there.
std::string SessionStart(double time, int64_t step);

// Numbers by name (in float32, which is what the format holds).
std::string ScalarEvent(double time, int64_t step,
                        const std::vector<std::pair<std::string, double>>& scalars);

}  // namespace base

#endif  // BASE_EVENT_FILE_H_
