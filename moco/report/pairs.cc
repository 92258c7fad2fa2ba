#include "moco/report/pairs.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "augment/augmentation.h"
#include "base/format_count.h"
#include "data/decode.h"
#include "data/image_names.h"
#include "moco/report/first_images.h"
#include "moco/report/images.h"
#include "registry/spec.h"

namespace report {
namespace {

// The run's views without the steps that only the network needs. They draw no random numbers.
absl::StatusOr<augment::Pipeline> VisibleViews(const Run& run) {
  const std::string views = run.Fact("views");
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

}  // namespace

absl::StatusOr<Pairs> FirstPairs(const Run& run, const data::Dataset* dataset, size_t count) {
  const auto views = VisibleViews(run);
  if (!views.ok()) return views.status();
  std::unique_ptr<data::Dataset> opened;
  if (dataset == nullptr) {
    auto made = OpenImages(run, data::Split::kPretraining);
    if (!made.ok()) return made.status();
    opened = *std::move(made);
    dataset = opened.get();
  }
  uint64_t seed = 0;
  (void)absl::SimpleAtoi(run.Flag("seed"), &seed);
  Pairs result;
  const auto differs = [&](const char* fact, const std::string& now) {
    const auto then = run.settings.facts.find(fact);
    return then != run.settings.facts.end() && then->second != now;
  };
  if (differs("data", absl::StrCat(dataset->size(), " images"))) {
    result.note = absl::StrCat("The data have ", base::FormatCount(dataset->size()),
                               " images now; the run had ", run.Fact("data"),
                               ", so that these are not its first ones.");
  } else if (differs("image-names", data::DigestOfNames(*dataset, /*with_labels=*/false))) {
    result.note =
        "The images have other names now, or are of another folder than the run's, so that these "
        "may not be its first ones.";
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
