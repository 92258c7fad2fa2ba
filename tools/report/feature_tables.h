// Features on disk for the report.
#ifndef TOOLS_REPORT_FEATURE_TABLES_H_
#define TOOLS_REPORT_FEATURE_TABLES_H_

#include <string>

#include "absl/status/statusor.h"
#include "moco/report/image_features.h"

namespace report {

// `path`: features as lincls::OpenFeatures opens them. `before`: the same of the same images by an
// earlier encoder; empty: none. Without their images there are no pictures, and the section says
// why. InvalidArgument if the two are not of the same images, or if a feature is not finite;
// otherwise the errors of lincls::OpenFeatures.
absl::StatusOr<FeatureSections> ShowTables(const std::string& path, const std::string& before);

}  // namespace report

#endif  // TOOLS_REPORT_FEATURE_TABLES_H_
