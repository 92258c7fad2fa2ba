#include "moco/report/predictions.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "data/csv.h"
#include "registry/options.h"

namespace report {
namespace {

constexpr char kHeader[] = "file,label,predicted,probability";

// Numbers in their order, before names.
bool Before(const std::string& a, const std::string& b) {
  int64_t x = 0, y = 0;
  const bool a_is_number = absl::SimpleAtoi(a, &x), b_is_number = absl::SimpleAtoi(b, &y);
  if (a_is_number && b_is_number && x != y) return x < y;
  if (a_is_number != b_is_number) return a_is_number;
  return a < b;
}

}  // namespace

std::string PredictionsCsv(const std::vector<Prediction>& predictions) {
  std::string csv = absl::StrCat(kHeader, "\n");
  for (const Prediction& p : predictions) {
    absl::StrAppend(&csv, data::CsvField(p.file), ",", data::CsvField(p.label), ",",
                    data::CsvField(p.predicted), ",", registry::WriteValue(p.probability), "\n");
  }
  return csv;
}

absl::StatusOr<std::vector<Prediction>> ReadPredictions(const std::string& run_folder) {
  const std::string path = absl::StrCat(run_folder, "/", kPredictionsFile);
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return absl::NotFoundError(absl::StrCat("'", run_folder, "' has no ", kPredictionsFile));
  }
  const auto lines = data::ReadCsv(path);
  if (!lines.ok()) return absl::DataLossError(lines.status().message());
  const auto damaged = [&](int64_t line) {
    return absl::DataLossError(absl::StrCat("'", path, "' line ", line, " is not ", kHeader));
  };
  if (lines->size() < 2) return damaged(1);
  std::vector<Prediction> predictions;
  for (size_t i = 1; i < lines->size(); ++i) {
    const std::vector<std::string>& fields = (*lines)[i].fields;
    double probability = 0;
    if (fields.size() != 4 || fields[1].empty() || fields[2].empty() ||
        !absl::SimpleAtod(fields[3], &probability) || !(probability >= 0 && probability <= 1.01)) {
      return damaged((*lines)[i].number);
    }
    predictions.push_back({fields[0], fields[1], fields[2], probability});
  }
  return predictions;
}

Interval Wilson(int64_t successes, int64_t trials) {
  constexpr double kZ = 1.959963984540054;  // the 97.5th percentile of the normal distribution
  const double n = trials, p = successes / n, z2 = kZ * kZ;
  const double centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = kZ / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

int64_t Confusion::Images(size_t label) const {
  int64_t images = 0;
  for (const auto& [taken_for, count] : predicted[label]) images += count;
  return images;
}

int64_t Confusion::Count(size_t label, size_t predicted_class) const {
  const auto count = predicted[label].find(predicted_class);
  return count == predicted[label].end() ? 0 : count->second;
}

double Confusion::Accuracy(size_t label) const {
  return static_cast<double>(Right(label)) / Images(label);
}

Confusion Confuse(const std::vector<Prediction>& predictions) {
  std::set<std::string> names;
  for (const Prediction& p : predictions) {
    names.insert(p.label);
    names.insert(p.predicted);
  }
  Confusion confusion;
  confusion.classes.assign(names.begin(), names.end());
  std::sort(confusion.classes.begin(), confusion.classes.end(), Before);
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < confusion.classes.size(); ++i) places[confusion.classes[i]] = i;
  confusion.predicted.resize(confusion.classes.size());
  for (const Prediction& p : predictions) {
    ++confusion.predicted[places[p.label]][places[p.predicted]];
  }
  return confusion;
}

}  // namespace report
