// The folder of a run: everything that the run writes, and a lock that keeps a second run out.
#ifndef BASE_RUN_FOLDER_H_
#define BASE_RUN_FOLDER_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace base {

//   flags.txt               the flags, as a flagfile that makes the same run
//   environment.json        machine, libraries, threads
//   settings.json           program, preset and canonical settings, for the report
//   metrics.jsonl           one JSON object per line
//   metrics.csv             the same numbers as a table
//   events.out.tfevents.*   the same for TensorBoard
//   bad_images.txt          images that could not be read
//   report.html             the page that //tools:report makes, when the run has ended
//   sample/                 features of a sample of images (moco/report/sample.h)
//   predictions.csv         of a classifier (moco/report/predictions.h)
//   sweep.csv, epochs.csv   of sweep, instead of metrics (moco/report/sweep_files.h)
//   rank_1.log, ...         of several processes: what the other ranks print
//   checkpoints/
//   lock
class RunFolder {
 public:
  // Creates the folder if it does not exist, and takes its lock, which the process holds until it
  // ends. Unavailable if another process holds the lock, PermissionDenied if the folder is not
  // writable.
  static absl::StatusOr<RunFolder> Open(const std::string& path);

  RunFolder(RunFolder&& other) noexcept;
  RunFolder(const RunFolder&) = delete;
  ~RunFolder();

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

  // Appends all of `bytes` to the file `name`, or nothing. The caller reports an error and
  // continues, because a full disk must not stop a run.
  absl::Status Append(const std::string& name, const std::string& bytes);

 private:
  RunFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::string path_;
  int lock_;
};

// Creates the folder "<parent>/2026-11-24_13-05-59<suffix>", followed by -2, -3, ... if it already
// exists, and returns its path, so that runs that start in the same second get different folders.
// If it cannot be created, RunFolder::Open reports the reason.
std::string NewRunPath(const std::string& parent, const std::string& suffix = "");

// Describes the machine for bug reports: CPU, cores, memory and operating system.
nlohmann::json DescribeMachine();

}  // namespace base

#endif  // BASE_RUN_FOLDER_H_
