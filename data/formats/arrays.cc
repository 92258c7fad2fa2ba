// NumPy's arrays of images, N x H x W or N x H x W x C: in a .npy file, in a folder of them, or in
// a .npz file. What an array is, and of which split, its name says: train_images, X_test, labels.
#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "data/dataset.h"
#include "data/decode.h"
#include "data/decode_options.h"
#include "data/formats/array_file.h"
#include "data/formats/array_labels.h"
#include "data/formats/array_names.h"
#include "data/listing.h"
#include "tensors/npy.h"

namespace data {
namespace {

constexpr char kEnding[] = ".npy";
constexpr int64_t kUsualView = 224;  // smaller images are not enlarged to it

struct ArrayOptions {
  std::string images, labels;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("images", images, "name of the array of images; empty: found by its name (train_images, X)");
    v("labels", labels, "name of the array of labels; empty: found by its name (train_labels, y)");
  }
};

// The command that writes what `expression` makes of the array `x`, or of the member `name`.
std::string Convert(const ArrayFiles& files, size_t i, absl::string_view expression) {
  if (!files.is_npz()) {
    return absl::StrCat("python3 -c \"import numpy as np; x = np.load('", files.Place(i),
                        "', mmap_mode='r'); np.save('converted.npy', ", expression, ")\"");
  }
  return absl::StrCat("python3 -c \"import numpy as np; d = dict(np.load('", files.path(),
                      "')); x = d['", files.names()[i], "']; d['", files.names()[i],
                      "'] = ", expression, "; np.savez('converted.npz', **d)\"");
}

// The command that writes the slices of volumes as images, with the label of their volume.
std::string Slice(const ArrayFiles& files, size_t i) {
  if (!files.is_npz()) return Convert(files, i, "x.reshape(-1, *x.shape[2:])");
  return absl::StrCat("python3 -c \"import numpy as np; d = np.load('", files.path(),
                      "'); np.savez('slices.npz', **{k: d[k].reshape(-1, *d[k].shape[2:]) if ",
                      "d[k].ndim == 4 else d[k].repeat(d['", files.names()[i],
                      "'].shape[1], 0) for k in d})\"");
}

// InvalidArgument, with the command that converts it, unless the array is one of images in
// `channels` channels.
absl::Status CheckImages(const ArrayFiles& files, size_t i, const tensors::NpyArray& array,
                         int channels) {
  const auto refuse = [&](absl::string_view why, absl::string_view expression) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", files.Place(i), "' ", why, "; convert it with: ", Convert(files, i, expression)));
  };
  const std::string is = absl::StrCat("is ", array.Text());
  const std::vector<int64_t>& shape = array.shape;
  if (array.kind == 'O') {
    return absl::InvalidArgumentError(
        absl::StrCat("'", files.Place(i),
                     "' holds Python objects, a pickle, which is never run; save the images ",
                     "as one array of numbers: np.save('images.npy', np.stack(images))"));
  }
  if (shape.size() != 3 && shape.size() != 4) {
    return refuse(absl::StrCat(is, "; images are N x H x W or N x H x W x C"),
                  shape.size() == 2 ? "x.reshape(len(x), H, W)" : "x.reshape(len(x), H, W, C)");
  }
  if (shape[0] < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", files.Place(i), "' ", is, ": it holds no images"));
  }
  if (shape.size() == 3 && shape[2] <= 4 && shape[0] > 4 && shape[1] > 4) {
    return refuse(absl::StrCat(is, ", which seems to be a single image; images are N x H x W or ",
                               "N x H x W x C"),
                  "x[None]");
  }
  if (shape.size() == 4 && shape[1] == shape[2] && shape[2] == shape[3] && shape[3] > 4 &&
      shape[3] != channels) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", files.Place(i), "' ", is, ", which seems to be volumes, N x D x H x W, as in ",
        "MedMNIST's 3-D sets; images are N x H x W or N x H x W x C. To use their slices as "
        "images, ",
        "convert it with: ", Slice(files, i), "; if it is images of ", shape[3],
        " channels, give channels=", shape[3], " in --arch (a tool: --channels=", shape[3], ")"));
  }
  if (shape.size() == 4 && shape[1] <= 4 && shape[3] > 4) {
    return refuse(absl::StrCat(is, ", which seems to be N x C x H x W, as PyTorch has it; ",
                               "images are N x H x W x C"),
                  "x.transpose(0, 2, 3, 1)");
  }
  if (shape.size() == 4 && (shape[3] < 1 || shape[3] > kMaxChannels)) {
    return refuse(absl::StrCat(is, ": images have 1 to ", kMaxChannels, " channels"),
                  absl::StrCat("x[..., :", kMaxChannels, "]"));
  }
  const bool is_read =
      (array.kind == 'u' && array.width <= 2) || (array.kind == 'f' && array.width == 4);
  const std::string types = absl::StrCat(is, "; images are uint8, uint16 or float32");
  if (array.kind == 'b') return refuse(types, "x.astype('uint8') * 255");
  if (!is_read && (array.kind == 'u' || array.kind == 'i') && array.width > 2) {
    return refuse(absl::StrCat(types, ", whatever holds the values"), "x.astype('uint8')");
  }
  if (!is_read) return refuse(types, "x.astype('float32')");
  if (array.big_endian && array.width > 1) {
    return refuse(
        is, absl::StrCat("x.astype('<", absl::string_view(&array.kind, 1), array.width, "')"));
  }
  if (array.fortran_order) {
    return refuse(absl::StrCat(is, " in Fortran order"), "np.ascontiguousarray(x)");
  }
  return absl::OkStatus();
}

