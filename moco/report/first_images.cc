#include "moco/report/first_images.h"

#include <algorithm>

#include "data/loader.h"

namespace report {

base::Rng ViewStream(uint64_t seed, int64_t index, size_t view) {
  return base::Rng(seed, base::Purpose::kView, /*epoch=*/0, index, view);
}

absl::Status ForFirstImages(const data::Dataset& dataset, const augment::Pipeline& views,
                            uint64_t seed, size_t count,
                            const std::function<void(const FirstImage&)>& visit) {
  const std::vector<int64_t> order = data::EpochOrder(dataset.size(), seed, /*epoch=*/0);
  absl::Status failure;
  size_t visited = 0;
  for (size_t i = 0; i < std::min(order.size(), 2 * count) && visited < count; ++i) {
    const auto image = data::ReadImageAt(dataset, order[i]);
    if (!image.ok()) {
      failure = image.status();
      continue;
    }
    FirstImage first{order[i], dataset.Name(order[i]), *image, {}};
    for (size_t view = 0; view < first.traces.size(); ++view) {
      base::Rng rng = ViewStream(seed, order[i], view);
      first.traces[view] = views.Trace(*image, rng);
    }
    visit(first);
    ++visited;
  }
  return visited > 0 ? absl::OkStatus() : failure;
}

}  // namespace report
