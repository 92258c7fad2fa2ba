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

  // Whether the .npy files of a folder are a data set, of which a name says that an array holds its
  // images; and not an image each, as img_0001.npy, img_0002.npy, ... are. It is one if the array
  // has four dimensions, or if its name is that of no other array (of its split) and says nothing
  // else, or stands beside one of labels.
  bool is_data_set() const;

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

// Whether a folder's own .npy files are images, one in each: it has no images of other formats, the
// arrays are no data set, and the first has fewer than four dimensions.
bool HoldsArrayImages(const DataLocation& folder);

// Whether they are a data set of the format `npy`.
bool HoldsArrayDataSet(const DataLocation& folder);

}  // namespace data

#endif  // DATA_FORMATS_ARRAY_NAMES_H_
