#include "moco/before/before.h"

#include <gflags/gflags.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "augment/augmentation.h"
#include "base/files.h"
#include "base/new_file.h"
#include "moco/backbones/backbone.h"
#include "moco/before/dry_run.h"
#include "moco/before/find_lr.h"
#include "moco/before/preview.h"
#include "moco/training/images.h"

DEFINE_string(preview, "",
              "[run] page (.html) or picture (.png) to write, which shows what the views "
              "make of the first images; then the program ends");
DEFINE_bool(dry_run, false,
            "[run] print the plan, and what the run takes in memory, disk space and time, "
            "from a few steps; then the program ends");
DEFINE_string(find_lr, "",
              "[run] page (.html) to write, which shows the loss while the learning rate "
              "rises over at most 204 steps, and suggests one for --lr; then the program ends");

namespace moco {
namespace {

struct Asked {
  std::string flag;
  std::string file;                  // to write; empty: none
  std::vector<std::string> endings;  // that the file may have
};

// The flags that are given.
std::vector<Asked> AllAsked() {
  std::vector<Asked> asked;
  if (!FLAGS_preview.empty()) asked.push_back({"--preview", FLAGS_preview, {".html", ".png"}});
  if (FLAGS_dry_run) asked.push_back({"--dry-run", "", {}});
  if (!FLAGS_find_lr.empty()) asked.push_back({"--find-lr", FLAGS_find_lr, {".html"}});
  return asked;
}

bool EndsWith(const std::string& file, const std::string& ending) {
  return absl::EndsWith(absl::AsciiStrToLower(file), ending);
}

absl::Status Preview(const TrainerOptions& options, const data::Dataset& dataset,
                     const std::string& place) {
  // Batches need not be possible yet, but the views must be.
  const auto views =
      augment::Pipeline::Create(options.views, *ImageChannels(options.moco.encoder.backbone));
  if (!views.ok()) return views.status();
  if (auto view = MakeView(*views); !view.ok()) return view.status();
  const PreviewOptions preview = {&dataset, &*views, options.seed, place};
  const auto made = EndsWith(FLAGS_preview, ".png") ? PreviewSheet(preview) : PreviewPage(preview);
  if (!made.ok()) return made.status();
  if (absl::Status s = base::WriteNewFile(FLAGS_preview, *made); !s.ok()) return s;
  std::printf("preview  %s\n", FLAGS_preview.c_str());
  return absl::OkStatus();
}

}  // namespace

bool OnlyLooks() { return !AllAsked().empty(); }

absl::Status CheckLook(const World& world) {
  const std::vector<Asked> asked = AllAsked();
  if (asked.empty()) return absl::OkStatus();
  const Asked& only = asked[0];
  if (asked.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat(only.flag, " and ", asked[1].flag,
                                                   " each do one thing and end; give one of them"));
  }
  if (world.communicator->size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(only.flag, " works in one process; start it without others"));
  }
  if (only.file.empty()) return absl::OkStatus();
  if (std::none_of(only.endings.begin(), only.endings.end(),
                   [&](const std::string& ending) { return EndsWith(only.file, ending); })) {
    return absl::InvalidArgumentError(absl::StrCat(only.flag, "='", only.file, "' must end with ",
                                                   absl::StrJoin(only.endings, " or ")));
  }
  for (std::string* file : {&FLAGS_preview, &FLAGS_find_lr}) *file = base::UserPath(*file);
  return base::CheckNewFile(AllAsked()[0].file, only.flag);
}

absl::Status LookBefore(const TrainerOptions& options, const TrainerData& data,
                        const std::string& place, const std::string& run_folder,
                        const World& world) {
  if (!FLAGS_preview.empty()) return Preview(options, *data.train, place);
  const auto plan = Trainer::Plan(options, data, *world.communicator);
  if (!plan.ok()) return plan.status();
  if (!FLAGS_find_lr.empty()) {
    return FindLr(*plan, *data.train, FLAGS_find_lr, place, *world.communicator);
  }
  const std::string folder = run_folder.empty() ? base::UserPath("runs") : run_folder;
  return DryRun(*plan, *data.train, folder, *world.communicator);
}

}  // namespace moco
