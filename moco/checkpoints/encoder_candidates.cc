#include "moco/checkpoints/encoder_candidates.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace moco {
namespace {

// Ranks a prefix by the words in it.
void Rank(const std::set<std::string>& entries, Candidate& candidate) {
  const std::set<std::string> words = absl::StrSplit(absl::AsciiStrToLower(candidate.prefix),
                                                     absl::ByAnyChar("._"), absl::SkipEmpty());
  const auto has = [&](std::initializer_list<const char*> any) {
    return std::any_of(any.begin(), any.end(), [&](const char* w) { return words.count(w) > 0; });
  };
  // MMEngine's EMAHook (MMEngine leaves a message_hub) and Lightning's WeightAveraging exchange the
  // two before they save: `state_dict` has the average, and the other entry what was trained.
  const bool mmengine = entries.count("message_hub") > 0 && entries.count("ema_state_dict") > 0;
  const bool exchanged = mmengine || entries.count("current_model_state") > 0;
  if (absl::StartsWith(candidate.prefix, "current_model_state.") ||
      (mmengine && absl::StartsWith(candidate.prefix, "ema_state_dict."))) {
    candidate.rank = 5;
  } else if (has({"ema", "swa", "averaging", "averaged", "average", "avg"})) {
    candidate.rank = 0;
    candidate.weights = kEma;
  } else if (has({"momentum", "target", "key", "k"})) {
    candidate.rank = 4;
    candidate.weights = kEma;
  } else if (has({"teacher"})) {
    candidate.rank = 2;
    candidate.weights = kEma;
  } else if (has({"student"})) {
    candidate.rank = 3;
  } else {
    candidate.rank = 1;
    candidate.weights = exchanged ? kEma : kRaw;
  }
}

// Whether tools that count operations (thop) have added a tensor to each layer.
bool IsAdded(absl::string_view name) {
  return absl::EndsWith(name, "total_ops") || absl::EndsWith(name, "total_params");
}

}  // namespace

std::vector<Candidate> Candidates(const StateDict& all, const std::set<std::string>& entries,
                                  const EncoderNames* own) {
  std::vector<Candidate> candidates;
  for (const auto& [name, tensor] : all) {
    const auto consider = [&, &name = name](const EncoderNames& names) {
      absl::string_view prefix = name;
      if (!absl::ConsumeSuffix(&prefix, names.first) ||
          (!prefix.empty() && !absl::EndsWith(prefix, "."))) {
        return;
      }
      Candidate candidate{std::string(prefix), &names};
      bool marked = false, other = false;
      for (const auto& [below, value] : Below(all, candidate.prefix)) {
        const std::string plain = WithoutInnerWrappers(below);
        marked = marked || plain == names.marker;
        other = other || plain == names.absent;
        std::string ours = IsAdded(plain) ? "" : names.torchvision(plain);
        if (!ours.empty()) candidate.tensors.emplace_back(std::move(ours), value);
      }
      if (!marked || other) return;
      Rank(entries, candidate);
      JoinSplitStatistics(candidate.tensors);
      candidates.push_back(std::move(candidate));
    };
    if (own != nullptr) {
      consider(*own);
    } else {
      for (const EncoderNames& names : AllEncoderNames()) consider(names);
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const auto& a, const auto& b) { return a.rank < b.rank; });
  return candidates;
}

}  // namespace moco
