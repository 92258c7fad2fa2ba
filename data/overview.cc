#include "data/overview.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "base/format_count.h"

namespace data {
namespace {

constexpr size_t kNamed = 3;  // classes named in a line

// The ending of a file's name, as it is written; empty if the name has none.
absl::string_view EndingOf(absl::string_view name) {
  constexpr size_t kLongest = 6;  // ".jpeg2"
  const size_t dot = name.rfind('.');
  if (dot == absl::string_view::npos || name.size() - dot > kLongest) return "";
  const absl::string_view ending = name.substr(dot);
  return std::all_of(ending.begin() + 1, ending.end(), absl::ascii_isalnum) ? ending : "";
}

std::string DescribeClasses(const Overview& overview, const std::vector<std::string>& classes) {
  std::vector<int> order(classes.size());  // smallest first
  std::iota(order.begin(), order.end(), 0);
  const std::vector<int64_t>& sizes = overview.class_sizes;
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return sizes[a] < sizes[b]; });
  const auto full = std::find_if(order.begin(), order.end(), [&](int c) { return sizes[c] > 0; });
  if (full == order.end()) return absl::StrCat(classes.size(), ", none of which has an image");
  const int64_t least = sizes[*full], most = sizes[order.back()];
  std::string text = absl::StrCat(base::FormatCount(order.end() - full), " of ");
  absl::StrAppend(&text, base::FormatCount(least));
  if (least < most) absl::StrAppend(&text, " to ", base::FormatCount(most));
  absl::StrAppend(&text, " images");
  if (2 * least < most) {
    std::vector<std::string> smallest;
    for (auto c = full; c != order.end() && smallest.size() < kNamed; ++c) {
      smallest.push_back(absl::StrCat("'", classes[*c], "' ", base::FormatCount(sizes[*c])));
    }
    absl::StrAppend(&text, "; fewest: ", absl::StrJoin(smallest, ", "));
  }
  return text;
}

}  // namespace

Overview Summarize(const Dataset& dataset) {
  Overview overview;
  overview.images = dataset.size();
  overview.class_sizes.resize(dataset.classes().size());
  std::map<std::string, int64_t, std::less<>> as_written;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const std::string name = dataset.Name(i);
    const absl::string_view ending = EndingOf(name);
    const auto known = as_written.find(ending);
    if (known != as_written.end()) {
      ++known->second;
    } else {
      as_written.emplace(ending, 1);
    }
    const int label = dataset.Label(i);
    if (label < 0) {
      ++overview.unlabelled;
    } else {
      ++overview.class_sizes[label];
    }
  }
  as_written.erase("");
  for (const auto& [ending, count] : as_written) {
    overview.endings[absl::AsciiStrToLower(ending)] += count;
  }
  return overview;
}

std::vector<std::string> DescribeOverview(const Overview& overview,
                                          const std::vector<std::string>& classes,
                                          const std::string& what) {
  const std::string of = what.empty() ? "" : what + ": ";
  std::vector<std::string> lines;
  if (!overview.endings.empty()) {
    std::vector<std::pair<int64_t, std::string>> counts;
    for (const auto& [ending, count] : overview.endings) counts.emplace_back(-count, ending);
    std::sort(counts.begin(), counts.end());
    std::vector<std::string> parts;
    for (const auto& [count, ending] : counts) {
      parts.push_back(absl::StrCat(ending, " ", base::FormatCount(-count)));
    }
    lines.push_back(absl::StrCat("files    ", of, absl::StrJoin(parts, ", ")));
  }
  std::string labels;
  if (!classes.empty()) labels = DescribeClasses(overview, classes);
  if (!classes.empty() && overview.unlabelled > 0) {
    absl::StrAppend(&labels, "; ", base::FormatCount(overview.unlabelled), " images have no label");
  }
  if (!labels.empty()) lines.push_back(absl::StrCat("classes  ", of, labels));
  return lines;
}

std::string EmptyClassesNote(const Overview& overview, const std::vector<std::string>& classes) {
  std::vector<std::string> empty;
  for (size_t c = 0; c < classes.size(); ++c) {
    if (overview.class_sizes[c] == 0) empty.push_back(classes[c]);
  }
  if (empty.empty()) return "";
  const size_t shown = std::min(empty.size(), kNamed);
  return absl::StrCat(
      base::FormatCount(empty.size()), " of ", base::FormatCount(classes.size()),
      " classes have no image: '", absl::StrJoin(empty.begin(), empty.begin() + shown, "', '"), "'",
      empty.size() > shown ? absl::StrCat(" and ", empty.size() - shown, " more") : "",
      "; a classifier then has outputs that are never right: number the labels "
      "from 0, without gaps");
}

}  // namespace data
