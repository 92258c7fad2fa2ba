#include "base/run_log.h"

#include <glog/logging.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/event_file.h"
#include "base/files.h"

namespace base {
namespace {

constexpr char kJsonLines[] = "metrics.jsonl", kCsv[] = "metrics.csv";

double Now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

RunLog::RunLog(RunFolder* folder, std::vector<std::string> columns)
    : folder_(folder), columns_(std::move(columns)) {
  if (folder_ == nullptr) return;
  if (const auto text = ReadFile(folder_->File("bad_images.txt")); text.ok()) {
    for (absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
      bad_images_.emplace(line.substr(0, line.find('\t')));
    }
  }
}

void RunLog::Start(int64_t step) {
  if (folder_ == nullptr) return;
  std::string lines, rows = absl::StrJoin(columns_, ",") + "\n";
  for (const nlohmann::json& line : Lines()) {
    // A new run keeps no line of an earlier one.
    if (step == 0 || line.value("step", int64_t{0}) > step) continue;
    absl::StrAppend(&lines, line.dump(), "\n");
    absl::StrAppend(&rows, CsvRow(line), "\n");
  }
  Warn(WriteFileAtomically(folder_->File(kJsonLines), lines));
  Warn(WriteFileAtomically(folder_->File(kCsv), rows));

  // TensorBoard takes the files of a folder in the order of their names.
  events_ = absl::StrCat("events.out.tfevents.", static_cast<int64_t>(Now()), ".", getpid());
  const int64_t next = step == 0 ? 0 : step + 1;  // 0: the untrained encoder
  Warn(folder_->Append(events_, EventFileVersion(Now()) + SessionStart(Now(), next)));
}

void RunLog::Warn(const absl::Status& status) {
  const std::string message(status.message());
  if (!status.ok() && warned_.insert(message).second) Print("warning: " + message);
}

void RunLog::Metrics(const nlohmann::json& metrics) {
  if (folder_ == nullptr) return;
  std::vector<std::pair<std::string, double>> scalars;
  for (const auto& [name, value] : metrics.items()) {
    CHECK(std::find(columns_.begin(), columns_.end(), name) != columns_.end()) << name;
    if (name != "step") scalars.emplace_back(name, value.get<double>());
  }
  Warn(folder_->Append(kJsonLines, metrics.dump() + "\n"));
  Warn(folder_->Append(kCsv, CsvRow(metrics) + "\n"));
  Warn(folder_->Append(events_, ScalarEvent(Now(), metrics["step"], scalars)));
}

std::string RunLog::CsvRow(const nlohmann::json& metrics) const {
  return absl::StrJoin(columns_, ",", [&](std::string* row, const std::string& name) {
    if (metrics.contains(name)) row->append(metrics[name].dump());
  });
}

std::vector<nlohmann::json> RunLog::Recorded(const std::string& name) const {
  std::vector<nlohmann::json> lines = Lines();
  lines.erase(std::remove_if(lines.begin(), lines.end(),
                             [&](const nlohmann::json& line) { return !line.contains(name); }),
              lines.end());
  return lines;
}

void RunLog::PrintTable(const std::vector<TableRow>& rows) {
  Print(absl::StrFormat("  %-22s %10s %10s %10s %10s", "", "first", "last", "min", "max"));
  for (const TableRow& row : rows) {
    std::vector<double> values;
    for (const nlohmann::json& line : Recorded(row.name)) {
      values.push_back(row.scale * line[row.name].get<double>());
    }
    if (values.empty()) continue;
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    Print(absl::StrFormat("  %-22s %10.4g %10.4g %10.4g %10.4g", row.title, values.front(),
                          values.back(), *least, *most));
  }
}

std::vector<nlohmann::json> RunLog::Lines() const {
  std::vector<nlohmann::json> lines;
  if (folder_ == nullptr) return lines;
  const auto text = ReadFile(folder_->File(kJsonLines));
  if (!text.ok()) return lines;  // there are no lines yet
  for (absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    auto json = nlohmann::json::parse(std::string(line), nullptr, /*exceptions=*/false);
    if (json.is_object()) lines.push_back(std::move(json));
  }
  return lines;
}

void RunLog::BadImage(const std::string& name, const std::string& why) {
  if (!bad_images_.insert(name).second) return;
  Print(absl::StrCat("bad image ", bad_images_.size(), ": ", why));
  if (folder_ != nullptr)
    Warn(folder_->Append("bad_images.txt", absl::StrCat(name, "\t", why, "\n")));
}

}  // namespace base
