#include "data/image_names.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/fnv.h"

namespace data {

std::string DigestOfNames(const Dataset& dataset, bool with_labels) {
  std::string common = dataset.Name(0);
  for (int64_t i = 1; i < dataset.size(); ++i) {
    const std::string name = dataset.Name(i);
    const auto end = std::mismatch(common.begin(), common.end(), name.begin(), name.end()).first;
    common.erase(end, common.end());
  }
  const size_t begin = common.rfind('/') + 1;  // npos + 1 is 0
  base::Fnv digest;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const std::string name = dataset.Name(i);
    digest.Add(absl::string_view(name).substr(begin));
    // A zero ends a name, since no name has one.
    digest.Add(absl::string_view("\0", 1));
    if (with_labels) digest.Add(absl::StrCat(dataset.Label(i), "\n"));
  }
  return digest.Text();
}

}  // namespace data
