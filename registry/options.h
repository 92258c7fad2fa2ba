// The options of a plugin, stated once.
//
// An options struct has defaults and one function `Visit`, from which parsing, help, the catalogue
// and the canonical form in checkpoints are derived:
//
//   struct FlipOptions {
//     double p = 0.5;
//     template <class Visitor>
//     void Visit(Visitor& v) {
//       v("p", p, "probability", registry::Between(0, 1));
//     }
//   };
//
// Field types: bool, int64_t, double, std::string, and std::string restricted by OneOf.
#ifndef REGISTRY_OPTIONS_H_
#define REGISTRY_OPTIONS_H_

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "registry/spec.h"

namespace registry {

// The values that an option may have. NaN is outside every range.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool open_low = false;                // low itself is excluded
  std::vector<std::string> words = {};  // for strings; empty: any
};
Range Between(double low, double high);
Range AtLeast(double low);
Range Positive();
Range OneOf(std::vector<std::string> words);

// The description of one option in a catalogue.
struct OptionInfo {
  std::string key, type, default_value, range, help;
};

// Reads `text` into `*field`; false if it is not a value of the type.
bool ReadValue(const std::string& text, bool* field);
bool ReadValue(const std::string& text, int64_t* field);
bool ReadValue(const std::string& text, double* field);
bool ReadValue(const std::string& text, std::string* field);

// Returns the shortest text that ReadValue reads back as the same value.
std::string WriteValue(bool field);
std::string WriteValue(int64_t field);
std::string WriteValue(double field);
std::string WriteValue(const std::string& field);

inline const char* TypeName(bool) { return "bool"; }
inline const char* TypeName(int64_t) { return "integer"; }
inline const char* TypeName(double) { return "number"; }
inline const char* TypeName(const std::string&) { return "text"; }

// "0 to 1", "above 0", "cifar or imagenet"; empty if every value is allowed.
std::string ToString(const Range& range);

bool Contains(const Range& range, double value);
inline bool Contains(const Range&, bool) { return true; }
inline bool Contains(const Range& range, int64_t value) {
  return Contains(range, static_cast<double>(value));
}
bool Contains(const Range& range, const std::string& value);

namespace internal {

class Parser {
 public:
  explicit Parser(const Spec& spec) : spec_(spec), used_(spec.options.size(), false) {}

  template <class T>
  void operator()(const char* key, T& field, const char*, const Range& range = {}) {
    known_.push_back(key);
    for (size_t i = 0; i < spec_.options.size(); ++i) {
      if (spec_.options[i].first != key) continue;
      used_[i] = true;
      const std::string& text = spec_.options[i].second;
      if (!ReadValue(text, &field)) {
        Fail(key, text, TypeName(field));
      } else if (!Contains(range, field)) {
        Fail(key, text, ToString(range));
      }
    }
  }
  absl::Status Finish() const;

 private:
  void Fail(const char* key, const std::string& text, const std::string& wanted);

  const Spec& spec_;
  std::vector<bool> used_;
  std::vector<std::string> known_;
  absl::Status status_;
};

class Describer {
 public:
  template <class T>
  void operator()(const char* key, T& field, const char* help, const Range& range = {}) {
    options.push_back({key, TypeName(field), WriteValue(field), ToString(range), help});
  }
  std::vector<OptionInfo> options;
};

}  // namespace internal

// Returns the options of a spec; those that it does not give have their defaults. InvalidArgument
// names the option, the value and the range, or for an unknown option the known ones and the
// nearest.
template <class Options>
absl::StatusOr<Options> ParseOptions(const Spec& spec) {
  Options options;
  internal::Parser parser(spec);
  options.Visit(parser);
  if (absl::Status status = parser.Finish(); !status.ok()) return status;
  return options;
}

template <class Options>
std::vector<OptionInfo> DescribeOptions(Options options = {}) {
  internal::Describer describer;
  options.Visit(describer);
  return describer.options;
}

// Returns the spec with every option spelled out. Checkpoints hold specs in this form, so that a
// later change of a default has no effect on them.
template <class Options>
std::string CanonicalSpec(const std::string& name, const Options& options) {
  Spec spec{name, {}};
  for (const OptionInfo& o : DescribeOptions(options)) {
    spec.options.emplace_back(o.key, o.default_value);
  }
  return ToString(spec);
}

}  // namespace registry

#endif  // REGISTRY_OPTIONS_H_
