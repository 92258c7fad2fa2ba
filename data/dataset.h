// Datasets: where samples come from. The formats in which they lie on the disk are plugins.
#ifndef DATA_DATASET_H_
#define DATA_DATASET_H_

#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/decode_options.h"
#include "data/location.h"
#include "registry/no_options.h"
#include "registry/registry.h"

namespace data {

// How the images of a data set are usually shown to a network; used where the user gives no flag.
struct ViewDefaults {
  int64_t size = 0;       // rows and columns of a view; 0: the program's default
  int64_t resize = 0;     // length of the shorter side before the centre crop of evaluation; 0: as
                          // for other data
  std::string normalize;  // a spec of the augmentation; empty: the program's default
};

// A fixed list of images, which may have labels. Thread-safe.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual int64_t size() const = 0;  // at least 1

  // The image at `index` (0 to size() - 1), decoded: 8 bits a channel, as many channels as the data
  // set was opened with (data/decode.h). DataLoss, naming the image and what is wrong, if it cannot
  // be read (other images stay readable); ResourceExhausted if memory is short. May throw
  // std::bad_alloc and OpenCV's errors: see ReadImageAt.
  virtual absl::StatusOr<cv::Mat> Image(int64_t index) const = 0;

  // The bytes of the image's own file, in any format. Unimplemented where images are not kept as
  // files; DataLoss as for Image().
  virtual absl::StatusOr<std::string> File(int64_t index) const;

  // A name by which a person finds the image: a path, or an entry of an archive.
  virtual std::string Name(int64_t index) const = 0;

  // The class, an index into classes(); -1 if the image has none.
  virtual int Label(int64_t index) const = 0;

  // Names of the classes in the order of their labels; empty for unlabelled data.
  virtual const std::vector<std::string>& classes() const = 0;

  virtual ViewDefaults views() const { return {}; }
};

// Dataset::Image without exceptions: ResourceExhausted, naming the image, if memory is short
// (std::bad_alloc, OpenCV's StsNoMem), DataLoss if anything else is thrown.
absl::StatusOr<cv::Mat> ReadImageAt(const Dataset& dataset, int64_t index);

// A format in which data sets are stored.
class Format {
 public:
  virtual ~Format() = default;

  // Whether one location holds every split, and the format knows where. Otherwise a location is one
  // split, and OpenDataset finds it (DataLocation::PartsOf).
  virtual bool HoldsSplits() const { return false; }

  // Of a format that holds splits: the folders in which its publisher's archive, or torchvision,
  // leaves such data, relative to the folder that the user may give instead
  // ("cifar-10-batches-py").
  virtual std::vector<std::string> UsualFolders() const { return {}; }

  // The endings of the names of files that are data sets of this format (".tar"); empty if data
  // sets are folders. A file with such a name is taken for a data set of this format, and a split
  // may be a file with such a name.
  virtual std::vector<std::string> FileEndings() const { return {}; }

  // Whether a folder looks like this format, by names, without reading any image.
  virtual bool MatchesFolder(const DataLocation& folder) const { return false; }

  // The images of `split` (of all splits, where a location is one split), decoded as `decode` says.
  // Everything that can be wrong, except for the images, is found here: InvalidArgument, NotFound
  // or DataLoss, with the file and the line or entry.
  virtual absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path, Split split,
                                                        const DecodeOptions& decode) const = 0;
};

using DatasetRegistry = registry::Registry<Format>;
DatasetRegistry& Datasets();

struct Opened {
  std::unique_ptr<Dataset> dataset;
  std::string format;  // the spec
  std::string place;   // the path, or a split's part of it
};

// The images of `split` at `path`, in the format that is given as a spec, or else in the one that
// matches. NotFound or InvalidArgument, saying what was looked for, if no format matches, or
// several do; and the format's own errors.
absl::StatusOr<Opened> OpenDataset(const std::string& path, Split split,
                                   const std::string& format = "",
                                   const DecodeOptions& decode = {});

// The same for labelled images. InvalidArgument unless every image has a label (the message names
// the first without one) and there are at least two classes.
absl::StatusOr<Opened> OpenLabelledDataset(const std::string& path, Split split,
                                           const std::string& format = "",
                                           const DecodeOptions& decode = {});

}  // namespace data

#endif  // DATA_DATASET_H_
