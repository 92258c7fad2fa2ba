#include "moco/checkpoints/facts.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "registry/options.h"

namespace moco {
namespace {

// Keys of entries that are not settings.
constexpr char kRun[] = "run", kStep[] = "step", kStepsPerEpoch[] = "steps_per_epoch";
constexpr char kInit[] = "init";
constexpr char kBadImages[] = "bad_images", kEpochSums[] = "epoch_sums", kForced[] = "forced";
constexpr char kClasses[] = "classes", kPretrained[] = "pretrained", kValidated[] = "validated";

// Names of settings in files of earlier versions.
constexpr std::pair<absl::string_view, absl::string_view> kEarlierNames[] = {
    {"mlp", kHeadSetting}, {"aug-plus", kViewsSetting}, {"eval_views", kEvalViewsSetting}};

absl::Status Unreadable(absl::string_view key, absl::string_view value) {
  return absl::DataLossError(absl::StrCat("says '", value, "' for '", key,
                                          "', which cannot be read; use an earlier checkpoint"));
}

absl::StatusOr<int64_t> Number(absl::string_view key, absl::string_view text, int64_t least) {
  int64_t number;
  if (!absl::SimpleAtoi(text, &number) || number < least) return Unreadable(key, text);
  return number;
}

}  // namespace

std::string CheckpointFacts::Setting(absl::string_view name) const {
  const auto found = settings.find(std::string(name));
  return found == settings.end() ? "" : found->second;
}

std::map<std::string, std::string> WriteFacts(const CheckpointFacts& facts) {
  std::map<std::string, std::string> dict = facts.settings;
  const auto write = [&](const char* key, const std::string& value) {
    if (!value.empty()) dict[key] = value;
  };
  write(kRun, facts.run);
  if (facts.step) dict[kStep] = absl::StrCat(*facts.step);
  if (facts.steps_per_epoch) dict[kStepsPerEpoch] = absl::StrCat(*facts.steps_per_epoch);
  write(kBadImages, absl::StrJoin(facts.bad_images, " "));
  write(kEpochSums, absl::StrJoin(facts.epoch_sums, " ", [](std::string* text, double sum) {
          text->append(registry::WriteValue(sum));
        }));
  write(kForced, facts.forced);
  write(kInit, facts.init);
  write(kClasses, facts.classes);
  write(kPretrained, facts.pretrained);
  if (!facts.validated) dict[kValidated] = "false";
  return dict;
}

absl::StatusOr<CheckpointFacts> ReadFacts(const std::map<std::string, std::string>& dict) {
  CheckpointFacts facts;
  facts.settings = dict;
  const auto take = [&](const char* key) {
    auto node = facts.settings.extract(key);
    return node.empty() ? std::string() : std::move(node.mapped());
  };
  for (const auto& [earlier, name] : kEarlierNames) {
    auto node = facts.settings.extract(std::string(earlier));
    if (node.empty()) continue;
    node.key() = std::string(name);
    facts.settings.insert(std::move(node));
  }
  // Earlier versions never turned images, and took 16 bits at full scale.
  if (!facts.Setting("program").empty()) {
    facts.settings.emplace(kExifSetting, "ignore");
    facts.settings.emplace(kRangeSetting, "");
  }
  facts.run = take(kRun);
  facts.forced = take(kForced);
  facts.init = take(kInit);
  facts.classes = take(kClasses);
  facts.pretrained = take(kPretrained);
  facts.validated = take(kValidated) != "false";
  for (const auto& [key, least, number] :
       {std::tuple(kStep, 0, &facts.step), std::tuple(kStepsPerEpoch, 1, &facts.steps_per_epoch)}) {
    const std::string text = take(key);
    if (text.empty()) continue;
    const auto read = Number(key, text, least);
    if (!read.ok()) return read.status();
    *number = *read;
  }
  const std::string sums = take(kEpochSums), images = take(kBadImages);
  for (absl::string_view word : absl::StrSplit(sums, ' ', absl::SkipEmpty())) {
    if (!absl::SimpleAtod(word, &facts.epoch_sums.emplace_back())) {
      return Unreadable(kEpochSums, sums);
    }
  }
  for (absl::string_view word : absl::StrSplit(images, ' ', absl::SkipEmpty())) {
    const auto index = Number(kBadImages, word, 0);
    if (!index.ok()) return index.status();
    facts.bad_images.insert(*index);
  }
  return facts;
}

}  // namespace moco
