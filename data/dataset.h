// Datasets: where samples come from. The formats in which they lie on the disk are plugins.
#ifndef DATA_DATASET_H_
#define DATA_DATASET_H_

#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/place.h"
#include "registry/registry.h"

namespace data {

// How the images of a data set are usually shown to a network: what holds where a person says
// nothing.
struct ViewDefaults {
  int64_t size = 0;    // rows and columns of a view; 0: nothing is usual
  int64_t resize = 0;  // of the shorter side before the centre crop of evaluation; 0: as for others
  std::string normalize;  // the spec of the step; empty: nothing is usual
};

// A fixed list of images, each perhaps with a label. Thread-safe once made.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual int64_t size() const = 0;  // at least 1

  // The image at `index` (0 to size() - 1), decoded: 8 bits a channel, as many channels as the data
  // set was opened with (data/decode.h). DataLoss, naming the image and what is wrong, when it
  // cannot be read; other images stay readable.
  virtual absl::StatusOr<cv::Mat> Image(int64_t index) const = 0;

  // The image's own JPEG or PNG file, not looked at. Unimplemented where images are not kept as
  // files; DataLoss as for Image().
  virtual absl::StatusOr<std::string> File(int64_t index) const;

  // A name that a person finds the image by: a path, or an entry in an archive.
  virtual std::string Name(int64_t index) const = 0;

  // The class, an index into classes(); -1 when the image has none.
  virtual int Label(int64_t index) const = 0;

  // Names of the classes in the order of their labels; empty for unlabelled data.
  virtual const std::vector<std::string>& classes() const = 0;

  virtual ViewDefaults views() const { return {}; }
};

// A way in which data sets lie on the disk.
class Format {
 public:
  virtual ~Format() = default;

  // Whether a place of this format holds every split, and the format knows where. Otherwise a place
  // is one split, and Place::PartOf tells which.
  virtual bool HoldsSplits() const { return false; }

  // Whether what lies there looks like this format, by names, without reading any image.
  virtual bool Matches(const Place& place) const = 0;

  // The images of `split` there (of all, where a place is one split), decoded to `channels`: 1 to
  // 4. Everything that can be wrong, but for the images, is found here: InvalidArgument, NotFound
  // or DataLoss, with the file and the line or entry.
  virtual absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path, Split split,
                                                        int channels) const = 0;
};

using DatasetRegistry = registry::Registry<Format>;
DatasetRegistry& Datasets();

// For formats without options.
struct NoOptions {
  template <class Visitor>
  void Visit(Visitor&) {}
};

struct Opened {
  std::unique_ptr<Dataset> dataset;
  std::string format;  // the spec
  std::string place;   // path, or a part of it
};

// The images of `split` at `path`, by the format that is given as a spec, or else by the one that
// matches. NotFound or InvalidArgument, saying what was looked for, when none does, or several do;
// and the format's own errors.
absl::StatusOr<Opened> OpenDataset(const std::string& path, Split split,
                                   const std::string& format = "", int channels = 3);

// The same, for images that must each have a class, of at least two. InvalidArgument, naming the
// first image without one, otherwise.
absl::StatusOr<Opened> OpenLabelledDataset(const std::string& path, Split split,
                                           const std::string& format = "", int channels = 3);

}  // namespace data

#endif  // DATA_DATASET_H_