class ArrayImages : public Dataset {
 public:
  // `images` are those that CheckImages accepts.
  ArrayImages(std::string place, LoadedArray images, ArrayLabels labels,
              std::vector<std::string> notes, const DecodeOptions& decode)
      : place_(std::move(place)),
        images_(std::move(images)),
        labels_(std::move(labels)),
        notes_(std::move(notes)),
        decode_(decode) {}

  int64_t size() const override { return shape()[0]; }
  int64_t rows() const { return shape()[1]; }
  int64_t cols() const { return shape()[2]; }

  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    const int channels = shape().size() == 4 ? static_cast<int>(shape()[3]) : 1;
    const int depth = images_.header.kind == 'f'  ? CV_32F
                      : images_.header.width == 2 ? CV_16U
                                                  : CV_8U;
    cv::Mat stored(static_cast<int>(rows()), static_cast<int>(cols()),
                   CV_MAKETYPE(depth, channels));
    const int64_t bytes = rows() * cols() * channels * images_.header.width;
    std::memcpy(stored.data, images_.values.data() + index * bytes, bytes);
    auto image = FinishImage(stored, decode_);
    if (image.ok()) return image;
    return absl::DataLossError(absl::StrCat("'", Name(index), "' ", image.status().message()));
  }

  std::string Name(int64_t index) const override { return absl::StrCat(place_, ":", index); }
  int Label(int64_t index) const override {
    return labels_.classes.labels.empty() ? -1 : labels_.classes.labels[index];
  }
  const std::vector<std::string>& classes() const override { return labels_.classes.names; }
  std::vector<std::string> notes() const override { return notes_; }
  absl::Status LabelStatus() const override { return labels_.status; }
  ViewDefaults views() const override {
    const int64_t side = std::min(rows(), cols());
    return side < kUsualView ? ViewDefaults{side, side, ""} : ViewDefaults();
  }

 private:
  const std::vector<int64_t>& shape() const { return images_.header.shape; }

  const std::string place_;
  const LoadedArray images_;
  const ArrayLabels labels_;
  const std::vector<std::string> notes_;
  const DecodeOptions decode_;
};

class ArrayFormat : public Format {
 public:
  ArrayFormat(std::string name, const ArrayOptions& options)
      : name_(std::move(name)), options_(options) {}

  std::vector<std::string> FileEndings() const override { return {"." + name_}; }
  bool IsOneSplit() const override { return !options_.images.empty(); }

