#include "base/run_log.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/files.h"

namespace base {
namespace {
constexpr char kMetrics[] = "metrics.jsonl";
}

RunLog::RunLog(RunFolder& folder) : folder_(folder) {
  if (const auto text = ReadFile(folder_.File("bad_images.txt")); text.ok()) {
    for (absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
      bad_images_.emplace(line.substr(0, line.find('\t')));
    }
  }
}

void RunLog::Warn(const absl::Status& status) {
  const std::string message(status.message());
  if (!status.ok() && warned_.insert(message).second) Print("warning: " + message);
}

void RunLog::Metrics(const nlohmann::json& metrics) { Warn(folder_.AppendMetrics(metrics)); }

void RunLog::DropMetricsAfter(int64_t step) {
  std::error_code error;
  if (!std::filesystem::exists(folder_.File(kMetrics), error)) return;
  std::string kept;
  for (const nlohmann::json& line : Lines()) {
    if (line.value("step", int64_t{0}) <= step) absl::StrAppend(&kept, line.dump(), "\n");
  }
  Warn(WriteFileAtomically(folder_.File(kMetrics), kept));
}

bool RunLog::Recorded(int64_t step, const std::string& key) const {
  for (const nlohmann::json& line : Lines()) {
    if (line.value("step", int64_t{-1}) == step && line.contains(key)) return true;
  }
  return false;
}

std::vector<nlohmann::json> RunLog::Lines() const {
  std::vector<nlohmann::json> lines;
  const auto text = ReadFile(folder_.File(kMetrics));
  if (!text.ok()) return lines;  // there are none yet
  for (absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    auto json = nlohmann::json::parse(std::string(line), nullptr, /*exceptions=*/false);
    if (json.is_object()) lines.push_back(std::move(json));
  }
  return lines;
}

void RunLog::BadImage(const std::string& name, const std::string& why) {
  if (!bad_images_.insert(name).second) return;
  Print(absl::StrCat("bad image ", bad_images_.size(), ": ", why));
  Warn(folder_.AppendLine("bad_images.txt", absl::StrCat(name, "\t", why)));
}

}  // namespace base
