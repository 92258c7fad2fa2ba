// A folder of image files, with or without a folder for each class.
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "data/dataset.h"
#include "data/decode.h"
#include "data/listing.h"

namespace data {
namespace {

namespace fs = std::filesystem;

struct FolderOptions {
  template <class Visitor>
  void Visit(Visitor&) {}
};

using FolderId = std::pair<dev_t, ino_t>;

// Names of all images below root/folder, relative to root. Links are followed, except to a folder
// that they lie in (`around`); hidden files and folders are left out.
absl::Status Scan(const fs::path& root, const fs::path& folder, std::set<FolderId>& around,
                  std::vector<std::string>& names) {
  struct stat info;
  const fs::path path = folder.empty() ? root : root / folder;
  if (stat(path.c_str(), &info) != 0) return base::ErrnoStatus("cannot read folder", path.string());
  const FolderId id(info.st_dev, info.st_ino);
  if (!around.insert(id).second) return absl::OkStatus();
  std::error_code error;
  fs::directory_iterator entries(path, error);
  if (error) {
    errno = error.value();
    return base::ErrnoStatus("cannot read folder", path.string());
  }
  for (const fs::directory_entry& entry : entries) {
    const std::string name = entry.path().filename();
    if (entry.is_directory(error)) {
      if (name[0] == '.') continue;
      if (absl::Status s = Scan(root, folder / name, around, names); !s.ok()) return s;
    } else if (HasImageName(name)) {
      names.push_back(folder / name);
    }
  }
  around.erase(id);
  return absl::OkStatus();
}

class ImageFolder : public Dataset {
 public:
  ImageFolder(fs::path root, Listing listing)
      : root_(std::move(root)), listing_(std::move(listing)) {}

  int64_t size() const override { return listing_.names.size(); }

  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    const std::string path = Name(index);
    const auto bytes = base::ReadFile(path, kMaxImageBytes);
    if (!bytes.ok()) return absl::DataLossError(bytes.status().message());
    auto image = DecodeImage(*bytes);
    if (image.ok()) return image;
    return absl::DataLossError(absl::StrCat("'", path, "' ", image.status().message()));
  }

  std::string Name(int64_t index) const override { return root_ / listing_.names[index]; }
  int Label(int64_t index) const override { return listing_.labels[index]; }
  const std::vector<std::string>& classes() const override { return listing_.classes; }

 private:
  const fs::path root_;
  const Listing listing_;
};

absl::StatusOr<std::unique_ptr<Dataset>> MakeImageFolder(const FolderOptions&,
                                                         const std::string& path) {
  std::vector<std::string> names;
  std::set<FolderId> around;
  if (absl::Status s = Scan(path, "", around, names); !s.ok()) return s;
  if (names.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' holds no images (.jpg, .png, ...), nor do the folders in it"));
  }
  return std::make_unique<ImageFolder>(path, MakeListing(std::move(names)));
}

REGISTER_PLUGIN(Datasets, "image_folder", "a folder of images, or of one folder for each class",
                FolderOptions, MakeImageFolder);

}  // namespace
}  // namespace data
