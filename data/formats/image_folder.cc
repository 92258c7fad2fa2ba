// Folders of image files: one folder for each class, or no classes.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset.h"
#include "data/formats/array_names.h"
#include "data/formats/image_files.h"
#include "data/listing.h"

namespace data {
namespace {

struct FolderOptions {
  bool splits = true;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("splits", splits, "use the part called train, val, ..., if there is one; false: use all");
  }
};

class ImageFolder : public Format {
 public:
  ImageFolder(bool classes, bool splits) : classes_(classes), splits_(splits) {}

  bool IsOneSplit() const override { return !splits_; }
  bool MatchesFolder(const DataLocation& folder) const override {
    if (!ListOf(folder).empty()) return false;
    if (classes_) return !folder.folders.empty();
    return folder.folders.empty() && (folder.images > 0 || HoldsArrayImages(folder));
  }

  absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path, Split,
                                                const DecodeOptions& decode) const override {
    std::vector<std::string> notes;
    auto names = ListImages(path, &notes);
    if (!names.ok()) return names.status();
    if (!classes_) {
      return MakeImageFiles(path + "/", *std::move(names), Classes(), decode, std::move(notes));
    }
    Classes classes = ClassesOfFolders(*names);
    const auto root = DataLocation::At(path);
    if (!root.ok()) return root.status();
    if (std::string note = EmptyFoldersNote(path, root->folders, classes.names); !note.empty()) {
      notes.push_back(std::move(note));
    }
    return MakeImageFiles(path + "/", *std::move(names), std::move(classes), decode,
                          std::move(notes));
  }

 private:
  const bool classes_, splits_;
};

absl::StatusOr<std::unique_ptr<Format>> MakeImageFolder(const FolderOptions& o) {
  return std::make_unique<ImageFolder>(/*classes=*/true, o.splits);
}

absl::StatusOr<std::unique_ptr<Format>> MakeFlatFolder(const FolderOptions& o) {
  return std::make_unique<ImageFolder>(/*classes=*/false, o.splits);
}

REGISTER_PLUGIN(Datasets, "image_folder", "a folder with one folder of image files for each class",
                FolderOptions, MakeImageFolder);
REGISTER_PLUGIN(Datasets, "flat_folder",
                "a folder of image files, in folders or not, without classes", FolderOptions,
                MakeFlatFolder);

}  // namespace
}  // namespace data
