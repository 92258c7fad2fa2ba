#include "moco/report/run.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "moco/report/sweep_files.h"

namespace report {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr char kMetrics[] = "metrics.jsonl", kFlags[] = "flags.txt";
// No step of a run is larger (moco/training/training_run.cc), and doubles hold all smaller ones.
constexpr double kMaxStep = 4294967296.0;

bool Exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// The value as text: texts without quotes.
std::string Text(const json& value) {
  return value.is_string() ? value.get<std::string>()
                           : value.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false,
                                        json::error_handler_t::replace);
}

// The object in a file; null, with a note, if there is none.
json ReadObject(const std::string& path, std::vector<std::string>& notes) {
  const auto text = base::ReadFile(path);
  if (!text.ok()) return nullptr;
  json object = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (object.is_object()) return object;
  notes.push_back(absl::StrCat("'", path, "' is damaged, and was ignored"));
  return nullptr;
}

std::map<std::string, std::string> Texts(const json& object, const char* key) {
  std::map<std::string, std::string> texts;
  if (!object.is_object() || !object.contains(key) || !object[key].is_object()) return texts;
  for (const auto& [name, value] : object[key].items()) texts[name] = Text(value);
  return texts;
}

int64_t Count(const json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_number()) return 0;
  const double number = object[key].get<double>();
  return number >= 0 && number <= kMaxStep ? static_cast<int64_t>(number) : 0;
}

std::map<std::string, std::string> ReadFlags(const std::string& path) {
  std::map<std::string, std::string> flags;
  const auto text = base::ReadFile(path);
  if (!text.ok()) return flags;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    if (!absl::ConsumePrefix(&line, "--")) continue;
    const std::pair<std::string, std::string> flag = absl::StrSplit(line, absl::MaxSplits('=', 1));
    flags[flag.first] = flag.second;
  }
  return flags;
}

absl::Status Damaged(const std::string& path, int64_t line, const std::string& what) {
  return absl::DataLossError(
      absl::StrCat("'", path, "' line ", line, " ", what,
                   "; it was damaged, or another program or version wrote it; remove the line"));
}

absl::Status ReadMetrics(const std::string& path, Run& run) {
  const auto text = base::ReadFile(path);
  if (!text.ok()) return text.status();
  absl::string_view rest = *text;
  for (int64_t number = 1; !rest.empty(); ++number) {
    const size_t end = rest.find('\n');
    const absl::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == absl::string_view::npos ? rest.size() : end + 1);
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    const json object = json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
    if (!object.is_object() && end == absl::string_view::npos) {
      run.notes.push_back(absl::StrCat("the last line of '", path, "' is cut, and was ignored"));
      break;
    }
    if (!object.is_object()) return Damaged(path, number, "is not a JSON object");
    if (!object.contains("step") || !object["step"].is_number() ||
        !(object["step"].get<double>() >= 0 && object["step"].get<double>() <= kMaxStep)) {
      return Damaged(path, number, "has no step");
    }
    const auto step = static_cast<int64_t>(object["step"].get<double>());
    run.step = std::max(run.step, step);
    for (const auto& [name, value] : object.items()) {
      if (name == "step") continue;
      // Numbers that are not finite are null in JSON. A later version may add what is no number.
      if (!value.is_number() || !std::isfinite(value.get<double>())) continue;
      run.metrics[name].push_back({step, value.get<double>()});
    }
  }
  if (run.metrics.empty()) {
    return absl::DataLossError(absl::StrCat(
        "'", path, "' has no metrics; the run has not done its first step, or they were lost"));
  }
  for (auto& [name, series] : run.metrics) {
    // The evaluation of the untrained encoder, of step 0, follows the first step.
    std::stable_sort(series.begin(), series.end(),
                     [](const Point& a, const Point& b) { return a.step < b.step; });
  }
  return absl::OkStatus();
}

// What settings.json says, for runs that have none.
void Complete(Run& run) {
  Settings& settings = run.settings;
  if (settings.program.empty()) {
    settings.program = run.metrics.count("validation_acc1") > 0 || run.flags.count("pretrained") > 0
                           ? "//lincls:lincls"
                           : "//moco:pretrain";
  }
  const Series* ends = run.Find("epoch_loss");
  if (ends == nullptr) ends = run.Find("validation_loss");
  const Series* epochs = run.Find("epoch");
  if (settings.steps_per_epoch == 0 && ends != nullptr && epochs != nullptr) {
    const int64_t step = ends->back().step;
    // At the end of an epoch, which the line numbers from 0.
    for (const Point& point : *epochs) {
      if (point.step != step || !(point.value >= 0 && point.value <= kMaxStep)) continue;
      settings.steps_per_epoch = step / (std::llround(point.value) + 1);
      break;
    }
  }
  int64_t count = 0;
  if (settings.steps == 0 && absl::SimpleAtoi(run.Flag("epochs"), &count) && count > 0 &&
      count <= kMaxStep / std::max<int64_t>(settings.steps_per_epoch, 1)) {
    settings.steps = count * settings.steps_per_epoch;
  }
}

}  // namespace

