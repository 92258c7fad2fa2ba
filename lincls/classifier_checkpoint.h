// The checkpoint format of linear classifiers, whichever program trained them.
#ifndef LINCLS_CLASSIFIER_CHECKPOINT_H_
#define LINCLS_CLASSIFIER_CHECKPOINT_H_

#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "lincls/encoders/frozen_backbone.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/measures/linear_probe.h"

namespace lincls {

// File names in `checkpoints/` of a run folder.
inline constexpr char kLastCheckpoint[] = "checkpoints/checkpoint.pth.tar";
inline constexpr char kBestCheckpoint[] = "checkpoints/model_best.pth.tar";

// Returns the checkpoints that a run folder contains, oldest first: the best one is from the last
// epoch or an earlier one.
std::vector<std::string> ListCheckpoints(const std::string& run_folder);

// Returns the form in which a checkpoint names the classes.
std::string ClassNames(const std::vector<std::string>& classes);

// Numbers the images' classes as those of the classifier that a checkpoint with `facts` holds: a
// val/ that lacks a class would give the others other numbers. Returns a note on classes that no
// image has, or nothing. Images with a class that the classifier does not know are left as they
// are.
std::string NumberAsClassifier(const moco::CheckpointFacts& facts,
                               std::unique_ptr<data::Dataset>& images);

// Returns a checkpoint in the layout of the reference's main_lincls.py: the state_dict has the
// whole network below `module.`; the learning rate of the optimizer is not set. It includes the
// facts that validation needs: architecture, evaluation views, classes, pretrained checkpoint.
// Tensors are shared, not copied.
moco::Checkpoint ClassifierCheckpoint(const FrozenBackbone& encoder, const moco::LinearProbe& probe,
                                      const std::string& eval_views,
                                      const std::vector<std::string>& classes,
                                      const std::string& pretrained);

}  // namespace lincls

#endif  // LINCLS_CLASSIFIER_CHECKPOINT_H_
