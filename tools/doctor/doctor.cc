#include "tools/doctor/doctor.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/disk.h"
#include "base/files.h"
#include "base/format_count.h"
#include "base/new_file.h"
#include "base/progress.h"
#include "base/started.h"
#include "data/csv.h"
#include "tools/doctor/page.h"

namespace doctor {
namespace {

// Prints lines and keeps them for the page.
class Lines {
 public:
  void Add(const std::string& line) {
    Print(line);
    kept_.push_back(line);
  }
  void Add(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) Add(line);
  }
  void Print(const std::string& line) const {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  }
  const std::vector<std::string>& kept() const { return kept_; }

 private:
  std::vector<std::string> kept_;
};

std::string DescribeLook(const Part& part, int threads) {
  const Look& look = part.look;
  return absl::StrCat(
      "looked   at ", look.looked_at < look.size ? "" : "all ", base::FormatCount(look.looked_at),
      " images for ", part.Title(),
      look.looked_at < look.size
          ? absl::StrCat(", evenly spaced, of ", base::FormatCount(look.size))
          : "",
      ": ", base::FormatCount(std::llround(look.looked_at / std::max(look.seconds, 1e-3))),
      " per second with ", threads, threads == 1 ? " thread" : " threads");
}

// The format of bad_images.txt in a run's folder.
std::string BadList(const Examination& examination) {
  std::string text;
  for (const Part& part : examination.parts) {
    for (const UnreadableImage& image : part.look.unreadable) {
      absl::StrAppend(&text, part.opened.dataset->Name(image.index), "\t", image.why, "\n");
    }
  }
  return text;
}

// Each group of duplicates: its images one after the other, under the group's number.
std::string DuplicatesList(const Examination& examination) {
  std::string text = "file,splits,kind,group\n";
  int64_t number = 0;
  for (const auto& [kind, groups] : {std::pair("exact", &examination.duplicates.exact),
                                     std::pair("near", &examination.duplicates.near)}) {
    for (const std::vector<int64_t>& group : *groups) {
      ++number;
      for (const int64_t i : group) {
        const ImageRef& ref = examination.refs[i];
        absl::StrAppend(&text, data::CsvField(examination.Name(ref)), ",",
                        examination.parts[ref.part].Title(), ",", kind, ",", number, "\n");
      }
    }
  }
  return text;
}

const char* Word(Severity severity) {
  return severity == Severity::kFailure   ? "failure  "
         : severity == Severity::kWarning ? "warning  "
                                          : "note     ";
}

// Adds what a run takes to the lines, and what it needs to fit to the advice; if it does not fit, a
// failure to the findings. InvalidArgument if pretrain refuses a flag that the user has given.
absl::Status Estimate(const DoctorOptions& options, const CostOf& cost_of,
                      const std::vector<std::string>& data, Advice& advice,
                      std::vector<Finding>& findings, Lines& lines) {
  const double disk = base::FreeBytes(options.folder).value_or(0);
  absl::StatusOr<Cost> cost;
  {
    base::Progress progress;
    progress.Update("trying a few steps of the run");
    cost = FitMachine(cost_of, data, disk, advice);
  }
  if (absl::IsInvalidArgument(cost.status())) return cost.status();
  if (!cost.ok()) {
    findings.push_back({Severity::kNote, "estimate",
                        absl::StrCat("what a run takes is not known: ", cost.status().message())});
    return absl::OkStatus();
  }
  lines.Add(moco::DescribeCost(*cost, disk));
  if (cost->memory > cost->machine_memory) {
    findings.push_back(
        {Severity::kFailure, "memory",
         absl::StrCat("a run needs about ", base::FormatBytes(cost->memory),
                      " of memory, and the machine has ", base::FormatBytes(cost->machine_memory),
                      "; use a smaller encoder (-a resnet18) or --image-size")});
  }
  return absl::OkStatus();
}

absl::Status WriteLists(const DoctorOptions& options, const Examination& examination) {
  for (const auto& [path, text] :
       {std::pair(options.bad_list, options.bad_list.empty() ? "" : BadList(examination)),
        std::pair(options.duplicates_list,
                  options.duplicates_list.empty() ? "" : DuplicatesList(examination))}) {
    if (path.empty()) continue;
    if (absl::Status s = base::WriteNewFile(path, text); !s.ok()) return s;
    std::printf("wrote    %s\n", path.c_str());
  }
  return absl::OkStatus();
}

// How to find out which images the findings are about; empty if there are none, or if it is asked
// for.
std::string HowToSeeThem(const DoctorOptions& options, const Examination& examination,
                         const std::vector<Finding>& findings) {
  const bool pictures = std::any_of(findings.begin(), findings.end(),
                                    [](const Finding& finding) { return !finding.groups.empty(); });
  const bool unreadable =
      std::any_of(examination.parts.begin(), examination.parts.end(),
                  [](const Part& part) { return !part.look.unreadable.empty(); });
  std::vector<std::string> ways;
  if (pictures && options.page.empty()) ways.push_back("--page=FILE.html shows the images");
  if (unreadable && options.bad_list.empty()) {
    ways.push_back("--bad-list=FILE names those that cannot be read");
  }
  if (options.duplicates_list.empty() &&
      !(examination.duplicates.exact.empty() && examination.duplicates.near.empty())) {
    ways.push_back("--duplicates-list=FILE names the copies");
  }
  return absl::StrJoin(ways, ", ");
}

}  // namespace

