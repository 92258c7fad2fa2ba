// What a run says of its data before the first batch: the cheap half of what //tools:doctor finds.
#ifndef DATA_GLANCE_H_
#define DATA_GLANCE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/dataset.h"
#include "data/decode_options.h"

namespace data {

struct GlanceOptions {
  DecodeOptions decode = {};  // with which the data set was opened
  std::string what = "";      // put before the lines, such as "validation"; empty: nothing is
  bool labels = false;        // the run uses the labels: classes without an image are noted
  int64_t view_size = 0;      // rows and columns of the run's views, if --image-size sets them
};

// Lines as the programs print settings: the endings of the names, the classes, and notes on classes
// without an image, on images that cannot be read, on values of 16 bits whose upper bits are never
// used, and on views that are larger than the images.
//
// Names and labels are those of all images; of the images themselves only 16 are read, evenly
// spaced, and none any more after a third of a second. If none of at least 8 (or of all) can be
// read, the result is the first one's error, so that what is wrong with all images ends a run
// before it begins. Takes half a second for 512,000 images.
absl::StatusOr<std::vector<std::string>> Glance(const Dataset& dataset,
                                                const GlanceOptions& options);

}  // namespace data

#endif  // DATA_GLANCE_H_
