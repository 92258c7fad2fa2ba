// Tables of features for tests.
#ifndef TOOLS_SELECTION_TEST_FEATURES_H_
#define TOOLS_SELECTION_TEST_FEATURES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "lincls/tables/feature_table.h"

namespace selection {

// `count` directions near `centres` others, in turn (row i near centre i mod `centres`), of `dim`
// dimensions; a function of the seed. The larger `spread`, the farther from the centres.
std::vector<std::vector<float>> TestRows(int64_t count, int64_t dim, int64_t centres, double spread,
                                         uint64_t seed);

// Written into files of this name, and opened: rows of images 0.png, 1.png, ... without labels.
lincls::FeatureTable TestTable(const std::string& name,
                               const std::vector<std::vector<float>>& rows);

// The cosine of two of them, in double.
double Cosine(const std::vector<float>& a, const std::vector<float>& b);

}  // namespace selection

#endif  // TOOLS_SELECTION_TEST_FEATURES_H_
