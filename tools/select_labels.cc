// Chooses images to label: bazel run //tools:select_labels -- FEATURES --budget=12800
#include <gflags/gflags.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "base/new_file.h"
#include "base/program.h"
#include "base/progress.h"
#include "base/shared_flags.h"
#include "base/short_spins.h"
#include "data/csv.h"
#include "data/requests.h"
#include "lincls/tables/feature_table.h"
#include "tools/selection/labelled.h"
#include "tools/selection/page.h"
#include "tools/selection/select.h"
#include "tools/selection/selection.h"

DEFINE_int64(budget, 0, "[method: at least 1] number of images to choose");
DEFINE_string(strategy, "balanced", "[method] how to choose (a plugin name; see --plugins)");
DEFINE_string(energy, "",
              "[method] score of the images (a plugin name); empty: density, if the strategy needs "
              "one");
DEFINE_int64(clusters, 0, "[method: 0 to 1000000] number of clusters; 0: the strategy decides");
DEFINE_double(
    duplicates, 0.99,
    "[method: 0 to 1] treat images whose features have a larger cosine as duplicates, and "
    "choose one of them; 1: keep duplicates");
MOCOPP_SEED_FLAG;
DEFINE_string(labelled, "",
              "[data] lists of images that need no label, such as request_01.csv, separated by "
              "commas");
DEFINE_string(page, "",
              "[output] HTML page to write, which shows the chosen images and why; empty: none");
DEFINE_string(out, "",
              "[output] list to write; empty: the next request_NN.csv, in the folder of numbered "
              "images (numbered_png), for other data in the current folder");

