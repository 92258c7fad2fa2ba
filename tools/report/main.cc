// A page that shows runs: bazel run //tools:report -- RUN [RUN ...]
#include <gflags/gflags.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/new_file.h"
#include "base/program.h"
#include "moco/report/report.h"
#include "moco/report/run.h"
#include "tools/report/feature_tables.h"

DEFINE_string(out, "report.html", "[output] HTML page to write");
DEFINE_string(
    features, "",
    "[data] features of the run's encoder, as //lincls:features writes them, for the map of the "
    "images and their nearest neighbours; empty: those that the run has kept of a sample");
DEFINE_string(features_before, "",
              "[data] features of the same images from the untrained or an earlier encoder, whose "
              "neighbours are shown beside those of --features; empty: none");

namespace {

constexpr char kUsage[] =
    "Writes a page that shows runs of pretrain, lincls and sweep: verdicts, settings, curves, "
    "views.\nOf several runs it has common curves and a table. A run may still be going on.\n\n"
    "  bazel run //tools:report -- runs/<time>\n"
    "  bazel run //tools:report -- runs/* --out=runs.html\n"
    "  bazel run //tools:report -- runs/<time> --features=FEATURES\n";

// Names of runs that are alike get the folder above them.
void TellApart(std::vector<report::Run>& runs) {
  std::map<std::string, int> count;
  for (const report::Run& run : runs) ++count[run.name];
  for (report::Run& run : runs) {
    if (count[run.name] < 2) continue;
    const std::filesystem::path path = run.path;
    run.name = path.parent_path().filename() / path.filename();
  }
}

absl::Status Run(const base::Arguments& arguments) {
  const std::string out = base::UserPath(FLAGS_out);
  if (out.empty()) return absl::InvalidArgumentError("--out is empty; give a file to write");
  if (absl::Status s = base::CheckNewFile(out, "--out"); !s.ok()) return s;
  if (!FLAGS_features_before.empty() && FLAGS_features.empty()) {
    return absl::InvalidArgumentError(
        "--features-before is compared with --features; give both of them");
  }
  std::vector<report::Run> runs;
  for (const std::string& argument : arguments) {
    auto run = report::ReadRun(base::UserPath(argument));
    if (!run.ok()) return run.status();
    runs.push_back(*std::move(run));
  }
  TellApart(runs);
  report::ReportOptions options;
  if (!FLAGS_features.empty()) {
    auto shown =
        report::ShowTables(base::UserPath(FLAGS_features), base::UserPath(FLAGS_features_before));
    if (!shown.ok()) return shown.status();
    options.features = *std::move(shown);
  }
  if (absl::Status s = base::WriteNewFile(out, report::Report(runs, options)); !s.ok()) return s;
  std::printf("wrote    %s\n", out.c_str());
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  return base::Main(argc, argv, {.usage = kUsage, .arguments = "RUN..."}, Run);
}
