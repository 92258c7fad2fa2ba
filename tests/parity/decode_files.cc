// Images, to be compared: decode_files CHANNELS FILE...
//
// Of each file a line, "rows cols channels", and its pixels in rows; or a line, "error: why".
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "base/exit_code.h"
#include "data/decode.h"

namespace {

absl::Status Dump(int argc, char** argv) {
  if (argc < 2) return absl::InvalidArgumentError("usage: decode_files CHANNELS FILE...");
  for (int i = 2; i < argc; ++i) {
    const auto image = data::ReadImage(argv[i], {.channels = std::atoi(argv[1])});
    if (!image.ok()) {
      std::printf("error: %s\n", std::string(image.status().message()).c_str());
      continue;
    }
    std::printf("%d %d %d\n", image->rows, image->cols, image->channels());
    const cv::Mat whole = image->isContinuous() ? *image : image->clone();
    std::fwrite(whole.data, 1, whole.total() * whole.elemSize(), stdout);
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) { return base::RunMain(Dump, argc, argv); }
