#include "moco/report/pairs.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "augment/augmentation.h"
#include "base/format_count.h"
#include "data/decode.h"
#include "data/decode_options.h"
#include "data/demo/demo.h"
#include "moco/report/first_images.h"
#include "registry/spec.h"

namespace report {
namespace {

// The channels of the images, an option of the backbone.
int Channels(const Run& run) {
  const auto fact = run.settings.facts.find("arch");
  const auto spec =
      registry::ParseSpec(fact == run.settings.facts.end() ? run.Flag("arch") : fact->second);
  if (!spec.ok()) return 3;
  for (const auto& [key, value] : spec->options) {
    int channels;
    if (key == "channels" && absl::SimpleAtoi(value, &channels) && channels >= 1 &&
        channels <= data::kMaxChannels) {
      return channels;
    }
  }
  return 3;
}

// The run's views without the steps that only the network needs. They draw no random numbers.
absl::StatusOr<augment::Pipeline> VisibleViews(const Run& run) {
  const auto fact = run.settings.facts.find("views");
  const std::string views = fact == run.settings.facts.end() ? run.Flag("views") : fact->second;
  if (views.empty()) {
    return absl::FailedPreconditionError("the run does not say which views it has");
  }
  auto steps = registry::SplitPipeline(views);
  if (!steps.ok()) return steps.status();
  steps->erase(
      std::remove_if(steps->begin(), steps->end(),
                     [](const std::string& step) { return absl::StartsWith(step, "normalize"); }),
      steps->end());
  return augment::Pipeline::Create(absl::StrJoin(*steps, "|"), Channels(run));
}

absl::StatusOr<std::unique_ptr<data::Dataset>> Open(const Run& run) {
  std::string path = run.Flag("data");
  if (path.empty()) {
    auto demo = data::DemoFolder();
    if (!demo.ok()) return demo.status();
    path = *demo;
  }
  int64_t megapixels = 0;
  if (!absl::SimpleAtoi(run.Flag("max-megapixels"), &megapixels) || megapixels < 1) {
    megapixels = 100;
  }
  const std::string pages = run.Flag("pages");
  auto opened = data::OpenDataset(
      {.path = path,
       .validation = run.Flag("val"),
       .format = run.Flag("dataset"),
       .options = {{"image_key", run.Flag("image-key")}, {"columns", run.Flag("columns")}},
       .decode = data::MakeDecodeOptions(Channels(run), run.Flag("exif"), megapixels),
       .range = run.Flag("range"),
       .pages = pages.empty() ? "first" : pages},
      data::Split::kPretraining);
  if (!opened.ok()) return opened.status();
  return std::move(opened->dataset);
}

}  // namespace

absl::StatusOr<Pairs> FirstPairs(const Run& run, const data::Dataset* dataset, size_t count) {
  const auto views = VisibleViews(run);
  if (!views.ok()) return views.status();
  std::unique_ptr<data::Dataset> opened;
  if (dataset == nullptr) {
    auto made = Open(run);
    if (!made.ok()) return made.status();
    opened = *std::move(made);
    dataset = opened.get();
  }
  uint64_t seed = 0;
  (void)absl::SimpleAtoi(run.Flag("seed"), &seed);
  Pairs result;
  const auto data = run.settings.facts.find("data");
  const std::string now = absl::StrCat(dataset->size(), " images");
  if (data != run.settings.facts.end() && data->second != now) {
    result.note = absl::StrCat("The data have ", base::FormatCount(dataset->size()),
                               " images now; the run had ", data->second,
                               ", so that these are not its first ones.");
  }
  const absl::Status read =
      ForFirstImages(*dataset, *views, seed, count, [&](const FirstImage& image) {
        result.pairs.push_back({.name = image.name,
                                .original = data::ToRgb8(image.original),
                                .query = data::ToRgb8(image.traces[0].back()),
                                .key = data::ToRgb8(image.traces[1].back())});
      });
  if (!read.ok()) return read;
  return result;
}

}  // namespace report
