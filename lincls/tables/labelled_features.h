// Tables of features as programs that measure with their labels take them.
#ifndef LINCLS_TABLES_LABELLED_FEATURES_H_
#define LINCLS_TABLES_LABELLED_FEATURES_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lincls/tables/feature_table.h"
#include "moco/measures/feature_rows.h"

namespace lincls {

// OpenFeatures, and every value is finite: later reading cannot fail.
absl::StatusOr<std::shared_ptr<FeatureTable>> OpenFiniteFeatures(const std::string& path);

// The labels of a list take the place of the table's own: lines of `file,label` below a header,
// label being a class's number or, where the table has names of classes, a name. Images that are
// not in the list have no label then. InvalidArgument names the file and the line: an image that is
// not in the table, or comes twice, or a label that is no class.
absl::Status TakeLabels(const std::string& path, FeatureTable& table);

// InvalidArgument, naming both, when two tables are not of the same checkpoint, classes (in name
// and order; where both say) or number of features.
absl::Status CheckComparable(const FeatureTable& a, const FeatureTable& b);

// As many as there are names, or else one more than the largest label of both.
int64_t ClassesOf(const FeatureTable& a, const FeatureTable& b);

// All rows.
moco::FeatureRows RowsOf(const std::shared_ptr<const FeatureTable>& table);

// Those that have a label. InvalidArgument, naming the table, when there are fewer than `least`.
absl::StatusOr<moco::LabelledRows> LabelledRowsOf(const std::shared_ptr<const FeatureTable>& table,
                                                  int64_t least);

}  // namespace lincls

#endif  // LINCLS_TABLES_LABELLED_FEATURES_H_
