// Features of a data set's images on the disk, as //lincls:features writes them and everything
// after it reads them.
//
//   FOLDER/features.json   what they are of: data, dataset (format), split, folder, classes,
//                          checkpoint, weights (its fingerprint), arch, eval_views; what is
//                          written: features, dtype, columns; how far: images done, rows, finished
//   FOLDER/images.csv      file,label[,column...]: a line an image, in the order of the rows
//   FOLDER/backbone.npy    N x D; head.npy N x 128; stage1.npy ... (those that were asked for)
//
// Features that another program made are two files: X.npy and X.csv beside it (header
// file[,label][,column...]). `file` is the image's name without the folder that all have in common
// (numbered_png: "12.png"; folders: "cat/1.jpg"); label is the class's index from 0, empty where
// there is none; other columns are numbers, such as kDisagreementColumn and kMocoLossColumn.
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

// Columns that //lincls:features computes (lincls/tables/columns.h says what they are) and
// selections read as energies of the same names.
inline constexpr char kDisagreementColumn[] = "disagreement";
inline constexpr char kMocoLossColumn[] = "moco_loss";

struct FeatureTable {
  tensors::NpyMatrix features;                              // N x D
  std::vector<std::string> files = {};                      // N
  std::vector<int> labels = {};                             // N; -1: none
  std::map<std::string, std::vector<double>> columns = {};  // others, each N, finite
  std::string name = {};  // "backbone", "stage3", or the .npy's own

  // Empty where features.json is not there.
  std::vector<std::string> classes = {};
  std::string data = {}, val = {}, dataset = {}, split = {};  // to open the images: OpenImages
  std::string folder = {};  // before each of `files` it makes data::Dataset::Name
  std::string checkpoint = {}, weights = {}, arch = {}, eval_views = {};  // weights: a fingerprint

  int64_t size() const { return static_cast<int64_t>(files.size()); }
};

// What lies at `path`: a folder (its backbone.npy, or the only matrix that it has), or one .npy
// file in or outside of such a folder. InvalidArgument, DataLoss or NotFound, naming the file and
// the line: rows and lines that are not as many, a header without `file`, a label that is no class,
// a name that comes twice, features that are not finished. (Values are not looked at: whoever reads
// the rows checks them by CheckFinite.)
absl::StatusOr<FeatureTable> OpenFeatures(const std::string& path);

// InvalidArgument naming the file, the row and the image of the first value in `rows` (count x D,
// from row `from`) that is not finite.
absl::Status CheckFinite(const FeatureTable& table, int64_t from, int64_t count, const float* rows);

struct TableImages {
  std::unique_ptr<data::Dataset> dataset;
  std::vector<int64_t> indices;  // N: of each row's image in the data set
};

// The images that the features are of, decoded to `channels`. InvalidArgument where the table does
// not say which, or an image is not in the data any more; and the data's own errors.
absl::StatusOr<TableImages> OpenImages(const FeatureTable& table, int channels = 3);

// The folder, with a "/" at its end, that the names of all images have in common; of archives the
// one that they lie in. Empty when there is none.
std::string CommonFolder(const data::Dataset& dataset);

}  // namespace lincls

#endif  // LINCLS_TABLES_FEATURE_TABLE_H_
