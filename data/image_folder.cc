// Folders of image files: with a folder for each class, or without classes.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/dataset.h"
#include "data/decode.h"
#include "data/listing.h"

namespace data {
namespace {

class ImageFiles : public Dataset {
 public:
  ImageFiles(std::string root, Names names, Classes classes, int channels)
      : root_(std::move(root)),
        names_(std::move(names)),
        classes_(std::move(classes)),
        channels_(channels) {}

  int64_t size() const override { return names_.size(); }
  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    return ReadImage(Name(index), channels_);
  }
  absl::StatusOr<std::string> File(int64_t index) const override {
    return ReadImageFile(Name(index));
  }
  std::string Name(int64_t index) const override { return absl::StrCat(root_, "/", names_[index]); }
  int Label(int64_t index) const override {
    return classes_.labels.empty() ? -1 : classes_.labels[index];
  }
  const std::vector<std::string>& classes() const override { return classes_.names; }

 private:
  const std::string root_;
  const Names names_;
  const Classes classes_;
  const int channels_;
};

class ImageFolder : public Format {
 public:
  explicit ImageFolder(bool classes) : classes_(classes) {}

  bool Matches(const Place& place) const override {
    return classes_ ? !place.folder.empty() : place.folder.empty() && !place.image.empty();
  }

  absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path, Split,
                                                int channels) const override {
    auto names = ListImages(path);
    if (!names.ok()) return names.status();
    Classes classes = classes_ ? ClassesOfFolders(*names) : Classes();
    return std::make_unique<ImageFiles>(path, *std::move(names), std::move(classes), channels);
  }

 private:
  const bool classes_;
};

absl::StatusOr<std::unique_ptr<Format>> MakeImageFolder(const NoOptions&) {
  return std::make_unique<ImageFolder>(/*classes=*/true);
}

absl::StatusOr<std::unique_ptr<Format>> MakeFlatFolder(const NoOptions&) {
  return std::make_unique<ImageFolder>(/*classes=*/false);
}

REGISTER_PLUGIN(Datasets, "image_folder", "a folder with a folder of image files for each class",
                NoOptions, MakeImageFolder);
REGISTER_PLUGIN(Datasets, "flat_folder",
                "a folder of image files, and of folders of them, without classes", NoOptions,
                MakeFlatFolder);

}  // namespace
}  // namespace data
