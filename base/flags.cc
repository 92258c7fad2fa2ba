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
#include "base/usual_flags.h"
#include "registry/options.h"
#include "registry/spec.h"

namespace base {
namespace {

std::string WithDashes(absl::string_view name) { return absl::StrReplaceAll(name, {{"_", "-"}}); }

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// What the description of a flag says (flags.h).
struct Facts {
  std::string theme, range, text;  // `range` as --help and errors show it; empty: any value
  bool numbers = false;            // a list of numbers
  double low = -kInfinity, high = kInfinity;
  std::vector<std::string> words;  // one of these
};

// Reads "at least 1" or "0 to 1"; false for any other text.
bool ReadInterval(absl::string_view text, double* low, double* high) {
  if (absl::ConsumePrefix(&text, "at least ")) return absl::SimpleAtod(text, low);
  const std::vector<absl::string_view> ends = absl::StrSplit(text, " to ");
  return ends.size() == 2 && absl::SimpleAtod(ends[0], low) && absl::SimpleAtod(ends[1], high);
}

Facts FactsOf(const gflags::CommandLineFlagInfo& flag) {
  Facts facts;
  absl::string_view text = flag.description;
  const size_t end = text.find("] ");
  if (!absl::ConsumePrefix(&text, "[") || end == absl::string_view::npos) {
    facts.text = flag.description;
    return facts;
  }
  facts.text = std::string(text.substr(end + 1));
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(text.substr(0, end - 1), absl::MaxSplits(": ", 1));
  facts.theme = parts.first;
  facts.range = parts.second;
  absl::string_view range = facts.range;
  if (range.empty()) return facts;
  if (absl::StrContains(range, " | ")) {
    facts.words = absl::StrSplit(range, " | ");
    const std::string last = facts.words.back();
    facts.range =
        absl::StrCat(absl::StrJoin(facts.words.begin(), facts.words.end() - 1, ", "), " or ", last);
    return facts;
  }
  facts.numbers = absl::ConsumePrefix(&range, "numbers");
  absl::ConsumePrefix(&range, " ");
  CHECK((facts.numbers && range.empty()) || ReadInterval(range, &facts.low, &facts.high))
      << "the range of --" << WithDashes(flag.name) << ", '" << facts.range << "', is not a range";
  return facts;
}

// The flags of gflags and glog themselves, which belong to no program. They are listed by name,
// because the paths of their source files differ between distributions and may look like a user's
// own.
const std::set<std::string>& LibraryFlags() {
  static const auto& names = *new std::set<std::string>{
      // gflags
      "flagfile", "fromenv", "help", "helpfull", "helpmatch", "helpon", "helppackage", "helpshort",
      "helpxml", "tab_completion_columns", "tab_completion_word", "tryfromenv", "undefok",
      "version",
      // glog
      "alsologtoemail", "alsologtostderr", "colorlogtostderr", "colorlogtostdout",
      "drop_log_memory", "log_backtrace_at", "log_dir", "log_link", "log_prefix", "log_utc_time",
      "log_year_in_prefix", "logbuflevel", "logbufsecs", "logcleansecs", "logemaillevel",
      "logfile_mode", "logmailer", "logtostderr", "logtostdout", "max_log_size", "minloglevel",
      "stderrthreshold", "stop_logging_if_full_disk", "symbolize_stacktrace",
      "timestamp_in_logfile_name", "v", "vmodule"};
  return names;
}

std::vector<gflags::CommandLineFlagInfo> KnownFlags(const std::set<std::string>& hidden) {
  std::vector<gflags::CommandLineFlagInfo> all, known;
  gflags::GetAllFlags(&all);
  for (const auto& flag : all) {
    if (LibraryFlags().count(flag.name) == 0 && hidden.count(flag.name) == 0) known.push_back(flag);
  }
  return known;
}

std::vector<gflags::CommandLineFlagInfo> FlagsOf(const std::string& file) {
  std::vector<gflags::CommandLineFlagInfo> some;
  for (const auto& flag : KnownFlags({})) {
    if (absl::EndsWith(flag.filename, file)) some.push_back(flag);
  }
  return some;
}

// What a value of the flag must be, for a user who does not know C++.
std::string WhatTypeIs(const gflags::CommandLineFlagInfo& flag) {
  if (flag.type == "double") return "a number such as 0.03 (with a point)";
  if (flag.type == "bool") return "true or false";
  return absl::StrCat("a whole number such as 1000 (without commas)",
                      flag.type == "uint64" ? ", at least 0" : "");
}

absl::Status NotInRange(const std::string& flag, absl::string_view value, absl::string_view range) {
  return absl::InvalidArgumentError(
      absl::StrCat("--", WithDashes(flag), " is ", value, ", must be ", range));
}

// Reads a list of numbers in [low, high].
absl::StatusOr<std::vector<double>> ReadNumbers(const std::string& flag, const std::string& text,
                                                const Facts& facts) {
  std::vector<double> numbers;
  for (absl::string_view word : absl::StrSplit(text, absl::ByAnyChar(" ,"), absl::SkipEmpty())) {
    double number;
    if (!absl::SimpleAtod(word, &number)) {
      return absl::InvalidArgumentError(absl::StrCat("--", WithDashes(flag), " is '", text,
                                                     "', but '", word, "' is not a number"));
    }
    if (!(number >= facts.low && number <= facts.high)) {  // written so that NaN fails
      return NotInRange(flag, word, absl::StripPrefix(facts.range, "numbers "));
    }
    numbers.push_back(number);
  }
  return numbers;
}

// Returns the value in its shortest form: gflags prints doubles with 17 digits.
std::string ValueText(const gflags::CommandLineFlagInfo& flag, const std::string& value) {
  double number;
  if (flag.type != "double" || !absl::SimpleAtod(value, &number)) return value;
  return registry::WriteValue(number);
}

// Checks that the flag's value is in its range. The default is always allowed.
absl::Status CheckRange(const gflags::CommandLineFlagInfo& flag) {
  const Facts facts = FactsOf(flag);
  const std::string& value = flag.current_value;
  if (value == flag.default_value || facts.range.empty()) return absl::OkStatus();
  if (facts.numbers) return ReadNumbers(flag.name, value, facts).status();
  if (!facts.words.empty()) {
    const bool known =
        std::find(facts.words.begin(), facts.words.end(), value) != facts.words.end();
    return known ? absl::OkStatus()
                 : NotInRange(flag.name, absl::StrCat("'", value, "'"), facts.range);
  }
  double number;
  const bool inside =
      absl::SimpleAtod(value, &number) && number >= facts.low && number <= facts.high;
  return inside ? absl::OkStatus() : NotInRange(flag.name, ValueText(flag, value), facts.range);
}

// Returns a flag's help: spellings (`before` and the name), default, description and range.
std::string Describe(const gflags::CommandLineFlagInfo& flag, const Facts& facts,
                     const std::string& before) {
  const std::string value = flag.type == "string" && flag.default_value.empty()
                                ? ""
                                : absl::StrCat(" (", ValueText(flag, flag.default_value), ")");
  return absl::StrCat("  ", before, WithDashes(flag.name), value, "\n      ", facts.text,
                      facts.range.empty() ? "" : absl::StrCat(" [", facts.range, "]"), "\n");
}

// Returns the lines that are neither empty nor comments.
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

constexpr int kMaxFlagfiles = 10;  // nested

class Parser {
 public:
  Parser(const std::map<std::string, std::string>& aliases, const std::set<std::string>& hidden,
         const std::set<std::string>& first)
      : first_(first) {
    for (const auto& flag : KnownFlags(hidden)) {
      known_.insert(flag.name);
      if (FactsOf(flag).numbers) lists_.insert(flag.name);
    }
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
  // Reads the flag at words[i], and sets i to the last word that belongs to it.
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
          absl::StrCat("'", words[i], "' contradicts itself; write --", WithDashes(*name), "=",
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

  // `text`, the word at words[i] without its dash, begins with a short name: of a switch, which
  // further short names may follow (-eb256), or of a flag, which its value follows.
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

  // Returns the flag with this name or alias, or the only one that begins with it.
  absl::StatusOr<std::string> Resolve(const std::string& given) const {
    std::map<std::string, std::string> names = aliases_;
    for (const std::string& name : known_) names[name] = name;
    names["flagfile"] = "flagfile";
    names["help"] = names["h"] = "help";
    if (const auto exact = names.find(given); exact != names.end()) return exact->second;
    std::set<std::string> begun, begun_first;
    for (const auto& [name, flag] : names) {
      if (given.empty() || !absl::StartsWith(name, given)) continue;
      begun.insert(WithDashes(flag));
      if (first_.count(flag) > 0) begun_first.insert(flag);
    }
    const std::string word = WithDashes(given);
    if (begun_first.size() == 1) return *begun_first.begin();
    if (begun.size() == 1) return absl::StrReplaceAll(*begun.begin(), {{"-", "_"}});
    if (!begun.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--", word, " could be --", absl::StrJoin(begun, ", --"), "; write the full name"));
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

  // Reads the value from the next word, or a list from the next words; sets i to the last of them.
  absl::Status AssignNext(const std::string& name, const std::vector<std::string>& words,
                          size_t& i) {
    const auto more = [&] {
      double number;
      return i + 1 < words.size() &&
             (!absl::StartsWith(words[i + 1], "-") || absl::SimpleAtod(words[i + 1], &number));
    };
    const bool list = lists_.count(name) > 0;
    if (!more()) {
      if (list) return Assign(name, "");
      return absl::InvalidArgumentError(absl::StrCat("--", WithDashes(name), " requires a value"));
    }
    std::string value = words[++i];
    double number;
    while (list && more() && absl::SimpleAtod(words[i + 1], &number)) {
      absl::StrAppend(&value, " ", words[++i]);
    }
    return Assign(name, value);
  }

  absl::Status Assign(const std::string& name, const std::string& value) {
    return name == "flagfile" ? ParseFile(UserPath(value)) : SetFlag(name, value);
  }

  absl::Status ParseFile(const std::string& path) {
    auto lines = ReadFlagfile(path);
    if (!lines.ok()) return lines.status();
    if (++open_files_ > kMaxFlagfiles) {
      return absl::InvalidArgumentError(
          absl::StrCat("flagfile '", path, "' includes itself; remove --flagfile from it"));
    }
    absl::Status status = Parse(*lines);
    --open_files_;
    if (status.ok() || absl::StrContains(status.message(), "flagfile '")) return status;
    return absl::InvalidArgumentError(absl::StrCat("flagfile '", path, "': ", status.message()));
  }

  bool Known(const std::string& name) const { return known_.count(name) > 0; }

  bool IsBool(const std::string& name) const {
    gflags::CommandLineFlagInfo info;
    return gflags::GetCommandLineFlagInfo(name.c_str(), &info) && info.type == "bool";
  }

  std::set<std::string> known_, lists_;
  const std::set<std::string> first_;
  std::map<std::string, std::string> aliases_;  // of the known ones
  int open_files_ = 0;
};

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(int argc, char** argv,
                                             const std::map<std::string, std::string>& aliases,
                                             const std::set<std::string>& hidden,
                                             const std::set<std::string>& first) {
  Parser parser(aliases, hidden, first);
  absl::Status status = parser.Parse(std::vector<std::string>(argv + 1, argv + argc));
  if (!status.ok()) return status;
  return parser.line;
}

absl::Status SetFlag(const std::string& name, const std::string& value) {
  const auto flag = gflags::GetCommandLineFlagInfoOrDie(name.c_str());
  double number;
  if (flag.type == "double" && absl::SimpleAtod(value, &number) && !std::isfinite(number)) {
    return NotInRange(name, value, "a finite number");
  }
  if (gflags::SetCommandLineOption(name.c_str(), value.c_str()).empty()) {
    return NotInRange(name, absl::StrCat("'", value, "'"), WhatTypeIs(flag));
  }
  return CheckRange(gflags::GetCommandLineFlagInfoOrDie(name.c_str()));
}

void SetDefaults(const std::vector<std::pair<std::string, std::string>>& values) {
  for (const auto& [flag, value] : values) {
    if (IsSet(flag)) continue;
    const absl::Status set = SetFlag(flag, value);
    CHECK(set.ok()) << "default of a flag: " << set.message();
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
          absl::StrCat("'", path, "' sets the unknown flag '", flag.first, "'; remove that line"));
    }
    if (IsSet(name)) continue;
    if (absl::Status s = SetFlag(name, flag.second); !s.ok()) {
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

std::map<std::string, std::string> UsualFlags(
    const std::vector<std::pair<std::string, std::string>>& preset) {
  const std::map<std::string, std::string> set(preset.begin(), preset.end());
  std::map<std::string, std::string> usual;
  for (const auto& flag : KnownFlags({})) {
    const auto value = set.find(flag.name);
    usual[WithDashes(flag.name)] =
        ValueText(flag, value == set.end() ? flag.default_value : value->second);
  }
  return usual;
}

std::string FlagHelp(const std::vector<std::string>& themes,
                     const std::map<std::string, std::string>& aliases,
                     const std::set<std::string>& hidden) {
  std::vector<std::string> order = themes;
  std::map<std::string, std::string> texts;
  std::vector<gflags::CommandLineFlagInfo> flags = KnownFlags(hidden);
  std::sort(flags.begin(), flags.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const auto& flag : flags) {
    const Facts facts = FactsOf(flag);
    if (std::find(order.begin(), order.end(), facts.theme) == order.end()) {
      order.insert(order.end() - !order.empty(), facts.theme);
    }
    std::string spelling;
    for (const auto& [alias, name] : aliases) {
      if (name != flag.name) continue;
      absl::StrAppend(&spelling, alias.size() == 1 ? "-" : "--", WithDashes(alias), ", ");
    }
    absl::StrAppend(&texts[facts.theme], Describe(flag, facts, spelling + "--"));
  }
  std::string text;
  for (const std::string& theme : order) {
    if (texts[theme].empty()) continue;
    absl::StrAppend(&text, theme.empty() ? "flags" : theme, ":\n", texts[theme]);
  }
  return text;
}

absl::Status CheckFlag(const std::string& flag, double value, double low, double high) {
  if (value >= low && value <= high) return absl::OkStatus();  // written so that NaN fails
  return NotInRange(
      flag, absl::StrCat(value),
      high == kInfinity ? absl::StrCat("at least ", low) : absl::StrCat(low, " to ", high));
}

absl::StatusOr<std::vector<double>> NumbersOf(const std::string& flag) {
  const auto info = gflags::GetCommandLineFlagInfoOrDie(flag.c_str());
  auto numbers = ReadNumbers(flag, info.current_value, FactsOf(info));
  if (numbers.ok() && numbers->empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", WithDashes(flag), " is empty, must be numbers like '1 10'"));
  }
  return numbers;
}

}  // namespace base
