#include "base/flags.h"

#include <gflags/gflags.h>
#include <glog/logging.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "registry/options.h"
#include "registry/spec.h"

namespace base {
namespace {

std::string WithDashes(absl::string_view name) { return absl::StrReplaceAll(name, {{"_", "-"}}); }

std::vector<gflags::CommandLineFlagInfo> FlagsOf(const std::string& file) {
  std::vector<gflags::CommandLineFlagInfo> all, some;
  gflags::GetAllFlags(&all);
  for (const auto& flag : all) {
    if (absl::EndsWith(flag.filename, file)) some.push_back(flag);
  }
  return some;
}

// gflags' own flags (--fromenv, --tab_completion_word, ...) and glog's are not this program's.
std::vector<std::string> KnownFlags() {
  std::vector<gflags::CommandLineFlagInfo> all;
  gflags::GetAllFlags(&all);
  std::vector<std::string> names;
  for (const auto& flag : all) {
    if (!absl::StrContains(flag.filename, "gflags") && !absl::StartsWith(flag.filename, "src/") &&
        !absl::StartsWith(flag.filename, "./src/")) {
      names.push_back(flag.name);
    }
  }
  return names;
}

// InvalidArgument when the flag is of another type, or no number.
absl::Status Set(const std::string& name, const std::string& value) {
  const std::string type = gflags::GetCommandLineFlagInfoOrDie(name.c_str()).type;
  double number;
  if (type == "double" && absl::SimpleAtod(value, &number) && !std::isfinite(number)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", WithDashes(name), " is ", value, ", must be a finite number"));
  }
  if (!gflags::SetCommandLineOption(name.c_str(), value.c_str()).empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--", WithDashes(name), " is '", value, "', must be of type ", type));
}

// The value as people write it: gflags gives 17 digits of a double.
std::string ValueText(const gflags::CommandLineFlagInfo& flag, const std::string& value) {
  double number;
  if (flag.type != "double" || !absl::SimpleAtod(value, &number)) return value;
  return registry::WriteValue(number);
}

// A flag's help: spelling (the name with what goes before it), default and description.
std::string Describe(const gflags::CommandLineFlagInfo& flag, const std::string& before) {
  const std::string value = flag.type == "string" && flag.default_value.empty()
                                ? ""
                                : absl::StrCat(" (", ValueText(flag, flag.default_value), ")");
  return absl::StrCat("  ", before, WithDashes(flag.name), value, "\n      ", flag.description,
                      "\n");
}

// The lines that are neither empty nor comments.
absl::StatusOr<std::vector<std::string>> ReadFlagfile(const std::string& path) {
  auto contents = ReadFile(path);
  if (!contents.ok()) return contents.status();
  std::vector<std::string> lines;
  for (absl::string_view line : absl::StrSplit(*contents, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!line.empty() && line[0] != '#') lines.emplace_back(line);
  }
  return lines;
}

constexpr int kMaxFlagfiles = 10;  // inside of each other

class Parser {
 public:
  Parser(const std::map<std::string, std::string>& aliases, const std::vector<std::string>& lists)
      : lists_(lists), known_(KnownFlags()) {
    for (const auto& [alias, name] : aliases) {
      if (Known(name)) aliases_[alias] = name;
    }
  }

  absl::Status Parse(const std::vector<std::string>& words) {
    for (size_t i = 0; i < words.size(); ++i) {
      const std::string& word = words[i];
      if (word == "--") {
        line.positional.insert(line.positional.end(), words.begin() + i + 1, words.end());
        break;
      }
      if (word.size() < 2 || word[0] != '-') {
        line.positional.push_back(word);
        continue;
      }
      if (absl::Status status = ParseFlag(words, i); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  CommandLine line;

 private:
  // Reads the flag at words[i], and leaves i at the last word that belongs to it.
  absl::Status ParseFlag(const std::vector<std::string>& words, size_t& i) {
    const size_t dashes = std::min(words[i].find_first_not_of('-'), words[i].size());
    const std::string text = words[i].substr(dashes);
    const size_t equals = text.find('=');
    std::string given = absl::StrReplaceAll(text.substr(0, equals), {{"-", "_"}});
    // -b256, as in Python's argparse: a short name with its value.
    if (dashes == 1 && !Known(given) && aliases_.count(given.substr(0, 1)) > 0 && text.size() > 1) {
      return ParseCluster(words, i, text);
    }
    const bool negated = !Known(given) && absl::StartsWith(given, "no") && IsBool(given.substr(2));
    if (negated) given = given.substr(2);
    const auto name = Resolve(given);
    if (!name.ok()) return name.status();
    if (negated && equals != std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", words[i], "' says two things; write --", WithDashes(*name), "=",
                       text.substr(equals + 1), " or --no", WithDashes(*name)));
    }
    if (*name == "help") {
      line.help = true;
      return absl::OkStatus();
    }
    if (equals != std::string::npos) return Assign(*name, text.substr(equals + 1));
    if (IsBool(*name)) return Assign(*name, negated ? "false" : "true");
    return AssignNext(*name, words, i);
  }

  // `text`, the word at words[i] without its dash, begins with a short name: of a switch, after
  // which more may stand (-eb256), or of a flag, after which its value does.
  absl::Status ParseCluster(const std::vector<std::string>& words, size_t& i,
                            const std::string& text) {
    const auto alias = aliases_.find(text.substr(0, 1));
    if (alias == aliases_.end()) {
      return absl::InvalidArgumentError(absl::StrCat("unknown flag -", text.substr(0, 1), " in '",
                                                     words[i], "'; --help lists all"));
    }
    const std::string rest = text.substr(1);
    if (!IsBool(alias->second)) {
      if (rest.empty()) return AssignNext(alias->second, words, i);
      return Assign(alias->second, std::string(absl::StripPrefix(rest, "=")));
    }
    if (absl::StartsWith(rest, "=")) return Assign(alias->second, rest.substr(1));
    if (absl::Status s = Assign(alias->second, "true"); !s.ok()) return s;
    return rest.empty() ? absl::OkStatus() : ParseCluster(words, i, rest);
  }

  // The flag of this name, of this other name, or the only one that begins so.
  absl::StatusOr<std::string> Resolve(const std::string& given) const {
    std::map<std::string, std::string> names = aliases_;
    for (const std::string& name : known_) names[name] = name;
    names["flagfile"] = "flagfile";
    names["help"] = names["h"] = "help";
    if (const auto exact = names.find(given); exact != names.end()) return exact->second;
    std::set<std::string> begun;
    for (const auto& [name, flag] : names) {
      if (!given.empty() && absl::StartsWith(name, given)) begun.insert(WithDashes(flag));
    }
    const std::string word = WithDashes(given);
    if (begun.size() == 1) return absl::StrReplaceAll(*begun.begin(), {{"-", "_"}});
    if (!begun.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--", word, " could be --", absl::StrJoin(begun, ", --"), "; write more of it"));
    }
    std::vector<std::string> known;
    for (const auto& [name, flag] : names) {
      if (name.size() > 1) known.push_back(WithDashes(name));
    }
    const std::string nearest = registry::Nearest(word, known);
    return absl::InvalidArgumentError(
        absl::StrCat("unknown flag --", word,
                     nearest.empty() ? "" : absl::StrCat("; did you mean --", nearest, "?"),
                     nearest.empty() ? "; " : " ", "--help lists all"));
  }

  // The value in the next word, or of a list in the next words; leaves i at the last of them.
  absl::Status AssignNext(const std::string& name, const std::vector<std::string>& words,
                          size_t& i) {
    const auto more = [&] {
      double number;
      return i + 1 < words.size() &&
             (!absl::StartsWith(words[i + 1], "-") || absl::SimpleAtod(words[i + 1], &number));
    };
    const bool list = std::find(lists_.begin(), lists_.end(), name) != lists_.end();
    if (!more()) {
      if (list) return Assign(name, "");
      return absl::InvalidArgumentError(absl::StrCat("--", WithDashes(name), " wants a value"));
    }
    std::string value = words[++i];
    double number;
    while (list && more() && absl::SimpleAtod(words[i + 1], &number)) {
      absl::StrAppend(&value, " ", words[++i]);
    }
    return Assign(name, value);
  }

  absl::Status Assign(const std::string& name, const std::string& value) {
    return name == "flagfile" ? ParseFile(UserPath(value)) : Set(name, value);
  }

  absl::Status ParseFile(const std::string& path) {
    auto lines = ReadFlagfile(path);
    if (!lines.ok()) return lines.status();
    if (++open_files_ > kMaxFlagfiles) {
      return absl::InvalidArgumentError(
          absl::StrCat("flagfile '", path, "' includes itself; take --flagfile out of it"));
    }
    absl::Status status = Parse(*lines);
    --open_files_;
    if (status.ok() || absl::StrContains(status.message(), "flagfile '")) return status;
    return absl::InvalidArgumentError(absl::StrCat("flagfile '", path, "': ", status.message()));
  }

  bool Known(const std::string& name) const {
    return std::find(known_.begin(), known_.end(), name) != known_.end();
  }

  bool IsBool(const std::string& name) const {
    gflags::CommandLineFlagInfo info;
    return gflags::GetCommandLineFlagInfo(name.c_str(), &info) && info.type == "bool";
  }

  const std::vector<std::string>& lists_;
  const std::vector<std::string> known_;
  std::map<std::string, std::string> aliases_;  // of those
  int open_files_ = 0;
};

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(int argc, char** argv,
                                             const std::map<std::string, std::string>& aliases,
                                             const std::vector<std::string>& lists) {
  Parser parser(aliases, lists);
  absl::Status status = parser.Parse(std::vector<std::string>(argv + 1, argv + argc));
  if (!status.ok()) return status;
  return parser.line;
}

void SetDefaults(const std::vector<std::pair<std::string, std::string>>& values) {
  for (const auto& [flag, value] : values) {
    if (!IsSet(flag)) CHECK(Set(flag, value).ok()) << flag << " " << value;
  }
}

absl::Status SetDefaultsFromFile(const std::string& path) {
  auto lines = ReadFlagfile(path);
  if (!lines.ok()) return lines.status();
  for (const std::string& line : *lines) {
    const std::pair<std::string, std::string> flag =
        absl::StrSplit(absl::StripPrefix(line, "--"), absl::MaxSplits('=', 1));
    const std::string name = absl::StrReplaceAll(flag.first, {{"-", "_"}});
    gflags::CommandLineFlagInfo info;
    if (!gflags::GetCommandLineFlagInfo(name.c_str(), &info)) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", path, "' sets the unknown flag '", flag.first, "'; take the line out"));
    }
    if (IsSet(name)) continue;
    if (absl::Status s = Set(name, flag.second); !s.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("'", path, "': ", s.message()));
    }
  }
  return absl::OkStatus();
}

bool IsSet(const std::string& flag) {
  return !gflags::GetCommandLineFlagInfoOrDie(flag.c_str()).is_default;
}

std::set<std::string> SetFlags(const std::string& file) {
  std::set<std::string> names;
  for (const auto& flag : FlagsOf(file)) {
    if (!flag.is_default) names.insert(flag.name);
  }
  return names;
}

std::string Flagfile(const std::string& file, const std::vector<std::string>& without) {
  std::string text;
  for (const auto& flag : FlagsOf(file)) {
    if (std::find(without.begin(), without.end(), flag.name) != without.end()) continue;
    absl::StrAppend(&text, "--", WithDashes(flag.name), "=", ValueText(flag, flag.current_value),
                    "\n");
  }
  return text;
}

std::string FlagHelp(const std::string& file) {
  std::string text;
  for (const auto& flag : FlagsOf(file)) absl::StrAppend(&text, Describe(flag, "--"));
  return text;
}

std::string FlagHelpByTheme(const std::vector<std::string>& files,
                            const std::vector<std::string>& themes,
                            const std::map<std::string, std::string>& aliases) {
  std::map<std::string, std::string> texts;
  for (const std::string& file : files) {
    for (auto flag : FlagsOf(file)) {
      const size_t end = flag.description.find("] ");
      CHECK(flag.description[0] == '[' && end != std::string::npos)
          << "the description of --" << WithDashes(flag.name) << " begins with no [theme]";
      const std::string theme = flag.description.substr(1, end - 1);
      CHECK(std::find(themes.begin(), themes.end(), theme) != themes.end())
          << "the theme of --" << WithDashes(flag.name) << ", '" << theme << "', is none of them";
      flag.description.erase(0, end + 2);
      std::string spelling;
      for (const auto& [alias, name] : aliases) {
        if (name != flag.name) continue;
        absl::StrAppend(&spelling, alias.size() == 1 ? "-" : "--", WithDashes(alias), ", ");
      }
      absl::StrAppend(&texts[theme], Describe(flag, spelling + "--"));
    }
  }
  std::string text;
  for (const std::string& theme : themes) {
    if (!texts[theme].empty()) absl::StrAppend(&text, theme, ":\n", texts[theme]);
  }
  return text;
}

absl::Status CheckFlag(const std::string& flag, double value, double low, double high) {
  if (value >= low && value <= high) return absl::OkStatus();  // written so that NaN fails
  const std::string range = high == std::numeric_limits<double>::infinity()
                                ? absl::StrCat("at least ", low)
                                : absl::StrCat(low, " to ", high);
  return absl::InvalidArgumentError(
      absl::StrCat("--", WithDashes(flag), " is ", value, ", must be ", range));
}

absl::StatusOr<std::vector<double>> ReadNumbers(const std::string& flag, const std::string& text,
                                                double low, double high) {
  std::vector<double> numbers;
  for (absl::string_view word : absl::StrSplit(text, absl::ByAnyChar(" ,"), absl::SkipEmpty())) {
    if (!absl::SimpleAtod(word, &numbers.emplace_back())) {
      return absl::InvalidArgumentError(absl::StrCat("--", WithDashes(flag), " is '", text,
                                                     "', of which '", word, "' is no number"));
    }
    if (absl::Status s = CheckFlag(flag, numbers.back(), low, high); !s.ok()) return s;
  }
  if (numbers.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", WithDashes(flag), " is empty, must be numbers like '1 10'"));
  }
  return numbers;
}

}  // namespace base
