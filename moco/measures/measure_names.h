// The measures that need no labels, by name. They are computed in moco/measures/label_free.h; this
// part needs no LibTorch, for the report of a run.
#ifndef MOCO_MEASURES_MEASURE_NAMES_H_
#define MOCO_MEASURES_MEASURE_NAMES_H_

#include <string>
#include <vector>

namespace moco {

struct MeasureName {
  std::string name;   // "rankme"
  std::string title;  // "RankMe"
  std::string note;   // what the number means, in a sentence
};

// Every measure, in the order in which it is printed and recorded.
const std::vector<MeasureName>& MeasureNames();

// What is measured: the features that are used after pretraining, and the vectors that pretraining
// contrasts.
inline constexpr const char* kMeasuredPlaces[] = {"backbone", "head"};

// The name of a measure among the metrics of a run: "rankme_backbone".
std::string MeasureMetric(const MeasureName& measure, const std::string& place);

// All of these names: every measure in every place.
std::vector<std::string> MeasureMetrics();

}  // namespace moco

#endif  // MOCO_MEASURES_MEASURE_NAMES_H_
