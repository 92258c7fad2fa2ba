// Lists of images that people were asked to label, and the labels that came back:
//
//   request_01.csv   a name a line; the first line may be a header such as `filename`
//   label_01.pt      the labels, in the same order
#ifndef DATA_REQUESTS_H_
#define DATA_REQUESTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace data {

// The two files of one request, FOLDER/request_NN.csv and FOLDER/label_NN.pt; at least one is
// there.
struct Request {
  std::string number;  // NN, as it is written
  std::string list, labels;
  bool has_list = false, has_labels = false;
};

// Those of a folder, in the order of their numbers' text.
absl::StatusOr<std::vector<Request>> FindRequests(const std::string& folder);

struct RequestedImage {
  std::string name;
  int64_t line;  // of the list, from 1
};

// The images of a list. InvalidArgument, naming the line, when it has more than a name (a comma may
// follow it), or a name that comes twice.
absl::StatusOr<std::vector<RequestedImage>> ReadRequest(const std::string& list);

// "'DIR/request_01.csv' line 3: 'x' is no name such as 12.png alone ...".
absl::Status NotAName(const std::string& list, int64_t line, absl::string_view name);

}  // namespace data

#endif  // DATA_REQUESTS_H_
