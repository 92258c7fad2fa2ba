// Folders of image files: one folder for each class, or no classes.
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

  bool MatchesFolder(const DataLocation& folder) const override {
    return classes_ ? !folder.folder.empty() : folder.folder.empty() && !folder.image.empty();
  }

  absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path, Split,
                                                const DecodeOptions& decode) const override {
    auto names = ListImages(path);
    if (!names.ok()) return names.status();
    Classes classes = classes_ ? ClassesOfFolders(*names) : Classes();
    return MakeImageFiles(path + "/", *std::move(names), std::move(classes), decode);
  }

 private:
  const bool classes_;
};

absl::StatusOr<std::unique_ptr<Format>> MakeImageFolder(const registry::NoOptions&) {
  return std::make_unique<ImageFolder>(/*classes=*/true);
}

absl::StatusOr<std::unique_ptr<Format>> MakeFlatFolder(const registry::NoOptions&) {
  return std::make_unique<ImageFolder>(/*classes=*/false);
}

REGISTER_PLUGIN(Datasets, "image_folder", "a folder with one folder of image files for each class",
                registry::NoOptions, MakeImageFolder);
REGISTER_PLUGIN(Datasets, "flat_folder",
                "a folder of image files, in folders or not, without classes", registry::NoOptions,
                MakeFlatFolder);

}  // namespace
}  // namespace data
