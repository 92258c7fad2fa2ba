// What a classifier says of the validation images: the file in a run folder, and what follows from
// it for each class.
#ifndef MOCO_REPORT_PREDICTIONS_H_
#define MOCO_REPORT_PREDICTIONS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace report {

// Written by lincls and sweep whenever an epoch is the best so far, for the best classifier:
// file,label,predicted,probability; a line for each validation image that could be read.
inline constexpr char kPredictionsFile[] = "predictions.csv";

struct Prediction {
  std::string file;              // data::Dataset::Name
  std::string label, predicted;  // names of classes
  double probability = 0;        // that the classifier gives to `predicted`
};

std::string PredictionsCsv(const std::vector<Prediction>& predictions);

// Reads the file in a run folder. NotFound if there is none; DataLoss, naming the file and the
// line, if it is damaged or empty.
absl::StatusOr<std::vector<Prediction>> ReadPredictions(const std::string& run_folder);

struct Interval {
  double low = 0, high = 0;
};

// The interval of Wilson (1927) for a share of which `successes` of `trials` have been seen: with a
// probability of 95 % it covers the true share. It holds for few trials, and for shares near 0 and
// 1, too. trials: at least 1.
Interval Wilson(int64_t successes, int64_t trials);

// How often each class was taken for which.
struct Confusion {
  std::vector<std::string> classes;                  // all that occur; numbers in their order
  std::vector<std::map<size_t, int64_t>> predicted;  // of a class: its images by what they were
                                                     // taken for
  int64_t Images(size_t label) const;
  int64_t Count(size_t label, size_t predicted_class) const;
  int64_t Right(size_t label) const { return Count(label, label); }
  double Accuracy(size_t label) const;  // Images(label) must be at least 1
};

Confusion Confuse(const std::vector<Prediction>& predictions);

}  // namespace report

#endif  // MOCO_REPORT_PREDICTIONS_H_
