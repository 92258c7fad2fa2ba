#include "moco/training/place.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "moco/communicators/agreement.h"
#include "moco/training/run_description.h"

namespace moco {

absl::StatusOr<RunPlace> RunPlace::Find(const RunPlaceOptions& options, const World& world) {
  RunPlace place;
  place.options_ = options;
  const std::string own = options.run_dir.empty() ? world.run_dir : options.run_dir;
  place.path_ = AllGatherText(*world.communicator, own)[0];
  std::error_code error;
  const bool exists = !place.path_.empty() && std::filesystem::exists(place.path_, error);
  if (!RankZeroSays(*world.communicator, exists)) return place;
  if (!options.only_looks) {
    if (absl::Status s = place.Lock(world); !s.ok()) return s;
  }
  const std::string listed = absl::StrJoin(options.list_checkpoints(place.path_), "\n");
  place.checkpoints_ =
      absl::StrSplit(AllGatherText(*world.communicator, listed)[0], '\n', absl::SkipEmpty());
  if (options.resumes || world.started_again || place.checkpoints_.empty()) return place;
  return absl::AlreadyExistsError(absl::StrCat(
      "'", place.path_, "' contains checkpoints of an earlier run; resume it with --resume=",
      base::ShellQuoted(place.path_), ", or give another folder"));
}

absl::Status RunPlace::Lock(const World& world) {
  if (!world.writes()) return absl::OkStatus();
  auto opened = base::RunFolder::Open(path_);
  if (!opened.ok()) return opened.status();
  folder_.emplace(*std::move(opened));
  return absl::OkStatus();
}

absl::Status RunPlace::Open(const World& world, const std::string& flagfile, int loader_threads) {
  if (path_.empty()) {
    const std::string made =
        world.writes() ? base::NewRunPath(base::UserPath("runs"), options_.suffix) : "";
    path_ = AllGatherText(*world.communicator, made)[0];
  }
  if (world.writes()) {
    if (!folder_) {
      if (absl::Status s = Lock(world); !s.ok()) return s;
    }
    if (absl::Status s = WriteRunDescription(*folder_, flagfile, loader_threads); !s.ok()) return s;
  }
  WaitForAll(*world.communicator);  // until the folder exists
  return PrintToOwnLog(world, path_);
}

}  // namespace moco
