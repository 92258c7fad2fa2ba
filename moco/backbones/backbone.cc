#include "moco/backbones/backbone.h"

#include "absl/strings/numbers.h"

namespace moco {

absl::StatusOr<int> ImageChannels(const std::string& spec) {
  const auto canonical = Backbones().Canonical(spec);
  if (!canonical.ok()) return canonical.status();
  const auto parsed = registry::ParseSpec(*canonical);
  if (!parsed.ok()) return parsed.status();
  int channels = 3;
  for (const auto& [key, value] : parsed->options) {
    if (key == "channels" && !absl::SimpleAtoi(value, &channels)) channels = 3;
  }
  return channels;
}

BackboneRegistry& Backbones() {
  static BackboneRegistry& table = *new BackboneRegistry("backbone");
  return table;
}

}  // namespace moco