  bool StatesSplits(const std::string& path) const override {
    if (!options_.images.empty()) return false;
    const auto location = DataLocation::At(path);
    if (!location.ok() || (!location->is_folder && name_ == "npy")) return false;
    const auto files = FilesAt(path);
    // Otherwise Open() says what is wrong.
    return !files.ok() || ArrayNames(*files).has_splits();
  }

  bool MatchesFolder(const DataLocation& folder) const override {
    return name_ == "npy" && HoldsArrayDataSet(folder);
  }

  absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path, Split split,
                                                const DecodeOptions& decode) const override {
    const auto location = DataLocation::At(path);
    if (!location.ok()) return location.status();
    const auto files = FilesAt(path);
    if (!files.ok()) return files.status();
    const ArrayNames names(*files);
    ArrayNames::Request request = {split, options_.images, options_.labels, std::nullopt, name_};
    if (name_ == "npy" && !location->is_folder) {
      const std::string own(absl::StripSuffix(NameOfFile(path), kEnding));
      const auto found = std::find(files->names().begin(), files->names().end(), own);
      if (found == files->names().end()) {
        return absl::InvalidArgumentError(
            absl::StrCat("'", path, "' does not end in .npy, or is hidden; rename it"));
      }
      request.own = found - files->names().begin();
    }
    auto chosen = names.Choose(request);
    if (!chosen.ok()) return chosen.status();
    const auto header = files->Header(chosen->images);
    if (!header.ok()) return header.status();
    const std::string place = files->Place(chosen->images);
    if (absl::Status s = CheckImages(*files, chosen->images, *header, decode.channels); !s.ok())
      return s;
    if (absl::Status s = CheckPixels(header->shape[1], header->shape[2], decode); !s.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("each image of '", place, "' ", s.message()));
    }
    auto images = files->Load(chosen->images);
    if (!images.ok()) return images.status();
    auto labels = ReadArrayLabels(*files, *chosen, header->shape[0]);
    if (!labels.ok()) return labels.status();
    // Programs that need labels end with the error; the others should not seem to have some.
    if (!labels->status.ok()) {
      chosen->notes.push_back(absl::StrCat("the labels are not used: ", labels->status.message()));
    }
    auto dataset = std::make_unique<ArrayImages>(place, *std::move(images), *std::move(labels),
                                                 std::move(chosen->notes), decode);
    // All images are of one kind; if it does not suit the options, that is known now.
    if (const auto first = dataset->Image(0); absl::IsDataLoss(first.status())) {
      return absl::InvalidArgumentError(first.status().message());
    }
    return dataset;
  }

 private:
  static std::string NameOfFile(const std::string& path) {
    return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  }

  absl::StatusOr<ArrayFiles> FilesAt(const std::string& path) const {
    if (name_ == "npz") return ArrayFiles::OfNpz(path);
    const auto location = DataLocation::At(path);
    if (!location.ok()) return location.status();
    if (location->is_folder) return ArrayFiles::OfFolder(path);
    const std::string folder = path.substr(0, path.size() - NameOfFile(path).size());
    return ArrayFiles::OfFolder(folder.empty() ? "." : folder);
  }

  const std::string name_;  // of the plugin: npy or npz
  const ArrayOptions options_;
};

absl::StatusOr<std::unique_ptr<Format>> MakeNpy(const ArrayOptions& options) {
  return std::make_unique<ArrayFormat>("npy", options);
}

absl::StatusOr<std::unique_ptr<Format>> MakeNpz(const ArrayOptions& options) {
  return std::make_unique<ArrayFormat>("npz", options);
}

REGISTER_PLUGIN(Datasets, "npy",
                "NumPy's arrays of images and labels in .npy files: one file, or a folder of them",
                ArrayOptions, MakeNpy);
REGISTER_PLUGIN(Datasets, "npz",
                "NumPy's arrays of images and labels in one .npz file, as MedMNIST has them",
                ArrayOptions, MakeNpz);

}  // namespace
}  // namespace data
