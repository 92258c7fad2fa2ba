#include "tools/doctor/cost.h"

#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/exit_code.h"
#include "base/files.h"
#include "base/format_count.h"
#include "base/progress.h"

namespace doctor {
namespace {

constexpr double kShareOfMemory = 0.8;  // the rest is the system's and other programs'
constexpr double kShareOfDisk = 0.5;
constexpr int64_t kKept = 3;  // checkpoints where the disk has no room for all

}  // namespace

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
  cost.seconds = number("seconds");
  cost.tried_steps = static_cast<int64_t>(number("tried_steps"));
  cost.tried_images = static_cast<int64_t>(number("tried_images"));
  if (cost.memory <= 0 || cost.steps <= 0) return absl::DataLossError("its estimate is not whole");
  return cost;
}

CostOf CostBy(const std::string& pretrain) {
  return [pretrain](const std::string& words) -> absl::StatusOr<Cost> {
    // The words are quoted for a shell, since a person may paste them.
    const std::string command =
        absl::StrCat(base::ShellQuoted(pretrain), " ", words, " --estimate 2>&1");
    std::FILE* const pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return base::ErrnoStatus("cannot start", pretrain);
    std::string output;
    char buffer[4096];
    while (const size_t size = std::fread(buffer, 1, sizeof(buffer), pipe)) {
      output.append(buffer, size);
    }
    const int status = pclose(pipe);
    std::string estimate, error = "it has said nothing";
    for (absl::string_view line : absl::StrSplit(output, '\n')) {
      if (!line.empty() && line[0] == '{') estimate = std::string(line);
      if (absl::ConsumePrefix(&line, "error: ")) error = std::string(line);
    }
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code == base::kSuccess) return ReadCost(estimate);
    error = absl::StrCat("pretrain: ", error);
    return code == base::kBadUsage ? absl::InvalidArgumentError(error)
                                   : absl::UnavailableError(error);
  };
}

absl::StatusOr<Cost> FitMachine(const CostOf& cost_of, const std::vector<std::string>& data,
                                double disk, Advice& advice) {
  auto cost = cost_of(Words(advice, data));
  while (cost.ok() && cost->memory > kShareOfMemory * cost->machine_memory &&
         NeedLessMemory(advice)) {
    cost = cost_of(Words(advice, data));
  }
  if (!cost.ok()) return cost;
  if (cost->checkpoints > kKept && cost->checkpoint * cost->checkpoints > kShareOfDisk * disk) {
    KeepCheckpoints(kKept, advice);
    cost->checkpoints = kKept;
  }
  return cost;
}

std::vector<std::string> DescribeCost(const Cost& cost, int64_t epochs, double disk) {
  std::vector<std::string> lines = {
      absl::StrCat("memory   about ", base::FormatBytes(cost.memory), " of the machine's ",
                   base::FormatBytes(cost.machine_memory)),
      absl::StrCat("disk     ", base::FormatCount(cost.checkpoints), " checkpoints of ",
                   base::FormatBytes(cost.checkpoint), ": ",
                   base::FormatBytes(cost.checkpoints * cost.checkpoint), " of the ",
                   base::FormatBytes(disk), " that are free")};
  if (cost.tried_steps == 0) return lines;
  lines.push_back(absl::StrFormat(
      "time     about %s for %s epochs of %s steps, %s each, on this machine (%d steps of %d "
      "images were tried)",
      base::FormatSeconds(cost.seconds), base::FormatCount(epochs),
      base::FormatCount(cost.steps / epochs), base::FormatSeconds(cost.seconds / epochs),
      cost.tried_steps, cost.tried_images));
  return lines;
}

}  // namespace doctor
