#include "lincls/tables/labelled_features.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "data/csv.h"

namespace lincls {
namespace {

constexpr int64_t kBlock = 4096;  // rows at a time

absl::Status InLine(const std::string& path, const data::Line& line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("'", path, "' line ", line.number, ": ", what));
}

// Returns the index of a class from its number or name; -1 if it is not a class.
int ClassNumber(const std::string& label, const std::vector<std::string>& classes) {
  const auto named = std::find(classes.begin(), classes.end(), label);
  if (named != classes.end()) return static_cast<int>(named - classes.begin());
  int number;
  if (!absl::SimpleAtoi(label, &number) || number < 0) return -1;
  return classes.empty() || number < static_cast<int>(classes.size()) ? number : -1;
}

}  // namespace

absl::StatusOr<std::shared_ptr<FeatureTable>> OpenFiniteFeatures(const std::string& path) {
  auto opened = OpenFeatures(path);
  if (!opened.ok()) return opened.status();
  auto table = std::make_shared<FeatureTable>(*std::move(opened));
  std::vector<float> rows(kBlock * table->features.columns());
  for (int64_t from = 0; from < table->size(); from += kBlock) {
    const int64_t n = std::min(kBlock, table->size() - from);
    table->features.Read(from, n, rows.data());
    if (absl::Status s = CheckFinite(*table, from, n, rows.data()); !s.ok()) return s;
    table->features.Release(from + n);
  }
  return table;
}

absl::Status TakeLabels(const std::string& path, FeatureTable& table) {
  const auto lines = data::ReadCsv(path);
  if (!lines.ok()) return lines.status();
  if (lines->empty() || lines->front().fields != std::vector<std::string>{"file", "label"}) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' does not begin with the header file,label"));
  }
  std::unordered_map<std::string, int64_t> rows;
  for (int64_t i = 0; i < table.size(); ++i) rows[table.files[i]] = i;
  std::vector<int> labels(table.size(), -1);
  for (size_t i = 1; i < lines->size(); ++i) {
    const data::Line& line = (*lines)[i];
    if (line.fields.size() != 2) return InLine(path, line, "expected two fields: file,label");
    const std::string& file = line.fields[0];
    const auto row = rows.find(file);
    if (row == rows.end()) {
      return InLine(path, line,
                    absl::StrCat("'", file, "' is not an image of '", table.features.path(), "'"));
    }
    int& label = labels[row->second];
    if (label >= 0) return InLine(path, line, absl::StrCat("'", file, "' has two labels"));
    label = ClassNumber(line.fields[1], table.classes);
    if (label < 0) {
      return InLine(path, line,
                    absl::StrCat("'", line.fields[1], "' is not a class; give a class number from ",
                                 "0, or a class name"));
    }
  }
  table.labels = std::move(labels);
  return absl::OkStatus();
}

absl::Status CheckComparable(const FeatureTable& a, const FeatureTable& b) {
  const std::string both = absl::StrCat("'", a.features.path(), "' and '", b.features.path(), "'");
  if (a.features.columns() != b.features.columns()) {
    return absl::InvalidArgumentError(
        absl::StrCat(both, " have ", a.features.columns(), " and ", b.features.columns(),
                     " features; both must come from the same encoder"));
  }
  if (!a.weights.empty() && !b.weights.empty() && a.weights != b.weights) {
    return absl::InvalidArgumentError(absl::StrCat(both, " come from different encoders, '",
                                                   a.checkpoint, "' and '", b.checkpoint,
                                                   "', or from earlier versions of them"));
  }
  if (a.classes.empty() || b.classes.empty() || a.classes == b.classes) return absl::OkStatus();
  const auto [theirs, other] =
      std::mismatch(a.classes.begin(), a.classes.end(), b.classes.begin(), b.classes.end());
  const auto name = [](const auto& at, const auto& classes) {
    return at == classes.end() ? std::string("none") : absl::StrCat("'", *at, "'");
  };
  return absl::InvalidArgumentError(absl::StrCat(
      both, " do not have the same classes: class ", theirs - a.classes.begin(), " is ",
      name(theirs, a.classes), " there and ", name(other, b.classes), " here"));
}

int64_t ClassesOf(const FeatureTable& a, const FeatureTable& b) {
  const std::vector<std::string>& named = a.classes.empty() ? b.classes : a.classes;
  int64_t classes = static_cast<int64_t>(named.size());
  for (const FeatureTable* table : {&a, &b}) {
    for (const int label : table->labels) classes = std::max<int64_t>(classes, label + 1);
  }
  return classes;
}

moco::FeatureRows RowsOf(const std::shared_ptr<const FeatureTable>& table) {
  const int64_t columns = table->features.columns();
  return {table->size(), columns,
          [table, columns](const int64_t* index, int64_t count, float* out) {
            for (int64_t i = 0; i < count;) {
              int64_t run = 1;  // consecutive rows
              while (i + run < count && index[i + run] == index[i] + run) ++run;
              table->features.Read(index[i], run, out + i * columns);
              i += run;
            }
          },
          [table](int64_t row) { table->features.Release(row); }};
}

absl::StatusOr<moco::LabelledRows> LabelledRowsOf(const std::shared_ptr<const FeatureTable>& table,
                                                  int64_t least) {
  std::vector<int64_t> rows, labels;
  for (int64_t i = 0; i < table->size(); ++i) {
    if (table->labels[i] < 0) continue;
    rows.push_back(i);
    labels.push_back(table->labels[i]);
  }
  const int64_t n = static_cast<int64_t>(rows.size());
  if (n < least) {
    return absl::InvalidArgumentError(absl::StrCat("'", table->features.path(), "' has ", n,
                                                   " images with a label among ", table->size(),
                                                   "; at least ", least, " are required"));
  }
  const moco::FeatureRows all = RowsOf(table);
  return moco::LabelledRows{n == all.size ? all : moco::Some(all, at::tensor(rows)),
                            at::tensor(labels)};
}

}  // namespace lincls