absl::Status RunDoctor(const DoctorOptions& options, const CostOf& cost_of) {
  for (const auto& [path, flag] :
       {std::pair(options.page, "--page"), std::pair(options.bad_list, "--bad-list"),
        std::pair(options.duplicates_list, "--duplicates-list")}) {
    if (absl::Status s = base::CheckNewFile(path, flag); !s.ok()) return s;
  }
  Examination examination = OpenParts(options.open);
  if (examination.parts.empty() && absl::IsNotFound(examination.pretraining)) {
    return examination.pretraining;
  }
  Lines lines;
  for (const Part& part : examination.parts) lines.Add(DescribePart(part));
  if (absl::Status s = LookAtParts(options.examine, examination); !s.ok()) return s;
  for (const Part& part : examination.parts) {
    lines.Add(DescribeLook(part, options.examine.threads));
    lines.Add(DescribeImages(part.look));
  }

  std::vector<Finding> findings = Findings(examination, options.findings);
  Advice advice;
  std::string command;
  absl::Status estimated;  // such as a wrong --arch, which is reported after the rest
  const Part* const part = examination.PartOf(data::Split::kPretraining);
  if (part != nullptr && !part->look.images.empty()) {
    advice = Advise(*part, options.wishes);
    std::vector<std::string> data = {base::ShellQuoted(options.path)};
    data.insert(data.end(), options.data_flags.begin(), options.data_flags.end());
    if (cost_of) estimated = Estimate(options, cost_of, data, advice, findings, lines);
    command = absl::StrCat("bazel run //moco:pretrain -- ", Words(advice, data));
  }
  std::vector<std::string> failures;
  for (const Finding& finding : findings) {
    lines.Print(Word(finding.severity) + finding.text);
    if (finding.severity == Severity::kFailure) failures.push_back(finding.text);
  }
  if (const std::string how = HowToSeeThem(options, examination, findings); !how.empty()) {
    lines.Print("which    " + how);
  }
  for (const AdvisedFlag& flag : advice.flags) {
    if (!flag.why.empty()) lines.Print(absl::StrCat("advice   ", flag.flag, "   (", flag.why, ")"));
  }
  if (!command.empty()) lines.Print("run      " + command);

  if (absl::Status s = WriteLists(options, examination); !s.ok()) return s;
  if (!options.page.empty()) {
    const std::string page =
        Page(examination, findings, {options.path, lines.kept(), advice.flags, command});
    absl::Status s = base::WriteNewFile(options.page, base::AsStarted(page));
    if (!s.ok()) return s;
    std::printf("wrote    %s\n", options.page.c_str());
  }
  if (failures.empty()) return estimated;
  return absl::DataLossError(absl::StrCat(
      "a run on '", options.path, "' would fail: ", failures[0],
      failures.size() > 1 ? absl::StrCat(" (and ", failures.size() - 1, " more, above)") : ""));
}

}  // namespace doctor
