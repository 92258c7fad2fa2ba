// What was chosen to be labelled, and why.
#ifndef TOOLS_SELECTION_SELECTION_H_
#define TOOLS_SELECTION_SELECTION_H_

#include <cstdint>
#include <string>
#include <vector>

namespace selection {

// Candidates that share a quota: those of one cluster, near its centre or its edge, of low or high
// energy; or all candidates, for a strategy without strata.
struct Stratum {
  std::string name = {};             // "cluster 12, edge, high energy"
  int cluster = -1;                  // -1: not of a single cluster
  int64_t candidates = 0;            // images that could be chosen
  int64_t quota = 0;                 // images to choose, before shortages were compensated
  std::vector<int64_t> chosen = {};  // rows of the features, in the order of choice
};

struct Selection {
  std::vector<Stratum> strata;     // in the order in which they take turns, see InOrder
  std::vector<std::string> notes;  // shortages and how they were compensated, one sentence each
  std::vector<int> clusters;       // N: cluster of each row; -1: labelled. Empty without clusters
  std::vector<float> energies;     // N; NaN: labelled. Empty without an energy
  std::string strategy, energy;    // canonical specs; empty: no energy
  uint64_t seed = 0;
  int64_t images = 0;           // all images, chosen or not
  int64_t excluded = 0;         // have labels, or were requested
  int64_t near_duplicates = 0;  // left out; one like them remains
  double duplicates = 1;        // cosine above which two are near duplicates; 1: none are
  int64_t clusters_made = 0;    // for the strategy; 0: none
  int64_t neighbours = 0;       // neighbours found per row; 0: none
  double recall = 1;            // share of the true neighbours among them, on a sample
};

// Returns all chosen rows: the first of each stratum, then the second of each, and so on, so that
// any beginning of the list is balanced, too.
std::vector<int64_t> InOrder(const Selection& selection);

}  // namespace selection

#endif  // TOOLS_SELECTION_SELECTION_H_
