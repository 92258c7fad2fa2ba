// Packed data sets: one file that is mapped into memory, with checksums of its index and images.
#ifndef DATA_FORMATS_PACK_H_
#define DATA_FORMATS_PACK_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "data/dataset.h"

namespace data {

// Writes all images of `dataset`, with names, labels, classes and view defaults, to `path`,
// atomically. Image files are copied as they are; with `decoded`, and where the data set does not
// keep files, pixels are written; `dataset` has to be opened with DecodeOptions::raw, so that these
// are mapped to their range when the pack is read. `progress` is called with the number of images
// written so far. Errors: an image that cannot be read (the message names it), a `path` that cannot
// be written.
absl::Status WritePack(const Dataset& dataset, Split split, bool decoded, const std::string& path,
                       const std::function<void(int64_t)>& progress);

}  // namespace data

#endif  // DATA_FORMATS_PACK_H_
