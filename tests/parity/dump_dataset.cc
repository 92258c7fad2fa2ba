// Every sample of a data set, to be compared: dump_dataset PATH SPLIT CHANNELS FORMAT [RANGE
// [PAGES]]
//
// Of each a line, "rows cols channels label class", and its pixels in rows: values of 1 byte, or
// floats. RANGE and PAGES: those of --range and --pages.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "base/exit_code.h"
#include "data/dataset.h"

namespace {

absl::Status Dump(int argc, char** argv) {
  if (argc < 5 || argc > 7) {
    return absl::InvalidArgumentError(
        "usage: dump_dataset PATH SPLIT CHANNELS FORMAT [RANGE [PAGES]]");
  }
  const auto split = data::ReadSplit(argv[2]);
  if (!split.ok()) return split.status();
  data::DataSource source{argv[1], "", argv[4]};
  source.decode.channels = std::atoi(argv[3]);
  if (argc > 5) source.range = argv[5];
  if (argc > 6) source.pages = argv[6];
  const auto opened = data::OpenDataset(source, *split);
  if (!opened.ok()) return opened.status();
  const data::Dataset& dataset = *opened->dataset;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const auto image = dataset.Image(i);
    if (!image.ok()) return image.status();
    const int label = dataset.Label(i);
    std::printf("%d %d %d %d %s\n", image->rows, image->cols, image->channels(), label,
                label < 0 ? "-" : dataset.classes()[label].c_str());
    const cv::Mat whole = image->isContinuous() ? *image : image->clone();
    std::fwrite(whole.data, 1, whole.total() * whole.elemSize(), stdout);
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) { return base::RunMain(Dump, argc, argv); }
