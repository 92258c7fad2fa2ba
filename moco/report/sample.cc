#include "moco/report/sample.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "data/csv.h"
#include "moco/report/images.h"
#include "page/html.h"
#include "tensors/npy.h"

namespace report {
namespace {

struct Row {
  int64_t index;
  std::string file;
};

absl::StatusOr<std::vector<Row>> ReadRows(const std::string& path) {
  const auto lines = data::ReadCsv(path);
  if (!lines.ok()) return lines.status();
  std::vector<Row> rows;
  for (size_t i = 1; i < lines->size(); ++i) {
    const std::vector<std::string>& fields = (*lines)[i].fields;
    Row row;
    if (fields.size() != 2 || !absl::SimpleAtoi(fields[0], &row.index) || row.index < 0) {
      return absl::DataLossError(
          absl::StrCat("'", path, "' line ", (*lines)[i].number, " is not index,file"));
    }
    row.file = fields[1];
    rows.push_back(std::move(row));
  }
  return rows;
}

// The images of the rows, with their labels.
absl::Status AddImages(const std::vector<Row>& rows, const data::Dataset& dataset,
                       ImageFeatures& features) {
  for (const Row& row : rows) {
    if (row.index >= dataset.size() || dataset.Name(row.index) != row.file) {
      return absl::NotFoundError(
          absl::StrCat("'", row.file, "' is not in the data any more, or has another position"));
    }
    features.indices.push_back(row.index);
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    const int label = dataset.Label(rows[i].index);
    if (label >= 0) features.labels[i] = dataset.classes()[label];
  }
  features.dataset = &dataset;
  return absl::OkStatus();
}

absl::StatusOr<FeatureSections> Show(const Run& run, const data::Dataset* dataset) {
  const auto path = [&](const char* file) {
    return absl::StrCat(run.path, "/", kSampleFolder, "/", file);
  };
  std::error_code error;
  const bool has_start = std::filesystem::exists(path(kSampleStart), error);
  // Until the run has a second sample, the first one is all that is known.
  const bool has_now = std::filesystem::exists(path(kSampleNow), error);
  if (!has_start && !has_now) {
    return absl::NotFoundError(
        "the run has kept no features; it does so after its first step and at its end (--report), "
        "and --features of //tools:report gives others");
  }
  auto now = tensors::NpyMatrix::Open(path(has_now ? kSampleNow : kSampleStart));
  if (!now.ok()) return now.status();
  const auto rows = ReadRows(path(kSampleImages));
  if (!rows.ok()) return rows.status();
  if (rows->empty() || now->rows() != static_cast<int64_t>(rows->size())) {
    return absl::DataLossError(absl::StrCat("'", now->path(), "' has ", now->rows(), " rows, '",
                                            path(kSampleImages), "' names ", rows->size(),
                                            " images"));
  }
  ImageFeatures features{.now = *std::move(now), .before_name = "at the start"};
  if (has_now && has_start) {
    auto start = tensors::NpyMatrix::Open(path(kSampleStart));
    // An image may have become unreadable since.
    if (start.ok() && start->rows() == features.now.rows()) features.before = *std::move(start);
  }
  for (const Row& row : *rows) features.names.push_back(row.file);
  features.labels.resize(rows->size());
  std::unique_ptr<data::Dataset> opened;
  absl::Status found;
  if (dataset == nullptr) {
    auto made = OpenImages(run, data::Split::kPretraining);
    found = made.status();
    if (made.ok()) opened = *std::move(made);
    dataset = opened.get();
  }
  if (dataset != nullptr) found = AddImages(*rows, *dataset, features);
  if (!found.ok()) features.no_dataset = std::string(found.message());
  return ShowFeatures(features);
}

}  // namespace

FeatureSections ShowSample(const Run& run, const data::Dataset* dataset) {
  if (run.settings.program != "//moco:pretrain") return {};
  auto shown = Show(run, dataset);
  if (shown.ok()) return *std::move(shown);
  return {.section = absl::StrCat("<section><h2>Map of the features</h2><p class=\"quiet\">There "
                                  "is neither map nor neighbours: ",
                                  page::HtmlText(shown.status().message()), ".</p></section>\n")};
}

}  // namespace report
