// The values of images of more than 8 bits: which of them are black and white (--range).
#ifndef DATA_VALUES_H_
#define DATA_VALUES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/dataset.h"
#include "data/decode_options.h"

namespace data {

// What a --range says: "" (full scale), "LOW:HIGH", one such pair for each channel with commas
// between, "auto", or "auto-channels" (a range for each channel).
struct RangeFlag {
  std::vector<ValueRange> ranges;  // empty: full scale, or to be found
  bool automatic = false, by_channel = false;
};

// InvalidArgument, naming --range, for other texts, for a low that is not below its high, and for
// another number of pairs than 1 and `channels`.
absl::StatusOr<RangeFlag> ReadRange(const std::string& text, int channels);

// The text that ReadRange reads as these ranges.
std::string WriteRange(const std::vector<ValueRange>& ranges);

// The percentiles 0.1 and 99.9 of the values of a sample of `raw` (opened with DecodeOptions::raw),
// over all channels or of each. The sample is a function of the data set's size alone. Empty if all
// images in it have 8 bits. InvalidArgument, naming --range, if an image channel has one value
// only; the error of the first image if none can be read.
absl::StatusOr<std::vector<ValueRange>> FindRange(const Dataset& raw, bool by_channel);

}  // namespace data

#endif  // DATA_VALUES_H_
