// The output of a training loop: on the terminal, and in the files of its run folder.
#ifndef BASE_RUN_LOG_H_
#define BASE_RUN_LOG_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/progress.h"
#include "base/run_folder.h"

namespace base {

class RunLog {
 public:
  // `folder` must outlive the log. If it is null, as on every rank except 0, nothing is written to
  // files. `columns` are the names that Metrics() will get, in the order of metrics.csv. Bad images
  // that are already listed are not listed again.
  RunLog(RunFolder* folder, std::vector<std::string> columns);

  // Prepares the metrics files for a run that continues after `step`, 0 at its start. Lines that a
  // killed run wrote after its last checkpoint are removed, because the run will write them again.
  void Start(int64_t step);

  // Prints a line that the next one overwrites.
  void Update(const std::string& text) { progress_.Update(text); }
  // Prints a line that stays.
  void Print(const std::string& text) { progress_.Print(text); }

  // Reports an error that must not stop a run, such as a full disk. Prints nothing if the status is
  // OK or has been reported before.
  void Warn(const absl::Status& status);

  // Writes numbers by name as a line of metrics.jsonl, a row of metrics.csv and an event for
  // TensorBoard. "step" must be among them, and the other names in `columns`.
  void Metrics(const nlohmann::json& metrics);

  // Returns the lines of metrics.jsonl that have `name`.
  std::vector<nlohmann::json> Recorded(const std::string& name) const;

  // A line of PrintTable: a name of Metrics(), its title, and the factor for its values.
  struct TableRow {
    std::string title, name;
    double scale = 1;
  };
  // Prints the first, last, smallest and largest value of each name that metrics.jsonl has.
  void PrintTable(const std::vector<TableRow>& rows);

  // Reports an image that could not be read, on the terminal and in bad_images.txt; each image once
  // per run, resumes included.
  void BadImage(const std::string& name, const std::string& why);

 private:
  std::vector<nlohmann::json> Lines() const;
  std::string CsvRow(const nlohmann::json& metrics) const;

  RunFolder* const folder_;
  const std::vector<std::string> columns_;
  std::string events_;  // the name of the event file
  Progress progress_;
  std::set<std::string> warned_;
  std::set<std::string> bad_images_;
};

}  // namespace base

#endif  // BASE_RUN_LOG_H_
