// Images, to be compared: decode_files CHANNELS RANGE FILE...
//
// RANGE: that of --range. Of each file a line, "rows cols channels bytes", and its pixels in rows:
// values of 1 byte, or floats of 4; or a line, "error: why".
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "base/exit_code.h"
#include "data/decode.h"
#include "data/values.h"

namespace {

absl::Status Dump(int argc, char** argv) {
  if (argc < 3) return absl::InvalidArgumentError("usage: decode_files CHANNELS RANGE FILE...");
  const int channels = std::atoi(argv[1]);
  const auto range = data::ReadRange(argv[2], channels);
  if (!range.ok()) return range.status();
  for (int i = 3; i < argc; ++i) {
    const auto image = data::ReadImage(argv[i], {.channels = channels, .range = range->ranges});
    if (!image.ok()) {
      std::printf("error: %s\n", std::string(image.status().message()).c_str());
      continue;
    }
    std::printf("%d %d %d %d\n", image->rows, image->cols, image->channels(),
                static_cast<int>(image->elemSize1()));
    const cv::Mat whole = image->isContinuous() ? *image : image->clone();
    std::fwrite(whole.data, 1, whole.total() * whole.elemSize(), stdout);
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) { return base::RunMain(Dump, argc, argv); }
