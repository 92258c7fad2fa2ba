// Tables of features for tests.
#ifndef TOOLS_SELECTION_TEST_FEATURES_H_
#define TOOLS_SELECTION_TEST_FEATURES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "lincls/tables/feature_table.h"

namespace selection {

// Returns `count` directions of `dim` dimensions around `centres` other ones: row i lies near
// centre i mod `centres`. Depends only on the arguments. The larger `spread`, the farther the rows
// lie from the centres.
std::vector<std::vector<float>> TestRows(int64_t count, int64_t dim, int64_t centres, double spread,
                                         uint64_t seed);

// Writes the rows to files of this name, as features of images 0.png, 1.png, ... without labels,
// and opens them.
lincls::FeatureTable TestTable(const std::string& name,
                               const std::vector<std::vector<float>>& rows);

// The cosine of two of them, in double.
double Cosine(const std::vector<float>& a, const std::vector<float>& b);

}  // namespace selection

#endif  // TOOLS_SELECTION_TEST_FEATURES_H_
