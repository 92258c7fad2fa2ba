#include "lincls/linear_validation.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "augment/augmentation.h"
#include "base/progress.h"
#include "base/work.h"
#include "lincls/classifier_checkpoint.h"
#include "moco/backbones/backbone.h"
#include "moco/checkpoints/state_dict.h"

namespace lincls {

// These views are not random, so the features of a frozen encoder are the same after every epoch.
absl::StatusOr<moco::Features> ValidationFeatures(const LinearOptions& options,
                                                  const data::Dataset& validation,
                                                  const FrozenBackbone& encoder,
                                                  moco::Communicator& communicator) {
  const int channels = *moco::ImageChannels(encoder.spec());
  auto views = augment::Pipeline::Create(options.eval_views, channels);
  if (!views.ok()) return views.status();
  base::Progress progress;
  base::Work work(progress, "features of the validation images",
                  validation.size() / communicator.size(), "images");
  int64_t seen = 0;
  const auto network = [&](const at::Tensor& images) {
    work.Done(seen += images.size(0));
    return encoder(images);
  };
  return moco::ExtractFeatures(
      validation, *views, network,
      {.loader_threads = options.loader_threads, .max_bad_images = options.max_bad_images},
      communicator);
}

absl::StatusOr<std::unique_ptr<moco::LinearProbe>> MakeProbe(const LinearOptions& options,
                                                             const FrozenBackbone& encoder,
                                                             int64_t classes,
                                                             moco::Communicator& communicator) {
  return moco::LinearProbe::Create({.features = encoder.feature_dim(),
                                    .classes = classes,
                                    .momentum = options.momentum,
                                    .weight_decay = options.weight_decay,
                                    .seed = options.seed,
                                    .device = encoder.device(),
                                    .below = encoder.Parameters()},
                                   communicator);
}

// Errors are to be read after the checkpoint's name.
absl::Status LoadProbe(const moco::Checkpoint& checkpoint, const data::Dataset& dataset,
                       const moco::LinearProbe& probe) {
  const std::string& classes = checkpoint.facts.classes;
  if (!classes.empty() && classes != ClassNames(dataset.classes())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "was trained on the classes ", classes, ", the data have ", ClassNames(dataset.classes())));
  }
  absl::Status s = moco::CopyState(moco::Below(checkpoint.state, absl::StrCat(kClassifier, "fc.")),
                                   probe.State());
  if (s.ok()) return s;
  return absl::InvalidArgumentError(absl::StrCat(
      "does not contain a classifier for this data below '", kClassifier, "fc.': ", s.message()));
}

absl::StatusOr<moco::ProbeMetrics> EvaluateLinear(const LinearOptions& options,
                                                  const data::Dataset& validation,
                                                  const FrozenBackbone& encoder,
                                                  const moco::Checkpoint& checkpoint,
                                                  moco::Communicator& communicator) {
  auto probe = MakeProbe(options, encoder, validation.classes().size(), communicator);
  if (!probe.ok()) return probe.status();
  if (absl::Status s = LoadProbe(checkpoint, validation, **probe); !s.ok()) return s;
  auto features = ValidationFeatures(options, validation, encoder, communicator);
  if (!features.ok()) return features.status();
  return (*probe)->Evaluate(features->features, features->labels);
}

std::vector<report::Prediction> PredictionsOf(const moco::LinearProbe& probe,
                                              const moco::Features& features,
                                              const data::Dataset& validation,
                                              const std::vector<std::string>& classes) {
  const moco::Predictions made = probe.PredictAll(features.features);
  const auto* image = features.images.const_data_ptr<int64_t>();
  const auto* label = features.labels.const_data_ptr<int64_t>();
  const auto* predicted = made.classes.const_data_ptr<int64_t>();
  const auto* probability = made.probabilities.const_data_ptr<float>();
  std::vector<report::Prediction> predictions;
  for (int64_t i = 0; i < features.labels.size(0); ++i) {
    predictions.push_back(
        {validation.Name(image[i]), classes[label[i]], classes[predicted[i]], probability[i]});
  }
  return predictions;
}

}  // namespace lincls
