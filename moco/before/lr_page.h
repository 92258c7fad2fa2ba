// The page of a learning rate range test. Needs no LibTorch.
#ifndef MOCO_BEFORE_LR_PAGE_H_
#define MOCO_BEFORE_LR_PAGE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "moco/before/lr_search.h"

namespace moco {

struct LrTest {
  LrCurve curve;  // at least one point
  std::optional<LrSuggestion> suggestion;
  double chance = 0;  // the loss of an encoder that distinguishes nothing; 0: not known

  std::string place;  // where the images are, as text
  int64_t images = 0;
  int64_t batch = 0;
  std::string encoder, optimizer;
  int64_t queue = 0, queue_of_run = 0;  // the test may have a shorter one
  int64_t filling = 0;                  // steps before the first rate
  double seconds = 0;
  double lr = 0;  // the run's --lr
};

// Why this rate, in words: "the loss falls fastest there, and stalls at 0.3". Needs a
// suggestion.
std::string Summary(const LrTest& test);

// The page: the suggestion, the loss by the learning rate, how to read it, what it cost, and the
// numbers.
std::string LrPage(const LrTest& test);

}  // namespace moco

#endif  // MOCO_BEFORE_LR_PAGE_H_
