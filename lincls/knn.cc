// k nearest neighbours on features: bazel run //lincls:knn -- BANK [QUERIES]
#include "moco/measures/knn.h"

#include <ATen/Parallel.h>
#include <ATen/ops/tensor.h>
#include <gflags/gflags.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <opencv2/core.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/flags.h"
#include "base/program.h"
#include "base/progress.h"
#include "base/shared_flags.h"
#include "base/short_spins.h"
#include "base/work.h"
#include "data/contact_sheet.h"
#include "data/encode.h"
#include "lincls/tables/feature_table.h"
#include "lincls/tables/labelled_features.h"
#include "registry/options.h"
#include "tensors/memory.h"

DEFINE_string(k, "1 5 20 200",
              "[method: numbers 1 to 1000000000] number of neighbours that vote; one or several");
DEFINE_string(t, "0.07 0.1",
              "[method: numbers at least 1e-6] temperature of the votes; one or several");
DEFINE_string(out, "", "[output] file (.csv) for the table of accuracies: k,t,acc1");
DEFINE_string(neighbours, "",
              "[output] names of images as in images.csv, separated by commas: print their nearest "
              "neighbours instead of accuracies");
DEFINE_int64(nearest, 9, "[output: 1 to 1000] number of neighbours that --neighbours prints");
DEFINE_string(sheet, "",
              "[output] picture (.png) of --neighbours: one row per image, followed by its "
              "neighbours");
MOCOPP_THREADS_FLAG;

namespace lincls {
namespace {

constexpr char kUsage[] =
    R"(Classifies images by the weighted vote of their nearest neighbours among features.

