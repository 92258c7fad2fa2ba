// What the numbers of a run say, in words.
#ifndef MOCO_REPORT_ADVICE_H_
#define MOCO_REPORT_ADVICE_H_

#include <string>
#include <vector>

#include "moco/report/run.h"

namespace report {

// "learning", or another verdict of moco::Verdict without its remedy; "validated" for a linear
// classifier, "swept" for a grid of them, and "started" before the end of the first epoch.
std::string VerdictWord(const Run& run);

// Sentences: how far the run is, its verdict with the remedy, what its accuracies and times say.
// Each names the flag that helps, where one does.
std::vector<std::string> Advice(const Run& run);

}  // namespace report

#endif  // MOCO_REPORT_ADVICE_H_
