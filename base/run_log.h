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
  // `folder` must outlive the log. Bad images that it lists already are not listed again.
  explicit RunLog(RunFolder& folder);

  // A line that is written over by the next.
  void Update(const std::string& text) { progress_.Update(text); }
  // A line that stays.
  void Print(const std::string& text) { progress_.Print(text); }

  // For what must not stop a run, such as a full disk: a line, unless OK or said before.
  void Warn(const absl::Status& status);

  // A line of metrics.jsonl.
  void Metrics(const nlohmann::json& metrics);

  // Takes the lines with a "step" above `step` out of metrics.jsonl: a run that was killed has
  // written what the run that goes on from its last checkpoint will write again.
  void DropMetricsAfter(int64_t step);

  // Whether metrics.jsonl has a line of `step` with `key`.
  bool Recorded(int64_t step, const std::string& key) const;

  // An image that could not be read, once each in a run's life: a line here and one in
  // bad_images.txt.
  void BadImage(const std::string& name, const std::string& why);

 private:
  // The objects of metrics.jsonl.
  std::vector<nlohmann::json> Lines() const;

  RunFolder& folder_;
  Progress progress_;
  std::set<std::string> warned_;
  std::set<std::string> bad_images_;
};

}  // namespace base

#endif  // BASE_RUN_LOG_H_
