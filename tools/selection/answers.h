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

// The names of the classes in a text file, a name a line, from class 0 on. InvalidArgument, naming
// the file and the line, for an empty line before the last name, and for a name that comes twice.
absl::StatusOr<std::vector<std::string>> ReadClasses(const std::string& path);

struct Answers {
  std::vector<int> labels;             // of the request's images, in its order; -1: none
  std::vector<std::string> conflicts;  // what must be settled first: a line each
  int64_t repeated = 0;                // lines that say once more what a line before them says
};

// Joins the labels of a table to the images of a request. A label is a
// name of `classes`, or, where there are none, a class's number from 0. Conflicts, in the order of
// the lines and then of the request: a line without a name or a label; a label that is no class; a
// file with two different labels; a file that the request does not name; an image of the request
// without a label.
Answers JoinAnswers(const std::vector<data::RequestedImage>& request, const data::Table& table,
                    const std::vector<std::string>& classes);

}  // namespace selection

#endif  // TOOLS_SELECTION_ANSWERS_H_
