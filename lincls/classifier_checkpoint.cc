#include "lincls/classifier_checkpoint.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "moco/checkpoints/optimizer_state.h"

namespace lincls {

std::string ClassNames(const std::vector<std::string>& classes) {
  return absl::StrJoin(classes, "/");
}

moco::Checkpoint ClassifierCheckpoint(const FrozenBackbone& encoder, const moco::LinearProbe& probe,
                                      const std::string& eval_views,
                                      const std::vector<std::string>& classes,
                                      const std::string& pretrained) {
  moco::Checkpoint c;
  c.arch = encoder.spec().substr(0, encoder.spec().find(':'));
  for (const auto& [key, tensor] : encoder.State()) c.state.emplace_back(kClassifier + key, tensor);
  for (const auto& [key, tensor] : probe.State()) {
    c.state.emplace_back(absl::StrCat(kClassifier, "fc.", key), tensor);
  }
  c.optimizer.parameters = encoder.Parameters().size() + probe.State().size();
  moco::CaptureOptimizer(probe.optimizer(), c.optimizer);
  c.mocopp["arch"] = encoder.spec();
  c.mocopp["eval_views"] = eval_views;
  c.mocopp["classes"] = ClassNames(classes);
  c.mocopp["pretrained"] = pretrained;
  return c;
}

}  // namespace lincls
