// What a linear classifier is saved as, wherever it was trained.
#ifndef LINCLS_CLASSIFIER_CHECKPOINT_H_
#define LINCLS_CLASSIFIER_CHECKPOINT_H_

#include <string>
#include <vector>

#include "lincls/encoders/frozen_backbone.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/measures/linear_probe.h"

namespace lincls {

// In `checkpoints/` of a run folder.
inline constexpr char kLastCheckpoint[] = "checkpoints/checkpoint.pth.tar";
inline constexpr char kBestCheckpoint[] = "checkpoints/model_best.pth.tar";

// Those that a run folder has, oldest first: the best one is of the last epoch or one before.
std::vector<std::string> ListCheckpoints(const std::string& run_folder);

// How a checkpoint names the classes.
std::string ClassNames(const std::vector<std::string>& classes);

// The layout of the reference's main_lincls.py: state_dict with the whole network below `module.`,
// optimizer without its learning rate; and the facts that validation needs: architecture,
// evaluation views, classes, pretrained checkpoint. Tensors are shared, not copied.
moco::Checkpoint ClassifierCheckpoint(const FrozenBackbone& encoder, const moco::LinearProbe& probe,
                                      const std::string& eval_views,
                                      const std::vector<std::string>& classes,
                                      const std::string& pretrained);

}  // namespace lincls

#endif  // LINCLS_CLASSIFIER_CHECKPOINT_H_
