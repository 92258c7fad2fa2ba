// The images that the programs come with: 5,000 for training in train/, 1,000 for testing in test/.
#ifndef DATA_DEMO_DEMO_H_
#define DATA_DEMO_DEMO_H_

#include <string>

#include "absl/status/statusor.h"

namespace data {

// The folder of the demo's images. NotFound when the program has been moved away from its runfiles.
absl::StatusOr<std::string> DemoFolder();

}  // namespace data

#endif  // DATA_DEMO_DEMO_H_
