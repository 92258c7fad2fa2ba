#include "moco/before/cost.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/format_count.h"
#include "base/progress.h"

namespace moco {

std::string CostJson(const Cost& cost) {
  nlohmann::ordered_json json = {
      {"memory", cost.memory},         {"machine_memory", cost.machine_memory},
      {"checkpoint", cost.checkpoint}, {"checkpoints", cost.checkpoints},
      {"steps", cost.steps},           {"steps_per_epoch", cost.steps_per_epoch}};
  if (cost.tried_steps > 0) {
    json["seconds"] = cost.seconds;
    json["tried_steps"] = cost.tried_steps;
    json["tried_images"] = cost.tried_images;
  }
  return json.dump();
}

absl::StatusOr<Cost> ReadCost(absl::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return absl::DataLossError("it has printed no estimate");
  const auto number = [&](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_number() ? found->get<double>() : 0.0;
  };
  Cost cost;
  cost.memory = number("memory");
  cost.machine_memory = number("machine_memory");
  cost.checkpoint = number("checkpoint");
  cost.checkpoints = static_cast<int64_t>(number("checkpoints"));
  cost.steps = static_cast<int64_t>(number("steps"));
  cost.steps_per_epoch = static_cast<int64_t>(number("steps_per_epoch"));
  cost.seconds = number("seconds");
  cost.tried_steps = static_cast<int64_t>(number("tried_steps"));
  cost.tried_images = static_cast<int64_t>(number("tried_images"));
  if (cost.memory <= 0 || cost.steps <= 0 || cost.steps_per_epoch <= 0) {
    return absl::DataLossError("its estimate is not whole");
  }
  return cost;
}

std::vector<std::string> DescribeCost(const Cost& cost, double disk) {
  std::vector<std::string> lines = {
      absl::StrCat("memory   about ", base::FormatBytes(cost.memory), " of the machine's ",
                   base::FormatBytes(cost.machine_memory)),
      absl::StrCat("disk     ", base::FormatCount(cost.checkpoints), " checkpoints of ",
                   base::FormatBytes(cost.checkpoint), ": ",
                   base::FormatBytes(cost.checkpoints * cost.checkpoint), " of the ",
                   base::FormatBytes(disk), " that are free")};
  if (cost.tried_steps == 0) return lines;
  const double epochs = static_cast<double>(cost.steps) / cost.steps_per_epoch;
  const bool whole = cost.steps % cost.steps_per_epoch == 0;
  lines.push_back(absl::StrFormat(
      "time     about %s for %s epochs of %s steps, %s each, on this machine (measured in %d "
      "step%s of %d images)",
      base::FormatSeconds(cost.seconds),
      whole ? base::FormatCount(cost.steps / cost.steps_per_epoch)
            : absl::StrFormat("%.1f", epochs),
      base::FormatCount(cost.steps_per_epoch), base::FormatSeconds(cost.seconds / epochs),
      cost.tried_steps, cost.tried_steps == 1 ? "" : "s", cost.tried_images));
  return lines;
}

}  // namespace moco
