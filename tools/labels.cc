// Converts labels of a request between the table that people fill in and a tensor:
//
//   bazel run //tools:labels -- REQUEST.csv ANSWERS.csv
#include "data/labels.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <gflags/gflags.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "base/program.h"
#include "base/shared_flags.h"
#include "data/csv.h"
#include "data/requests.h"
#include "data/table.h"
#include "moco/checkpoints/checkpoint.h"
#include "tools/selection/answers.h"

DEFINE_string(classes, "",
              "[data] file of class names, one per line, starting with class 0; empty: labels are "
              "numbers");
MOCOPP_COLUMNS_FLAG;
DEFINE_string(
    out, "",
    "[output] file to write; empty: label_NN.pt beside request_NN.csv, or the name of the "
    "labels with .csv");

namespace {

constexpr char kUsage[] =
    "Converts the labels that people gave to the images of a request into the tensor that assigns "
    "them to the training images, and back. Counts the images per class; if there are conflicts, "
    "lists them and writes nothing.\n\n"
    "  bazel run //tools:labels -- request_01.csv answers.csv    # lines of file,label; writes "
    "label_01.pt\n"
    "  bazel run //tools:labels -- request_01.csv label_01.pt    # writes label_01.csv\n";

std::string ClassName(int label, const std::vector<std::string>& classes) {
  return classes.empty() ? absl::StrCat(label) : classes[label];
}

constexpr size_t kListedClasses = 100;

// Prints every class, including those without images, so that class numbers that are off by one are
// noticed; of very many classes, the first and the last.
void PrintCounts(const std::vector<int>& labels, const std::vector<std::string>& classes) {
  std::vector<int64_t> counts(classes.size());
  for (const int label : labels) {
    if (label >= static_cast<int>(counts.size())) counts.resize(label + 1);
    ++counts[label];
  }
  if (counts.size() > kListedClasses) {
    const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
    std::printf(
        "%zu classes, of %lld to %lld labels: the first, %s, has %lld, the last, %s, %lld\n",
        counts.size(), static_cast<long long>(*least), static_cast<long long>(*most),
        ClassName(0, classes).c_str(), static_cast<long long>(counts.front()),
        ClassName(static_cast<int>(counts.size()) - 1, classes).c_str(),
        static_cast<long long>(counts.back()));
    return;
  }
  for (size_t i = 0; i < counts.size(); ++i) {
    std::printf("%7lld  %s\n", static_cast<long long>(counts[i]),
                ClassName(static_cast<int>(i), classes).c_str());
  }
}

// Returns label_NN.pt beside request_NN.csv.
absl::StatusOr<std::string> TensorBeside(const std::string& request) {
  const std::filesystem::path path(request);
  const std::string file = path.filename();
  absl::string_view name = file;
  if (!absl::ConsumePrefix(&name, "request_") || !absl::ConsumeSuffix(&name, ".csv")) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", request, "' is not named request_NN.csv; give the output file by --out"));
  }
  return std::string(path.parent_path() / absl::StrCat("label_", name, ".pt"));
}

// Converts a table of answers to a tensor.
absl::Status ToTensor(const std::string& request_path,
                      const std::vector<data::RequestedImage>& request,
                      const std::string& answers_path, const std::vector<std::string>& classes,
                      const std::string& out) {
  std::set<absl::string_view> names;
  for (const data::RequestedImage& image : request) names.insert(image.name);
  const auto table = data::ReadTable(answers_path, FLAGS_columns,
                                     [&](absl::string_view cell) { return names.count(cell) > 0; });
  if (!table.ok()) return table.status();
  for (const std::string& note : table->notes) std::printf("%s\n", note.c_str());
  const selection::Answers answers = selection::JoinAnswers(request, *table, classes);
  for (const std::string& conflict : answers.conflicts) std::printf("%s\n", conflict.c_str());
  if (!answers.conflicts.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", answers_path, "' has ", answers.conflicts.size(), " conflicts with '",
                     request_path, "', listed above; correct them; nothing was written"));
  }
  at::Tensor tensor = at::empty({static_cast<int64_t>(answers.labels.size())}, at::kLong);
  std::copy(answers.labels.begin(), answers.labels.end(), tensor.mutable_data_ptr<int64_t>());
  if (absl::Status s = moco::WriteTensor(out, tensor); !s.ok()) return s;
  PrintCounts(answers.labels, classes);
  if (answers.repeated > 0) {
    std::printf("%lld lines repeat an earlier line\n", static_cast<long long>(answers.repeated));
  }
  std::printf("%zu labels are in %s\n", answers.labels.size(), out.c_str());
  return absl::OkStatus();
}

// Converts a tensor to a table.
absl::Status ToTable(const std::string& request_path,
                     const std::vector<data::RequestedImage>& request,
                     const std::string& tensor_path, const std::vector<std::string>& classes,
                     const std::string& out) {
  const auto labels = data::ReadLabelTensor(tensor_path);
  if (!labels.ok()) return labels.status();
  if (labels->size() != request.size()) {
    return absl::InvalidArgumentError(absl::StrCat("'", request_path, "' names ", request.size(),
                                                   " images, but '", tensor_path, "' has ",
                                                   labels->size(), " labels"));
  }
  std::string table = "file,label\n";
  for (size_t i = 0; i < request.size(); ++i) {
    const int label = (*labels)[i];
    if (!classes.empty() && label >= static_cast<int>(classes.size())) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", tensor_path, "' has class ", label, " for '", request[i].name,
                       "', but '", FLAGS_classes, "' names ", classes.size(), " classes"));
    }
    absl::StrAppend(&table, data::CsvField(request[i].name), ",",
                    data::CsvField(ClassName(label, classes)), "\n");
  }
  if (absl::Status s = base::WriteFileAtomically(out, table); !s.ok()) return s;
  PrintCounts(*labels, classes);
  std::printf("%zu labels are in %s\n", labels->size(), out.c_str());
  return absl::OkStatus();
}

absl::Status Labels(const base::Arguments& arguments) {
  const std::string request_path = base::UserPath(arguments[0]);
  const std::string labels_path = base::UserPath(arguments[1]);
  const bool is_tensor = absl::EndsWith(labels_path, ".pt");

  std::string out = base::UserPath(FLAGS_out);
  if (out.empty() && is_tensor) {
    out = absl::StrCat(absl::StripSuffix(labels_path, ".pt"), ".csv");
  } else if (out.empty()) {
    const auto beside = TensorBeside(request_path);
    if (!beside.ok()) return beside.status();
    out = *beside;
  }
  if (std::error_code ignored; std::filesystem::exists(out, ignored)) {
    return absl::AlreadyExistsError(
        absl::StrCat("'", out, "' already exists; remove it or choose another --out"));
  }
  std::vector<std::string> classes;
  if (!FLAGS_classes.empty()) {
    FLAGS_classes = base::UserPath(FLAGS_classes);
    auto read = selection::ReadClasses(FLAGS_classes);
    if (!read.ok()) return read.status();
    classes = *std::move(read);
  }
  const auto request = data::ReadRequest(request_path);
  if (!request.ok()) return request.status();
  if (request->empty()) {
    return absl::InvalidArgumentError(absl::StrCat("'", request_path, "' names no images"));
  }
  return (is_tensor ? ToTable : ToTensor)(request_path, *request, labels_path, classes, out);
}

}  // namespace

int main(int argc, char** argv) {
  return base::Main(argc, argv, {.usage = kUsage, .arguments = "REQUEST.csv LABELS"}, Labels);
}
