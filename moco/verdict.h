// What the numbers of an epoch say about the health of a run; docs/health.md explains them.
#ifndef MOCO_VERDICT_H_
#define MOCO_VERDICT_H_

#include <optional>
#include <string>

namespace moco {

// The numbers of one epoch.
struct Health {
  // Mean loss as a share of Loss::Chance; empty where the loss has no such number.
  std::optional<double> loss;
  // Share of the queue that holds keys instead of the initial noise.
  double filled = 0;
  // Age of the oldest key, in epochs.
  double age = 0;
  // 1 - |mean key|^2: 0 if all keys are equal, 1 if their mean is zero.
  double spread = 0;
  // Number of dimensions that the keys use: (tr S)^2 / tr S^2, where S is their covariance; 1 to C.
  double dimensions = 0;
  // (batch - earlier) / (own - earlier): the share of a query's similarity to its key that comes
  // from being in the same batch and not from the image.
  double leak = 0;
};

// Returns "filling", "crowded", "collapsed", "leaking" or "learning", followed by the cause and the
// remedy if there is one.
std::string Verdict(const Health& health);

}  // namespace moco

#endif  // MOCO_VERDICT_H_
