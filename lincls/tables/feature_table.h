// Features of a data set's images on disk, as written by //lincls:features and read by the programs
// that follow.
//
//   FOLDER/features.json   the source: data, dataset (format), split, exif, pages, range,
//                          max_megapixels, folder, classes, checkpoint, weights (its
//                          fingerprint), arch, eval_views; the contents: features, dtype, columns;
//                          the progress: images done, rows, finished
//   FOLDER/images.csv      file,label[,column...]: one line per image, in the order of the rows
//   FOLDER/backbone.npy    N x D; head.npy: N x 128; stage1.npy, ... (those that were requested)
//
// Features from another program are two files: X.npy, and beside it X.csv (header
// file[,label][,column...]). `file` is the image's name without the folder that all images have in
// common (numbered_png: "12.png"; folders: "cat/1.jpg"); label is the index of the class from 0, or
// empty; other columns are numbers, such as kDisagreementColumn and kMocoLossColumn.
#ifndef LINCLS_TABLES_FEATURE_TABLE_H_
#define LINCLS_TABLES_FEATURE_TABLE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/dataset.h"
#include "tensors/npy.h"

namespace lincls {

inline constexpr char kDescriptionFile[] = "features.json";
inline constexpr char kImagesFile[] = "images.csv";

// Columns that //lincls:features computes (lincls/tables/columns.h defines them) and that the
// energies of the same names read.
inline constexpr char kAlignmentColumn[] = "alignment";
inline constexpr char kDisagreementColumn[] = "disagreement";
inline constexpr char kMocoLossColumn[] = "moco_loss";

struct FeatureTable {
  tensors::NpyMatrix features;                              // N x D
  std::vector<std::string> files = {};                      // N
  std::vector<int> labels = {};                             // N; -1: none
  std::map<std::string, std::vector<double>> columns = {};  // further columns, each N, finite
  std::string name = {};  // "backbone", "stage3", or the name of the .npy file

  // The following are empty without features.json.
  std::vector<std::string> classes = {};
  data::DataSource source = {};  // of the images, without the channels: OpenImages
  std::string split = {};
  std::string folder = {};                    // before each of `files` it makes data::Dataset::Name
  std::string checkpoint = {}, weights = {};  // weights: a fingerprint of the tensors
  std::string arch = {}, encoder_prefix = {}, eval_views = {};

  int64_t size() const { return static_cast<int64_t>(files.size()); }
};

// Opens the features at `path`: a folder (its backbone.npy, or its only matrix), or a .npy file
// inside or outside such a folder. InvalidArgument, DataLoss or NotFound, naming the file and the
// line, if the numbers of rows and lines differ, the header has no `file`, a label is not a class,
// a name occurs twice, or the features are not finished. Values are not checked; the reader of the
// rows checks them with CheckFinite.
absl::StatusOr<FeatureTable> OpenFeatures(const std::string& path);

// InvalidArgument naming the file, the row and the image of the first value in `rows` (count x D,
// from row `from`) that is not finite.
absl::Status CheckFinite(const FeatureTable& table, int64_t from, int64_t count, const float* rows);

struct TableImages {
  std::unique_ptr<data::Dataset> dataset;
  std::vector<int64_t> indices;  // N: index in the data set of each row's image
};

// Opens the images of the features, to be shown: decoded to three channels, or to as many as the
// network has if these are more than four, or if the range of values differs between them; ToRgb8
// makes colours of any. InvalidArgument if the table does not
// say which images they are, or an image is not in the data any more; and the errors of the data
// set.
absl::StatusOr<TableImages> OpenImages(const FeatureTable& table);

// Returns the folder, with a "/" at its end, that all images' names have in common; for archives,
// the folder of the archives. Empty if there is none.
std::string CommonFolder(const data::Dataset& dataset);

}  // namespace lincls

#endif  // LINCLS_TABLES_FEATURE_TABLE_H_
