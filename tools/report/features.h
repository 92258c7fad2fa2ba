// What features show of a run's encoder: a map of the images, and their nearest neighbours.
#ifndef TOOLS_REPORT_FEATURES_H_
#define TOOLS_REPORT_FEATURES_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace report {

struct FeatureSections {
  std::string section;  // HTML
  std::string script;
  std::vector<std::pair<std::string, nlohmann::json>> data;  // for the script
};

// `path`: features as lincls::OpenFeatures opens them. `before`: the same of the same images by an
// earlier encoder; empty: none. Without their images there are no pictures, and the section says
// why. InvalidArgument if the two are not of the same images, or if a feature is not finite;
// otherwise the errors of lincls::OpenFeatures.
absl::StatusOr<FeatureSections> ShowFeatures(const std::string& path, const std::string& before);

}  // namespace report

#endif  // TOOLS_REPORT_FEATURES_H_