  bazel run //lincls:knn -- BANK QUERIES            QUERIES by their neighbours in BANK
  bazel run //lincls:knn -- BANK                    each image by its neighbours among the others
  bazel run //lincls:knn -- BANK --neighbours=12.png,cat/1.jpg --sheet=out.png

BANK and QUERIES are folders of //lincls:features, or .npy files with a .csv (file,label) beside
each.
)";

constexpr int kTile = 96;  // pixels per side of an image in a sheet

using Table = std::shared_ptr<const FeatureTable>;

struct Flags {
  std::vector<int64_t> k;
  std::vector<double> temperatures;
  std::string out, sheet;
  std::vector<std::string> neighbours;
};

absl::StatusOr<Flags> CheckFlags() {
  Flags flags;
  const auto k = base::NumbersOf("k");
  if (!k.ok()) return k.status();
  for (const double number : *k) {
    if (number != std::floor(number)) {
      return absl::InvalidArgumentError(absl::StrCat("--k is ", number, ", must be an integer"));
    }
    flags.k.push_back(static_cast<int64_t>(number));
  }
  std::sort(flags.k.begin(), flags.k.end());
  flags.k.erase(std::unique(flags.k.begin(), flags.k.end()), flags.k.end());
  const auto t = base::NumbersOf("t");
  if (!t.ok()) return t.status();
  flags.temperatures = *t;
  flags.out = base::UserPath(FLAGS_out);
  flags.sheet = base::UserPath(FLAGS_sheet);
  flags.neighbours = absl::StrSplit(FLAGS_neighbours, ',', absl::SkipEmpty());
  if (!flags.sheet.empty() && flags.neighbours.empty()) {
    return absl::InvalidArgumentError("--sheet requires --neighbours, the images to show");
  }
  if (!flags.sheet.empty() && !absl::EndsWith(flags.sheet, ".png")) {
    return absl::InvalidArgumentError(
        absl::StrCat("--sheet is '", flags.sheet, "', must be a .png file"));
  }
  if (!flags.out.empty() && !flags.neighbours.empty()) {
    return absl::InvalidArgumentError(
        "--out is the table of accuracies, which --neighbours does not compute; leave one out");
  }
  return flags;
}

void Print(const char* what, const FeatureTable& table, int64_t rows) {
  std::printf("%-8s %lld images x %lld features, %s", what, static_cast<long long>(rows),
              static_cast<long long>(table.features.columns()), table.features.path().c_str());
  const int64_t without = table.size() - rows;
  if (without > 0) std::printf("; %lld without a label left out", static_cast<long long>(without));
  std::printf("\n");
}

absl::Status PrintAccuracies(const Table& bank, const Table& queries, const Flags& flags) {
  const bool one_set = bank == queries;
  const auto banked = LabelledRowsOf(bank, one_set ? 2 : 1);
  if (!banked.ok()) return banked.status();
  const auto asked = one_set ? banked : LabelledRowsOf(queries, 1);
  if (!asked.ok()) return asked.status();
  moco::KnnGrid grid{ClassesOf(*bank, *queries), flags.k, flags.temperatures, one_set};
  Print("bank", *bank, banked->features.size);
  if (one_set) {
    std::printf("queries  each image, classified by the others\n");
  } else {
    Print("queries", *queries, asked->features.size);
  }
  std::fflush(stdout);
  base::Progress progress;
  base::Work work(progress, "neighbours", asked->features.size, "images");
  const auto accuracies =
      moco::KnnAccuracies(*banked, *asked, grid, [&](int64_t done) { work.Done(done); });

  size_t best_k = 0, best_t = 0;
  std::string csv = "k,t,acc1\n";
  for (size_t k = 0; k < grid.k.size(); ++k) {
    for (size_t t = 0; t < grid.temperature.size(); ++t) {
      if (accuracies[k][t] > accuracies[best_k][best_t]) std::tie(best_k, best_t) = std::pair(k, t);
      absl::StrAppend(&csv, grid.k[k], ",", registry::WriteValue(grid.temperature[t]), ",",
                      registry::WriteValue(accuracies[k][t]), "\n");
    }
  }
  std::string line = absl::StrFormat("%-14s", "kNN, %");
  for (const double t : grid.temperature) {
    absl::StrAppendFormat(&line, "%12s", absl::StrFormat("t=%g", t));
  }
  progress.Print(line);
  for (size_t k = 0; k < grid.k.size(); ++k) {
    line = absl::StrFormat("%-14s", absl::StrCat("k=", grid.k[k]));
    for (size_t t = 0; t < grid.temperature.size(); ++t) {
      absl::StrAppendFormat(&line, "%11.2f%c", 100 * accuracies[k][t],
                            k == best_k && t == best_t ? '*' : ' ');
    }
    progress.Print(line);
  }
  progress.Print(absl::StrFormat("best     %.2f %% with --k=%d --t=%g",
                                 100 * accuracies[best_k][best_t], grid.k[best_k],
                                 grid.temperature[best_t]));
  return flags.out.empty() ? absl::OkStatus() : base::WriteFileAtomically(flags.out, csv);
}

std::string ClassName(const FeatureTable& table, int64_t row) {
  const int label = table.labels[row];
  if (label < 0) return "";
  return absl::StrCat("  (", table.classes.empty() ? absl::StrCat(label) : table.classes[label],
                      ")");
}

// Finds the rows of images in the table by their names.
absl::StatusOr<std::vector<int64_t>> FindRows(const FeatureTable& table,
                                              const std::vector<std::string>& names) {
  std::vector<int64_t> rows;
  for (const std::string& name : names) {
    const auto at = std::find(table.files.begin(), table.files.end(), name);
    if (at == table.files.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--neighbours: '", name, "' is not an image of '", table.features.path(),
                       "', whose first is '", table.files[0], "'"));
    }
    rows.push_back(at - table.files.begin());
  }
  return rows;
}

