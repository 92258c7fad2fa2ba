// Datasets: where samples come from. The formats in which they lie on the disk are plugins.
#ifndef DATA_DATASET_H_
#define DATA_DATASET_H_

#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
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

  // The image at `index` (0 to size() - 1), decoded: CV_8U, or CV_32F from 0 to 1 if the file has
  // more than 8 bits a channel, in as many channels as the data set was opened with (1 to 64;
  // data/decode.h). DataLoss, naming the image and what is wrong, if it cannot be read (other
  // images stay readable); ResourceExhausted if memory is short. May throw std::bad_alloc and
  // OpenCV's errors: see ReadImageAt.
  virtual absl::StatusOr<cv::Mat> Image(int64_t index) const = 0;

  // The bytes of the image's own file, in any format. Unimplemented where images are not kept as
  // files; DataLoss as for Image().
  virtual absl::StatusOr<std::string> File(int64_t index) const;

  // A name by which a person finds the image: a path, or an entry of an archive.
  virtual std::string Name(int64_t index) const = 0;

  // The class, an index into classes(); -1 if the image has none.
  virtual int Label(int64_t index) const = 0;

  // Names of the classes in the order of their labels; empty for unlabelled data. They are UTF-8,
  // since they are written to JSON, CSV and pickles: formats replace a byte of another encoding by
  // base::EscapedUtf8.
  virtual const std::vector<std::string>& classes() const = 0;

  virtual ViewDefaults views() const { return {}; }

  // What a user should know of how the images were found, such as what was left out, and how much
  // of it: a sentence each, without a full stop.
  virtual std::vector<std::string> notes() const { return {}; }

  // InvalidArgument, naming the first entry, if the data state labels that cannot be used. The
  // images in question have no label then. Programs that do not use labels do not ask.
  virtual absl::Status LabelStatus() const { return absl::OkStatus(); }
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

  // Those of FileEndings() that shards have: a split may be several such files, which OpenFiles
  // reads as one.
  virtual std::vector<std::string> ShardEndings() const { return {}; }

  // Whether the format was asked to read a whole folder, even if parts of it have names of splits.
  virtual bool IsOneSplit() const { return false; }

  // Whether the file or folder at `path` has images of several splits and says of each whose it is;
  // Open() then chooses those of its split. True as well if it cannot be read: Open() says why.
  virtual bool StatesSplits(const std::string& path) const { return false; }

  // Whether a folder looks like this format, by names, without reading any image.
  virtual bool MatchesFolder(const DataLocation& folder) const { return false; }

  // The images of `split` (of all splits, where a location is one split), decoded as `decode` says.
  // Everything that can be wrong, except for the images, is found here: InvalidArgument, NotFound
  // or DataLoss, with the file and the line or entry.
  virtual absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path, Split split,
                                                        const DecodeOptions& decode) const = 0;

  // The same for several files, sorted, that together are the images. InvalidArgument, naming two
  // of them, unless the format has ShardEndings().
  virtual absl::StatusOr<std::unique_ptr<Dataset>> OpenFiles(const std::vector<std::string>& paths,
                                                             Split split,
                                                             const DecodeOptions& decode) const;
};

using DatasetRegistry = registry::Registry<Format>;
DatasetRegistry& Datasets();

// Where data are, as a command line says it.
struct DataSource {
  std::string path;
  std::string validation = "";  // where the validation images are; empty: in a part of `path`
  std::string format = "";      // a spec; empty: the format that matches
  // Options of the format that have flags of their own, such as {"image_key", "jpg,png"}; an empty
  // value is the default.
  std::vector<std::pair<std::string, std::string>> options = {};
  DecodeOptions decode = {};
  // --range (data/values.h) and --pages; OpenDataset makes parts of `decode` of them.
  std::string range = "", pages = "first";
};

struct Opened {
  std::unique_ptr<Dataset> dataset;
  std::string format;              // the spec
  std::string place;               // the path, or a split's part of it
  DecodeOptions decode;            // with the range of values, if one was given or found
  std::vector<std::string> notes;  // of the choice of the place, and the data set's own
};

// The images of `split`, in the format that is given, or else in the one that matches. If
// `validation` is given, it is a split, or has one as a part; `path` may then be the training
// images as a whole. NotFound or InvalidArgument, saying what was looked for, if no format
// matches, several do, or several parts could be the split's (naming the flags that decide); and
// the format's own errors.
absl::StatusOr<Opened> OpenDataset(const DataSource& source, Split split);

// The same for data that one path and perhaps a spec say.
absl::StatusOr<Opened> OpenDataset(const std::string& path, Split split,
                                   const std::string& format = "",
                                   const DecodeOptions& decode = {});

// The same for labelled images. InvalidArgument unless every image has a label (the message names
// the first without one) and there are at least two classes.
absl::StatusOr<Opened> OpenLabelledDataset(const DataSource& source, Split split);
absl::StatusOr<Opened> OpenLabelledDataset(const std::string& path, Split split,
                                           const std::string& format = "",
                                           const DecodeOptions& decode = {});

}  // namespace data

#endif  // DATA_DATASET_H_
