// A run's own folder: everything that it writes, and a lock that keeps a second run out.
#ifndef BASE_RUN_FOLDER_H_
#define BASE_RUN_FOLDER_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace base {

//   flags.txt           the command line, as a flagfile that makes the same run
//   environment.json    machine, libraries, threads
//   metrics.jsonl       one JSON object a line
//   metrics.csv         the same numbers as a table
//   events.out.tfevents.*   the same for TensorBoard
//   bad_images.txt      images that could not be read
//   checkpoints/
//   lock
class RunFolder {
 public:
  // Makes the folder where it is missing and takes its lock, which the process holds until it ends.
  // Unavailable when another process holds it, PermissionDenied when it cannot be written to.
  static absl::StatusOr<RunFolder> Open(const std::string& path);

  RunFolder(RunFolder&& other) noexcept;
  RunFolder(const RunFolder&) = delete;
  ~RunFolder();

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

  // Adds all of `bytes` to the file `name`, or nothing. Failing is reported, not fatal: a full disk
  // must not stop a run.
  absl::Status Append(const std::string& name, const std::string& bytes);

 private:
  RunFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::string path_;
  int lock_;
};

// Makes the folder "<parent>/2026-11-24_13-05-59<suffix>", with -2, -3 ... appended where it
// exists, and returns its path: runs that start in the same second get folders of their own. Where
// it cannot be made, RunFolder::Open says why.
std::string NewRunPath(const std::string& parent, const std::string& suffix = "");

// Machine, CPU, cores, memory and operating system: what a report of a problem needs.
nlohmann::json DescribeMachine();

}  // namespace base

#endif  // BASE_RUN_FOLDER_H_