Settings ReadSettings(const std::string& path, std::vector<std::string>& notes) {
  const json object = ReadObject(path, notes);
  Settings settings;
  for (const auto& [key, field] :
       {std::pair("program", &settings.program), std::pair("preset", &settings.preset)}) {
    if (object.is_object() && object.contains(key)) *field = Text(object[key]);
  }
  settings.usual = Texts(object, "usual");
  settings.facts = Texts(object, "settings");
  settings.images = Texts(object, "images");
  if (object.is_object() && object.contains("arguments") && object["arguments"].is_array()) {
    for (const json& argument : object["arguments"]) settings.arguments.push_back(Text(argument));
  }
  settings.steps = Count(object, "steps");
  settings.steps_per_epoch = Count(object, "steps_per_epoch");
  return settings;
}

std::string SettingsText(const Settings& settings) {
  const json object = {
      {"program", settings.program}, {"preset", settings.preset},
      {"usual", settings.usual},     {"settings", settings.facts},
      {"images", settings.images},   {"arguments", settings.arguments},
      {"steps", settings.steps},     {"steps_per_epoch", settings.steps_per_epoch}};
  return object.dump(2, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace) + "\n";
}

std::string Run::Flag(const std::string& name) const {
  const auto flag = flags.find(name);
  return flag == flags.end() ? "" : flag->second;
}

std::string Run::ImageFlag(const std::string& name) const {
  if (settings.images.empty()) return Flag(name);
  const auto flag = settings.images.find(name);
  return flag == settings.images.end() ? "" : flag->second;
}

std::string Run::Fact(const std::string& name) const {
  const auto fact = settings.facts.find(name);
  return fact == settings.facts.end() ? Flag(name) : fact->second;
}

const Series* Run::Find(const std::string& name) const {
  const auto series = metrics.find(name);
  return series == metrics.end() ? nullptr : &series->second;
}

absl::StatusOr<Run> ReadRun(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    return absl::NotFoundError(absl::StrCat("'", path, "' does not exist; give a run folder"));
  }
  Run run;
  run.path = std::string(absl::StripSuffix(path, "/"));
  run.name = fs::path(run.path).filename();
  const auto file = [&](const char* name) { return absl::StrCat(run.path, "/", name); };
  if (!fs::is_directory(path, error) ||
      (!Exists(file(kMetrics)) && !Exists(file(kSweepFile)) && !Exists(file(kFlags)))) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", path,
        "' is not the folder of a run: it has no metrics.jsonl, flags.txt or sweep.csv; "
        "give one that pretrain, lincls or sweep has written, such as runs/<time>"));
  }
  run.settings = ReadSettings(file(kSettingsFile), run.notes);
  run.flags = ReadFlags(file(kFlags));
  if (const json object = ReadObject(file("environment.json"), run.notes); object.is_object()) {
    for (const auto& [name, value] : object.items())
      run.environment.emplace_back(name, Text(value));
  }
  if (const auto text = base::ReadFile(file("bad_images.txt")); text.ok()) {
    for (absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
      const std::pair<std::string, std::string> image =
          absl::StrSplit(line, absl::MaxSplits('\t', 1));
      run.bad_images.push_back(image);
    }
  }
  if (run.settings.program.empty() && Exists(file(kSweepFile)) && !Exists(file(kMetrics))) {
    run.settings.program = "//lincls:sweep";
  }
  if (run.IsSweep()) {
    if (absl::Status s = ReadSweep(run); !s.ok()) return s;
  } else {
    if (!Exists(file(kMetrics))) {
      return absl::DataLossError(
          absl::StrCat("'", run.path,
                       "' has no metrics.jsonl; the run has not done its first "
                       "step, or they were lost"));
    }
    if (absl::Status s = ReadMetrics(file(kMetrics), run); !s.ok()) return s;
  }
  const auto written = fs::last_write_time(file(run.IsSweep() ? kEpochsFile : kMetrics), error);
  if (!error) {
    run.age = std::chrono::duration<double>(fs::file_time_type::clock::now() - written).count();
  }
  Complete(run);
  return run;
}

}  // namespace report
