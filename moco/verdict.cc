#include "moco/verdict.h"

#include "absl/strings/str_format.h"

namespace moco {

std::string Verdict(const Health& health) {
  // Older keys of a query's own image are negatives that are none.
  const double epochs = health.filled > 0 ? health.age / health.filled : 0;
  const std::string crowded =
      epochs > 1 ? absl::StrFormat("the queue has room for %.3g keys of each image; lower --moco-k",
                                   epochs)
                 : "";
  if (health.filled < 1) return crowded.empty() ? "filling" : "filling: " + crowded;
  if (!crowded.empty()) return "crowded: " + crowded;
  if (health.spread < 0.05 || health.loss.value_or(0) > 0.98) {
    return "collapsed: the keys no longer distinguish images; lower --lr or raise --moco-m";
  }
  if (health.leak > 0.1) {
    return "leaking: batch statistics reveal the key; raise --bn-splits";
  }
  return "learning";
}

}  // namespace moco
