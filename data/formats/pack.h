// Packed data sets: one file, mapped into memory, with a checksum of everything.
#ifndef DATA_FORMATS_PACK_H_
#define DATA_FORMATS_PACK_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "data/dataset.h"

namespace data {

// Writes all images of `dataset`, with names, labels, classes and what is usual for views, to
// `path`, atomically. Images stay the JPEG or PNG files that they are; with `decoded`, and where
// they are none, they become pixels. `progress` is called with the number of images that are
// written. Errors: an image that cannot be read, naming it, and a place that cannot be written.
absl::Status WritePack(const Dataset& dataset, Split split, bool decoded, const std::string& path,
                       const std::function<void(int64_t)>& progress);

}  // namespace data

#endif  // DATA_FORMATS_PACK_H_
