// The drawing of a confusion matrix.
#ifndef MOCO_REPORT_CONFUSION_MATRIX_H_
#define MOCO_REPORT_CONFUSION_MATRIX_H_

#include <string>

#include "moco/report/predictions.h"

namespace report {

// A row for each class, a column for each class that its images were taken for; the counts are
// under the pointer (page.js). Of more than 40 classes those 30 with the most wrong images, and a
// column for all others. SVG, which follows the colours of the page, prints, and needs no script.
std::string ConfusionMatrix(const Confusion& confusion);

}  // namespace report

#endif  // MOCO_REPORT_CONFUSION_MATRIX_H_
