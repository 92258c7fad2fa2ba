// What was chosen to be labelled, and why.
#ifndef TOOLS_SELECTION_SELECTION_H_
#define TOOLS_SELECTION_SELECTION_H_

#include <cstdint>
#include <string>
#include <vector>

namespace tools {

// Candidates that share a quota: those of one cluster, near its centre or its edge, of low or high
// energy; or simply all, for a strategy that knows no strata.
struct Stratum {
  std::string name;             // "cluster 12, edge, high energy"
  int cluster = -1;             // -1: of no one cluster
  int64_t candidates = 0;       // images that could be taken
  int64_t quota = 0;            // that were to be taken before shortages were shared out
  std::vector<int64_t> chosen;  // rows of the features, in the order of choice
};

struct Selection {
  std::vector<Stratum> strata;
  std::vector<std::string> notes;  // shortages and how they were made up for: a sentence each
  std::vector<int> clusters;     // N: cluster of each row; -1: excluded. Empty where there are none
  std::vector<float> energies;   // N; NaN: excluded. Empty where none was asked for
  std::string strategy, energy;  // canonical specs
  int64_t images = 0, excluded = 0, near_duplicates = 0;  // of all; labelled already; taken once
};

}  // namespace tools

#endif  // TOOLS_SELECTION_SELECTION_H_
