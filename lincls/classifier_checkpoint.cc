#include "lincls/classifier_checkpoint.h"

#include <filesystem>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "data/classes.h"
#include "moco/checkpoints/optimizer_state.h"

namespace lincls {

std::string ClassNames(const std::vector<std::string>& classes) {
  return absl::StrJoin(classes, "/");
}

std::string NumberAsClassifier(const moco::CheckpointFacts& facts,
                               std::unique_ptr<data::Dataset>& images) {
  const std::vector<std::string> classes = absl::StrSplit(facts.classes, '/');
  std::set<std::string> missing(classes.begin(), classes.end());
  for (const std::string& name : images->classes()) {
    if (missing.erase(name) == 0) return "";
  }
  images = data::NumberedAs(classes, std::move(images));
  if (missing.empty()) return "";
  return absl::StrCat("the images have ", classes.size() - missing.size(), " of the classifier's ",
                      classes.size(), " classes, and not '", *missing.begin(), "'",
                      missing.size() > 1 ? absl::StrCat(" and ", missing.size() - 1, " more") : "");
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
  c.facts.settings[moco::kArchSetting] = encoder.spec();
  c.facts.settings[moco::kEvalViewsSetting] = eval_views;
  c.facts.classes = ClassNames(classes);
  c.facts.pretrained = pretrained;
  return c;
}

std::vector<std::string> ListCheckpoints(const std::string& run_folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const char* name : {kBestCheckpoint, kLastCheckpoint}) {
    const std::string path = absl::StrCat(run_folder, "/", name);
    if (std::filesystem::exists(path, error)) paths.push_back(path);
  }
  return paths;
}

}  // namespace lincls
