// Features of a data set's images on the disk, as //lincls:features writes them and everything
// after it reads them.
//
//   FOLDER/features.json   what they are of: data, dataset (format), split, place, checkpoint,
//   arch, views, classes,
//                          what is written, dtype; rows done while it is being written
//   FOLDER/images.csv      file,label[,column...]: a line an image, in the order of the rows
//   FOLDER/backbone.npy    N x D; head.npy N x 128; stage1.npy ... (those that were asked for)
//
// Features that another program made are two files: X.npy and X.csv beside it (header
// file[,label][,column...]). `file` is relative to the data's place (numbered_png: "12.png";
// folders: "cat/1.jpg"); label is the class's index from 0, empty where there is none; other
// columns are numbers (energies: disagreement, moco_loss).
#ifndef LINCLS_FEATURE_TABLE_H_
#define LINCLS_FEATURE_TABLE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tensors/npy.h"

namespace lincls {

struct FeatureTable {
  tensors::NpyMatrix features;                         // N x D
  std::vector<std::string> files;                      // N
  std::vector<int> labels;                             // N; -1: none
  std::map<std::string, std::vector<double>> columns;  // others, each N
  // Empty or defaults where features.json is not there.
  std::string name;  // "backbone", "stage3", or the .npy's own
  std::vector<std::string> classes;
  std::string data, dataset,
      split;  // to open the images again: data::OpenDataset(data, split, dataset)
  std::string checkpoint, arch, eval_views;

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

}  // namespace lincls

#endif  // LINCLS_FEATURE_TABLE_H_
