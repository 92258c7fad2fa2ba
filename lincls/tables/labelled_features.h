// Tables of features with labels, for programs that measure features.
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

// OpenFeatures, and checks that every value is finite, so that later reads cannot fail.
absl::StatusOr<std::shared_ptr<FeatureTable>> OpenFiniteFeatures(const std::string& path);

// Replaces the labels of the table by those in a list: lines of `file,label` below a header, where
// a label is a class number or, if the table has class names, a name. Images that are not in the
// list then have no label. InvalidArgument, naming the file and the line, for an image that is not
// in the table or occurs twice, and for a label that is not a class.
absl::Status TakeLabels(const std::string& path, FeatureTable& table);

// InvalidArgument, naming both tables, if they differ in the number of features or, as far as both
// state them, in the checkpoint or the classes (names and order).
absl::Status CheckComparable(const FeatureTable& a, const FeatureTable& b);

// Returns the number of class names, or without names one more than the largest label of both
// tables.
int64_t ClassesOf(const FeatureTable& a, const FeatureTable& b);

// Returns all rows.
moco::FeatureRows RowsOf(const std::shared_ptr<const FeatureTable>& table);

// Returns the rows that have a label. InvalidArgument, naming the table, if there are fewer than
// `least`.
absl::StatusOr<moco::LabelledRows> LabelledRowsOf(const std::shared_ptr<const FeatureTable>& table,
                                                  int64_t least);

}  // namespace lincls

#endif  // LINCLS_TABLES_LABELLED_FEATURES_H_
