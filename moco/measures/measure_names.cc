#include "moco/measures/measure_names.h"

#include "absl/strings/str_cat.h"

namespace moco {

const std::vector<MeasureName>& MeasureNames() {
  static const auto& names = *new std::vector<MeasureName>{
      {"rankme", "RankMe",
       "The number of directions that the features of held-out images use, by RankMe; 1 if all "
       "images look the same."},
      {"lidar", "LiDAR",
       "The number of directions in which images differ more than the views of one image do, by "
       "LiDAR."},
      {"alignment", "Alignment",
       "The mean squared distance between two views of an image; 0 if views make no difference."},
      {"uniformity", "Uniformity",
       "0 if all images look the same; the lower, the more evenly they are spread over the "
       "sphere."}};
  return names;
}

std::string MeasureMetric(const MeasureName& measure, const std::string& place) {
  return absl::StrCat(measure.name, "_", place);
}

std::vector<std::string> MeasureMetrics() {
  std::vector<std::string> metrics;
  for (const MeasureName& measure : MeasureNames()) {
    for (const char* place : kMeasuredPlaces) metrics.push_back(MeasureMetric(measure, place));
  }
  return metrics;
}

}  // namespace moco
