// The labels that people gave to the images of a request.
#ifndef TOOLS_SELECTION_ANSWERS_H_
#define TOOLS_SELECTION_ANSWERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/requests.h"
#include "data/table.h"

namespace selection {

// Reads class names from a text file with one name per line, starting with class 0.
// InvalidArgument, naming the file and the line, if a line before the last name is empty or a name
// occurs twice.
absl::StatusOr<std::vector<std::string>> ReadClasses(const std::string& path);

struct Answers {
  std::vector<int> labels;             // one per image of the request, in its order; -1: no label
  std::vector<std::string> conflicts;  // what must be corrected first, one sentence each
  int64_t repeated = 0;                // number of lines that repeat an earlier line
};

// Assigns the labels of a table to the images of a request. A label is one of the names in
// `classes` or, if `classes` is empty, a class number from 0. Conflicts, in the order of the lines
// and then of the request: a line without a name or a label; a label that is not a class; a file
// with two different labels; a file that is not in the request; an image of the request without a
// label.
Answers JoinAnswers(const std::vector<data::RequestedImage>& request, const data::Table& table,
                    const std::vector<std::string>& classes);

}  // namespace selection

#endif  // TOOLS_SELECTION_ANSWERS_H_
