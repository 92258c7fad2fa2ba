// What a training loop has to say: on the terminal, and in the files of its run folder.
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
  // `folder` must outlive the log; where it is null, as on the ranks of a run but the first,
  // nothing is written to files. `columns` are the names that Metrics() will be given, in the order
  // of metrics.csv. Bad images that are listed already are not listed again.
  RunLog(RunFolder* folder, std::vector<std::string> columns);

  // Makes the files of metrics ready for a run that goes on after `step`, 0 at its start. What a
  // killed run has written behind its last checkpoint, which will come again, is taken out.
  void Start(int64_t step);

  // A line that is written over by the next.
  void Update(const std::string& text) { progress_.Update(text); }
  // A line that stays.
  void Print(const std::string& text) { progress_.Print(text); }

  // For what must not stop a run, such as a full disk: a line, unless OK or said before.
  void Warn(const absl::Status& status);

  // Numbers by name, "step" among them, the others in `columns` too: a line of metrics.jsonl, a row
  // of metrics.csv and an event for TensorBoard.
  void Metrics(const nlohmann::json& metrics);

  // The lines of metrics.jsonl that have `name`.
  std::vector<nlohmann::json> Recorded(const std::string& name) const;

  // A line of PrintTable: a name of Metrics() with its title and what it is multiplied by.
  struct TableRow {
    std::string title, name;
    double scale = 1;
  };
  // The first, last, least and largest value of each name that metrics.jsonl has.
  void PrintTable(const std::vector<TableRow>& rows);

  // An image that could not be read, once each in a run's life: a line here and one in
  // bad_images.txt.
  void BadImage(const std::string& name, const std::string& why);

 private:
  std::vector<nlohmann::json> Lines() const;
  std::string CsvRow(const nlohmann::json& metrics) const;

  RunFolder* const folder_;
  const std::vector<std::string> columns_;
  std::string events_;  // the event file's name
  Progress progress_;
  std::set<std::string> warned_;
  std::set<std::string> bad_images_;
};

}  // namespace base

#endif  // BASE_RUN_LOG_H_
