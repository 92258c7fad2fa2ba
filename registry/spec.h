// Specs: the text form of a plugin and its options in flags, checkpoints and documentation.
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

// InvalidArgument, quoting the text, if it is empty, if an option is not key=value, or if a key
// occurs twice.
absl::StatusOr<Spec> ParseSpec(absl::string_view text);

// Returns the specs of a pipeline, at least one.
absl::StatusOr<std::vector<std::string>> SplitPipeline(absl::string_view text);

// Returns the text that ParseSpec reads back as `spec`.
std::string ToString(const Spec& spec);

// Returns the word in `known` that is most similar to `word`; empty if none is similar.
std::string Nearest(absl::string_view word, const std::vector<std::string>& known);

// "unknown <kind> 'reznet18'; did you mean 'resnet18'? Known: resnet18, resnet34".
std::string UnknownMessage(absl::string_view kind, absl::string_view word,
                           const std::vector<std::string>& known);

}  // namespace registry

#endif  // REGISTRY_SPEC_H_
