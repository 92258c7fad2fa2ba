// The examination of a data set: what its splits are, what is in them, and what is wrong.
#ifndef TOOLS_DOCTOR_EXAMINE_H_
#define TOOLS_DOCTOR_EXAMINE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/dataset.h"
#include "data/overview.h"
#include "tools/doctor/duplicates.h"
#include "tools/doctor/look.h"

namespace doctor {

// How the programs open the data: `labelled` as lincls does (data::OpenLabelledDataset).
using OpenSplit = std::function<absl::StatusOr<data::Opened>(data::Split split, bool labelled)>;

// Images that are of one or several splits.
struct Part {
  std::vector<data::Split> splits;
  data::Opened opened;
  data::Overview overview;
  Look look;

  bool Holds(data::Split split) const;
  std::string Title() const;  // "pretraining and training"
};

// An image that was read: a part, and a place in its look's images.
struct ImageRef {
  int part;
  int64_t image;
};

struct ExamineOptions {
  int64_t sample = 0;  // of each part; 0: all
  int threads = 1;
};

struct Examination {
  std::vector<Part> parts;

  // How opening each split has ended: of pretraining, and of the two that lincls uses. NotFound:
  // there is no such split.
  absl::Status pretraining, training, validation;

  // Of all parts together, as indices into `refs`.
  std::vector<ImageRef> refs;
  Duplicates duplicates;

  const Part* PartOf(data::Split split) const;  // null: there is none
  const SeenImage& Seen(const ImageRef& ref) const {
    return parts[ref.part].look.images[ref.image];
  }
  std::string Name(const ImageRef& ref) const;
  int Label(const ImageRef& ref) const;
};

// Opens the splits; reads no image.
Examination OpenParts(const OpenSplit& open);

// Looks at the images of all parts, and compares them. The errors of LookAt.
absl::Status LookAtParts(const ExamineOptions& options, Examination& examination);

}  // namespace doctor

#endif  // TOOLS_DOCTOR_EXAMINE_H_
