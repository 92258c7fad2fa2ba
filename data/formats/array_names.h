// What arrays are by their names: images or labels, and of which split.
#ifndef DATA_FORMATS_ARRAY_NAMES_H_
#define DATA_FORMATS_ARRAY_NAMES_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/formats/array_file.h"
#include "data/location.h"

namespace data {

// The words of a name, in which the split's and the role's have their places.
struct ArrayName {
  enum Role { kOther, kImages, kLabels };
  std::string split;  // "unlabeled", "train", "val" or "test"; empty: none
  Role role = kOther;
  int rank = 0;      // of the word that states the role: the smaller, the plainer
  std::string rest;  // the other words: "x_train_v2" has "v 2"
};
ArrayName ReadArrayName(const std::string& name);

// The arrays that a data set is made of, as indices of ArrayFiles::names().
struct ChosenArrays {
  size_t images;
  std::optional<size_t> labels;
  std::vector<size_t> other_labels;  // of the other splits, which have the same classes
  absl::Status label_status;         // if the labels could be several arrays
  std::vector<std::string> notes;
};

class ArrayNames {
 public:
  // `files` must outlive this.
  explicit ArrayNames(const ArrayFiles& files);

  // Whether a name says that the array holds images, without a look into it.
  bool names_images() const;

  // Whether arrays of images are of different splits.
  bool has_splits() const;

  struct Request {
    Split split;
    std::string images, labels;  // names that the user gave; empty: none
    std::optional<size_t> own;   // the images, if the user gave their file
    std::string format;          // for messages
  };

  // InvalidArgument or NotFound, naming the arrays and the option that chooses one, if the images
  // are not there or could be several arrays.
  absl::StatusOr<ChosenArrays> Choose(const Request& request) const;

 private:
  absl::StatusOr<size_t> ChooseImages(const Request& request, ChosenArrays& chosen) const;
  void ChooseLabels(const Request& request, ChosenArrays& chosen) const;
  absl::StatusOr<size_t> Find(const std::string& name, const Request& request) const;
  std::string Listed(const std::vector<size_t>& arrays) const;

  const ArrayFiles& files_;
  std::vector<ArrayName> names_;
  std::vector<bool> images_;  // by name, or by its dimensions if no name of its split says so
};

}  // namespace data

#endif  // DATA_FORMATS_ARRAY_NAMES_H_