namespace {

constexpr char kUsage[] =
    "Chooses the images that are worth labelling, from the features of //lincls:features, and "
    "writes "
    "their names to request_NN.csv.\n\n"
    "  bazel run //tools:select_labels -- FEATURES --budget=12800 --page=chosen.html\n"
    "  bazel run //tools:select_labels -- FEATURES --budget=500 --strategy=typical "
    "--labelled=request_01.csv\n";

constexpr char kNumbered[] = "numbered_png";

// Returns the folder in which the data set keeps its requests; empty for other formats.
std::string RequestFolder(const lincls::FeatureTable& table) {
  const bool numbered = table.source.format == kNumbered;
  return numbered ? table.source.path : "";
}

// The files to write: the list of images, and the reason for each choice.
struct Files {
  std::string request, strata = {};
};

// Returns request_NN.csv with the number after the largest one in `folder`, or `out`, and
// strata_NN.csv beside it, which no reader mistakes for a request.
absl::StatusOr<Files> NameFiles(const std::string& folder, const std::string& out) {
  Files files{.request = out};
  if (out.empty()) {
    const auto requests = data::FindRequests(folder);
    if (!requests.ok()) return requests.status();
    int64_t next = 1;
    for (const data::Request& request : *requests) {
      int64_t number;
      if (absl::SimpleAtoi(request.number, &number)) next = std::max(next, number + 1);
    }
    files.request = std::filesystem::path(folder) / absl::StrFormat("request_%02d.csv", next);
  }
  const std::filesystem::path path(files.request);
  std::string name = path.filename();
  name = absl::StrCat("strata_", absl::StripPrefix(name, "request_"));
  files.strata = path.parent_path() / name;
  for (const std::string& file : {files.request, files.strata}) {
    if (absl::Status s = base::CheckNewFile(file, "--out"); !s.ok()) return s;
  }
  return files;
}

std::string RequestText(const lincls::FeatureTable& table, const std::vector<int64_t>& chosen) {
  std::string text = "filename\n";
  for (const int64_t row : chosen) absl::StrAppend(&text, data::CsvField(table.files[row]), "\n");
  return text;
}

std::string StrataText(const lincls::FeatureTable& table, const selection::Selection& selection) {
  std::string text = "file,stratum,cluster,energy\n";
  for (const selection::Stratum& stratum : selection.strata) {
    for (const int64_t row : stratum.chosen) {
      absl::StrAppend(&text, data::CsvField(table.files[row]), ",", data::CsvField(stratum.name),
                      ",");
      if (!selection.clusters.empty()) absl::StrAppend(&text, selection.clusters[row]);
      absl::StrAppend(&text, ",");
      if (!selection.energies.empty()) absl::StrAppend(&text, selection.energies[row]);
      absl::StrAppend(&text, "\n");
    }
  }
  return text;
}

// "1", "1 to 3".
std::string Range(int64_t low, int64_t high) {
  return low == high ? absl::StrCat(low) : absl::StrCat(low, " to ", high);
}

void PrintSummary(const selection::Selection& selection, int64_t budget, base::Progress& progress) {
  if (selection.duplicates < 1) {
    progress.Print(absl::StrFormat("near duplicates  %d left out (cosine above %g)",
                                   selection.near_duplicates, selection.duplicates));
  }
  if (selection.clusters_made > 0) {
    progress.Print(absl::StrCat("clusters         ", selection.clusters_made));
  }
  if (selection.neighbours > 0) {
    progress.Print(
        absl::StrFormat("neighbours       %d of each image; %.1f %% of the true ones found",
                        selection.neighbours, 100 * selection.recall));
  }
  if (!selection.energy.empty()) {
    progress.Print(absl::StrCat("energy           ", selection.energy));
  }
  int64_t low_quota = budget, high_quota = 0, low = budget, high = 0, smallest = selection.images,
          largest = 0;
  for (const selection::Stratum& stratum : selection.strata) {
    const int64_t chosen = stratum.chosen.size();
    low_quota = std::min(low_quota, stratum.quota);
    high_quota = std::max(high_quota, stratum.quota);
    low = std::min(low, chosen);
    high = std::max(high, chosen);
    smallest = std::min(smallest, stratum.candidates);
    largest = std::max(largest, stratum.candidates);
  }
  progress.Print(
      absl::StrFormat("strategy         %s, seed %d", selection.strategy, selection.seed));
  progress.Print(absl::StrFormat("strata           %d of %s images; quotas %s, chosen %s",
                                 selection.strata.size(), Range(smallest, largest),
                                 Range(low_quota, high_quota), Range(low, high)));
  for (const std::string& note : selection.notes) progress.Print("shortage         " + note);
}

absl::Status Choose(const base::Arguments& arguments) {
  const auto start = std::chrono::steady_clock::now();
  if (FLAGS_budget == 0) {
    return absl::InvalidArgumentError("give --budget, the number of images to choose");
  }
  const auto table = lincls::OpenFeatures(base::UserPath(arguments[0]));
  if (!table.ok()) return table.status();
  const std::string folder = RequestFolder(*table);
  std::vector<std::string> lists;
  for (const auto list : absl::StrSplit(FLAGS_labelled, ',', absl::SkipEmpty())) {
    lists.push_back(base::UserPath(std::string(list)));
  }
  const auto files =
      NameFiles(folder.empty() ? base::UserPath(".") : folder, base::UserPath(FLAGS_out));
  if (!files.ok()) return files.status();
  const std::string page = base::UserPath(FLAGS_page);
  std::optional<lincls::TableImages> images;
  if (!page.empty()) {
    if (absl::Status s = base::CheckNewFile(page, "--page"); !s.ok()) return s;
    // Features that do not name their images get a page without pictures.
    if (!table->source.path.empty()) {
      auto opened = lincls::OpenImages(*table);
      if (!opened.ok()) return opened.status();
      images = *std::move(opened);
    }
  }
  const auto labelled = selection::FindLabelled(*table, folder, lists);
  if (!labelled.ok()) return labelled.status();

  base::Progress progress;
  progress.Print(absl::StrCat("images           ", table->size(), ", ", table->name, " of ",
                              table->features.columns(), " dimensions"));
  for (const std::string& reason : labelled->reasons) {
    progress.Print(absl::StrCat("excluded         ", reason));
  }
  selection::SelectOptions options;
  options.budget = FLAGS_budget;
  options.strategy = FLAGS_strategy;
  options.energy = FLAGS_energy;
  options.clusters = FLAGS_clusters;
  options.duplicates = FLAGS_duplicates;
  options.seed = FLAGS_seed;
  const auto selection = selection::Select(*table, labelled->rows, options,
                                           [&](const std::string& now) { progress.Update(now); });
  if (!selection.ok()) return selection.status();
  PrintSummary(*selection, FLAGS_budget, progress);

  // The request is written last: if it exists, everything exists.
  std::vector<std::pair<std::string, std::string>> writes;  // file, contents
  if (!page.empty()) {
    progress.Update("the page");
    auto html = selection::Page(
        *table, *selection,
        {.request = files->request,
         .images = images ? &*images : nullptr,
         .progress = [&](int64_t done, int64_t all) {
           progress.Update(absl::StrCat("the page: ", done, " of ", all, " pictures"));
         }});
    if (!html.ok()) return html.status();
    progress.Print(absl::StrCat("page             ", page, ", ", base::FormatBytes(html->size())));
    writes.emplace_back(page, *std::move(html));
  }
  writes.emplace_back(files->strata, StrataText(*table, *selection));
  writes.emplace_back(files->request, RequestText(*table, selection::InOrder(*selection)));
  for (auto write = writes.begin(); write != writes.end(); ++write) {
    absl::Status written = base::WriteNewFile(write->first, write->second);
    if (written.ok()) continue;
    while (write != writes.begin()) unlink((--write)->first.c_str());
    return written;
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  progress.Print(absl::StrFormat(
      "chosen           %d: %s (why: %s); %s, %s of memory", FLAGS_budget, files->request,
      files->strata, base::FormatSeconds(seconds), base::FormatBytes(base::PeakBytes())));
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  const base::ShortSpins spins;
  return base::Main(argc, argv, {.usage = kUsage, .arguments = "FEATURES"}, Choose);
}
