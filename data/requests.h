// Requests to label images, and the labels that were given:
//
//   request_01.csv   one name a line, in a table as data/table.h reads it
//   label_01.pt      the labels, in the same order
#ifndef DATA_REQUESTS_H_
#define DATA_REQUESTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace data {

// The two files of one request, FOLDER/request_NN.csv and FOLDER/label_NN.pt; at least one of them
// exists.
struct Request {
  std::string number;  // NN, as in the name
  std::string list, labels;
  bool has_list = false, has_labels = false;
};

// The requests in a folder, in the order of their numbers as text.
absl::StatusOr<std::vector<Request>> FindRequests(const std::string& folder);

struct RequestedImage {
  std::string name;
  int64_t line;  // of the list, from 1
};

// The images of a list. InvalidArgument, naming the line, if it has a label beside the name, or
// repeats a name.
absl::StatusOr<std::vector<RequestedImage>> ReadRequest(const std::string& list);

// The error for a line of a list that is not the name of an image, naming the list and the line.
absl::Status NotAName(const std::string& list, int64_t line, absl::string_view name);

}  // namespace data

#endif  // DATA_REQUESTS_H_
