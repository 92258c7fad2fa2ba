// Specs: the text form in which flags, checkpoints and documents name a plugin and its options.
//
//   spec     = name [ ":" option { "," option } ]
//   option   = key "=" value
//   pipeline = spec { "|" spec }
//
// for example `resnet18:stem=cifar` or `random_resized_crop:size=32,scale_min=0.2|flip`. Names and
// keys are snake_case; a value is any text without `,` and `|`. White space around each part is
// ignored.
#ifndef REGISTRY_SPEC_H_
#define REGISTRY_SPEC_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace registry {

struct Spec {
  std::string name;
  std::vector<std::pair<std::string, std::string>> options;  // key, value; in the order given
};

// InvalidArgument, quoting the text, when it is empty, an option is not key=value, or a key comes
// twice.
absl::StatusOr<Spec> ParseSpec(absl::string_view text);

// The specs of a pipeline, at least one.
absl::StatusOr<std::vector<std::string>> SplitPipeline(absl::string_view text);

// The text that ParseSpec reads back as `spec`.
std::string ToString(const Spec& spec);

// The word of `known` that `word` was probably meant to be; empty when none is close.
std::string Nearest(absl::string_view word, const std::vector<std::string>& known);

// "unknown <kind> 'reznet18'; did you mean 'resnet18'? Known: resnet18, resnet34".
std::string UnknownMessage(absl::string_view kind, absl::string_view word,
                           const std::vector<std::string>& known);

}  // namespace registry

#endif  // REGISTRY_SPEC_H_
