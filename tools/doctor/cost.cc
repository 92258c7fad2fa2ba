#include "tools/doctor/cost.h"

#include <sys/wait.h>

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/exit_code.h"
#include "base/files.h"

namespace doctor {
namespace {

constexpr double kShareOfMemory = 0.8;  // the rest is the system's and other programs'
constexpr double kShareOfDisk = 0.5;
constexpr int64_t kKept = 3;  // checkpoints where the disk has no room for all

}  // namespace

CostOf CostBy(const std::string& pretrain) {
  return [pretrain](const std::string& words) -> absl::StatusOr<Cost> {
    // The words are quoted for a shell, since a person may paste them.
    const std::string command =
        absl::StrCat(base::ShellQuoted(pretrain), " ", words, " --dry-run 2>&1");
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
    if (code == base::kSuccess) return moco::ReadCost(estimate);
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

}  // namespace doctor
