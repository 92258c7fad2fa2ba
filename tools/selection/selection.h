// What was chosen to be labelled, and why.
#ifndef TOOLS_SELECTION_SELECTION_H_
#define TOOLS_SELECTION_SELECTION_H_

#include <cstdint>
#include <string>
#include <vector>

namespace selection {

// Candidates that share a quota: those of one cluster, near its centre or its edge, of low or high
// energy; or simply all, for a strategy that knows no strata.
struct Stratum {
  std::string name = {};             // "cluster 12, edge, high energy"
  int cluster = -1;                  // -1: of no one cluster
  int64_t candidates = 0;            // images that could be taken
  int64_t quota = 0;                 // that were to be taken before shortages were made up for
  std::vector<int64_t> chosen = {};  // rows of the features, in the order of choice
};

struct Selection {
  std::vector<Stratum> strata;     // in the order in which they take turns, see InOrder
  std::vector<std::string> notes;  // shortages and how they were made up for: a sentence each
  std::vector<int> clusters;     // N: cluster of each row; -1: labelled. Empty where there are none
  std::vector<float> energies;   // N; NaN: labelled. Empty where none was asked for
  std::string strategy, energy;  // canonical specs; empty: no energy
  uint64_t seed = 0;
  int64_t images = 0;           // of all
  int64_t excluded = 0;         // have labels, or were asked for
  int64_t near_duplicates = 0;  // left out: one like them can be chosen, or has a label
  double duplicates = 1;        // cosine above which two are near duplicates; 1: none are
  int64_t clusters_made = 0;    // for the strategy; 0: none
  int64_t neighbours = 0;       // found of each row; 0: none
  double recall = 1;            // share of the true neighbours among them, on a sample
};

// All chosen rows, each stratum's first, then each one's second, and so on: so that a part of the
// list, from its beginning, is balanced too.
std::vector<int64_t> InOrder(const Selection& selection);

}  // namespace selection

#endif  // TOOLS_SELECTION_SELECTION_H_
