#include "tools/report/feature_tables.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "lincls/tables/feature_table.h"

namespace report {
namespace {

std::string ClassOf(const lincls::FeatureTable& table, int label) {
  if (label < 0) return "";
  return label < static_cast<int>(table.classes.size()) ? table.classes[label]
                                                        : absl::StrCat("class ", label);
}

}  // namespace

absl::StatusOr<FeatureSections> ShowTables(const std::string& path, const std::string& before) {
  const auto table = lincls::OpenFeatures(path);
  if (!table.ok()) return table.status();
  ImageFeatures features{.now = table->features, .names = table->files};
  for (const int label : table->labels) features.labels.push_back(ClassOf(*table, label));
  if (!before.empty()) {
    const auto earlier = lincls::OpenFeatures(before);
    if (!earlier.ok()) return earlier.status();
    if (earlier->files != table->files) {
      return absl::InvalidArgumentError(absl::StrCat("'", before, "' and '", path,
                                                     "' are not of the same images; compute both "
                                                     "with the same data"));
    }
    features.before = earlier->features;
  }
  const auto images = lincls::OpenImages(*table);
  if (images.ok()) {
    features.dataset = images->dataset.get();
    features.indices = images->indices;
  } else {
    features.no_dataset = std::string(images.status().message());
  }
  return ShowFeatures(features);
}

}  // namespace report
