// Folders of image files: with a folder for each class, or without classes.
#include <memory>
#include <string>
#include <utility>

#include "data/dataset.h"
#include "data/formats/image_files.h"
#include "data/listing.h"

namespace data {
namespace {

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
    return MakeImageFiles(path + "/", *std::move(names), std::move(classes), channels);
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
