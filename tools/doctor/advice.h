// Settings of a pretraining run that suit a data set, as flags of //moco:pretrain.
#ifndef TOOLS_DOCTOR_ADVICE_H_
#define TOOLS_DOCTOR_ADVICE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tools/doctor/examine.h"

namespace doctor {

// What the user has decided; 0 and empty: what suits the data.
struct Wishes {
  std::string arch;
  int64_t image_size = 0, batch_size = 0, moco_k = 0;
  int64_t epochs = 200;
  bool has_range = false;  // --range is given
};

// A run.
struct RunPlan {
  std::string arch = "resnet50";
  int64_t images = 0;
  int64_t image_size = 224, batch_size = 256, bn_splits = 1, accumulate = 1, moco_k = 65536;
  double moco_m = 0.999;
  int64_t epochs = 200;
};

struct AdvisedFlag {
  std::string flag;      // "--moco-k=4096"
  std::string why = {};  // empty: it goes without saying
};

struct Advice {
  RunPlan plan;
  std::vector<AdvisedFlag> flags;  // in the order of the command line
};

// Of the images for pretraining, of which at least one was read. MoCo v2, in one process.
Advice Advise(const Part& part, const Wishes& wishes);

// Computes each batch as more micro-batches, or, if it has no smaller ones, halves it: the run then
// needs less memory. False if nothing smaller is left.
bool NeedLessMemory(Advice& advice);

// Keeps so few checkpoints.
void KeepCheckpoints(int64_t keep, Advice& advice);

// The words of the run's command line, quoted for a shell. `data`: its path, and the flags that say
// how it is read.
std::string Words(const Advice& advice, const std::vector<std::string>& data);

}  // namespace doctor

#endif  // TOOLS_DOCTOR_ADVICE_H_
