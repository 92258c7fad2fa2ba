#include "moco/report/images.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "data/arch_channels.h"
#include "data/decode_options.h"
#include "data/demo/demo.h"

namespace report {

int Channels(const Run& run) { return data::ChannelsOfArch(run.Fact("arch")); }

absl::StatusOr<std::unique_ptr<data::Dataset>> OpenImages(const Run& run, data::Split split) {
  std::string path = run.ImageFlag("data");
  if (path.empty() && run.IsSweep()) {
    return absl::NotFoundError("the features do not say where their images are");
  }
  if (path.empty()) {
    auto demo = data::DemoFolder();
    if (!demo.ok()) return demo.status();
    path = *demo;
  }
  int64_t megapixels = 0;
  if (!absl::SimpleAtoi(run.ImageFlag("max-megapixels"), &megapixels) || megapixels < 1) {
    megapixels = 100;
  }
  const std::string pages = run.ImageFlag("pages");
  auto opened = data::OpenDataset(
      {.path = path,
       .validation = run.ImageFlag("val"),
       .format = run.ImageFlag("dataset"),
       .options = {{"image_key", run.ImageFlag("image-key")},
                   {"columns", run.ImageFlag("columns")}},
       .decode = data::MakeDecodeOptions(Channels(run), run.ImageFlag("exif"), megapixels),
       .range = run.ImageFlag("range"),
       .pages = pages.empty() ? "first" : pages},
      split);
  if (!opened.ok()) return opened.status();
  return std::move(opened->dataset);
}

}  // namespace report
