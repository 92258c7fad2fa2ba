#include "moco/checkpoints/named_network.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/files.h"

namespace moco {
namespace {

using nlohmann::json;

constexpr char kWith[] = " with ";
constexpr int64_t kMaxConfig = 1 << 20;

// timm's arguments of a model that leave its layers as they are.
const std::set<std::string>& HarmlessArguments() {
  static const auto& all = *new std::set<std::string>{
      "block_args", "drop_block_rate", "drop_path_rate", "drop_rate",     "global_pool",
      "in_chans",   "num_classes",     "pretrained",     "zero_init_last"};
  return all;
}

std::string TimmsNetwork(const json& config) {
  const auto name = config["architecture"].get<std::string>();
  if (!config.contains("model_args") || !config["model_args"].is_object()) return name;
  for (const auto& [key, value] : config["model_args"].items()) {
    const bool usual = HarmlessArguments().count(key) > 0 || value.is_null() ||
                       (key == "output_stride" && value == 32);
    if (!usual) return absl::StrCat(name, kWith, key, "=", value.dump());
  }
  return name;
}

std::string TransformersNetwork(const json& config) {
  const auto is = [&](const char* key, const json& usual) {
    return !config.contains(key) || config[key] == usual;
  };
  const std::pair<const char*, json> kUsual[] = {{"downsample_in_bottleneck", false},
                                                 {"downsample_in_first_stage", false},
                                                 {"hidden_act", "relu"}};
  for (const auto& [key, usual] : kUsual) {
    if (!is(key, usual)) return absl::StrCat("resnet", kWith, key, "=", config[key].dump());
  }
  return "";
}

}  // namespace

std::string NetworkBeside(const std::string& file) {
  const std::filesystem::path path(file);
  if (path.filename() != "model.safetensors" && path.filename() != "pytorch_model.bin") return "";
  const auto text = base::ReadFile(path.parent_path() / "config.json", kMaxConfig);
  if (!text.ok()) return "";
  const json config = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!config.is_object()) return "";
  const auto is_text = [&](const char* key) {
    return config.contains(key) && config[key].is_string();
  };
  if (is_text("architecture") && config.contains("pretrained_cfg")) return TimmsNetwork(config);
  if (is_text("model_type") && config["model_type"] == "resnet") return TransformersNetwork(config);
  return "";
}

std::string NetworkOfMmengine(absl::string_view config) {
  if (absl::StrContains(config, "style='caffe'")) {
    return absl::StrCat("ResNet", kWith, "style='caffe'");
  }
  constexpr absl::string_view kDilations = "dilations=(";
  for (size_t at = config.find(kDilations); at != absl::string_view::npos;
       at = config.find(kDilations, at + 1)) {
    const size_t end = std::min(config.find(')', at), config.size() - 1);
    const absl::string_view rest = config.substr(at, end + 1 - at);
    const absl::string_view values = absl::StripSuffix(rest.substr(kDilations.size()), ")");
    if (values.find_first_of("23456789") != absl::string_view::npos) {
      return absl::StrCat("ResNet", kWith, rest);
    }
  }
  return "";
}

}  // namespace moco
