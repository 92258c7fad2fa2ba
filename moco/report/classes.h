// What a classifier does with each class: confusion matrix, accuracies with their uncertainty, and
// pictures of the best and the worst classes.
#ifndef MOCO_REPORT_CLASSES_H_
#define MOCO_REPORT_CLASSES_H_

#include <string>
#include <vector>

#include "moco/report/run.h"

namespace report {

// Whether the run trains classifiers: lincls and sweep do.
bool HasClasses(const Run& run);

// The section of a run of lincls or sweep, as HTML. Without predictions.csv, without the images, or
// if the file is damaged, it says so. With `pictures`, the images are opened as the run did.
std::string ClassesSection(const Run& run, bool pictures);

// A table of the classes' accuracies in several runs, which sorts by any column; empty unless at
// least two runs have predictions. At most `most` of the runs are in it.
std::string ClassesOfRuns(const std::vector<Run>& runs, size_t most);

}  // namespace report

#endif  // MOCO_REPORT_CLASSES_H_