// Draws the queries in the first column, each followed by its neighbours.
absl::Status WriteSheet(const std::string& path, const FeatureTable& bank,
                        const FeatureTable& queries, const std::vector<int64_t>& rows,
                        const std::vector<std::vector<int64_t>>& neighbours) {
  const auto bank_images = OpenImages(bank);
  if (!bank_images.ok()) return bank_images.status();
  const auto query_images = OpenImages(queries);
  if (!query_images.ok()) return query_images.status();
  std::vector<int64_t> left, right;
  for (size_t i = 0; i < rows.size(); ++i) {
    left.push_back(query_images->indices[rows[i]]);
    for (const int64_t row : neighbours[i]) right.push_back(bank_images->indices[row]);
  }
  const cv::Mat asked = data::ContactSheet(*query_images->dataset, left, 1, kTile);
  const cv::Mat found = data::ContactSheet(*bank_images->dataset, right,
                                           static_cast<int>(neighbours[0].size()), kTile);
  const cv::Mat between(asked.rows, kTile / 4, asked.type(), cv::Scalar::all(255));
  cv::Mat sheet;
  cv::hconcat(std::vector<cv::Mat>{asked, between, found}, sheet);
  return base::WriteFileAtomically(path, data::EncodePng(sheet));
}

absl::Status PrintNeighbours(const Table& bank, const Table& queries, const Flags& flags) {
  const auto rows = FindRows(*queries, flags.neighbours);
  if (!rows.ok()) return rows.status();
  const bool one_set = bank == queries;
  const int64_t wanted = std::min(FLAGS_nearest, bank->size() - one_set);
  if (wanted < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", bank->features.path(), "' has only one image, which has no neighbours"));
  }
  std::vector<std::vector<int64_t>> neighbours(rows->size());
  moco::FindExactNeighbours(
      RowsOf(bank), moco::Some(RowsOf(queries), at::tensor(*rows)), wanted + one_set,
      /*leave_one_out=*/false, [&](int64_t from, const moco::Neighbours& found) {
        for (int64_t i = from; i < from + found.index.size(0); ++i) {
          const int64_t row = (*rows)[i];
          std::printf("%s%s\n", queries->files[row].c_str(), ClassName(*queries, row).c_str());
          for (int64_t j = 0; j < found.index.size(1); ++j) {
            const int64_t other = found.index[i - from][j].item<int64_t>();
            const bool itself = one_set && other == row;
            if (itself || static_cast<int64_t>(neighbours[i].size()) == wanted) continue;
            neighbours[i].push_back(other);
            std::printf("  %7.4f  %s%s\n", found.similarity[i - from][j].item<float>(),
                        bank->files[other].c_str(), ClassName(*bank, other).c_str());
          }
        }
      });
  if (flags.sheet.empty()) return absl::OkStatus();
  return WriteSheet(flags.sheet, *bank, *queries, *rows, neighbours);
}

absl::Status Knn(const base::Arguments& arguments) {
  const bool one_set = arguments.size() == 1;
  const auto flags = CheckFlags();
  if (!flags.ok()) return flags.status();
  if (FLAGS_threads > 0) at::set_num_threads(static_cast<int>(FLAGS_threads));
  const auto bank = OpenFiniteFeatures(base::UserPath(arguments[0]));
  if (!bank.ok()) return bank.status();
  const auto queries = one_set ? bank : OpenFiniteFeatures(base::UserPath(arguments[1]));
  if (!queries.ok()) return queries.status();
  if (!one_set && (*bank)->features.path() == (*queries)->features.path()) {
    return absl::InvalidArgumentError(absl::StrCat("'", (*bank)->features.path(),
                                                   "' is given twice, so each image would be ",
                                                   "its own neighbour; give it once"));
  }
  if (absl::Status s = CheckComparable(**bank, **queries); !s.ok()) return s;
  return flags->neighbours.empty() ? PrintAccuracies(*bank, *queries, *flags)
                                   : PrintNeighbours(*bank, *queries, *flags);
}

}  // namespace
}  // namespace lincls

int main(int argc, char** argv) {
  tensors::KeepFreedMemory();
  const base::ShortSpins spins;
  return base::Main(argc, argv, {.usage = lincls::kUsage, .arguments = "BANK [QUERIES]"},
                    lincls::Knn);
}
