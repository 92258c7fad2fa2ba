// An archive of images, read as the folder that it would be unpacked to: which of its folders is
// that of a split.
#ifndef DATA_FORMATS_ARCHIVE_FOLDERS_H_
#define DATA_FORMATS_ARCHIVE_FOLDERS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/location.h"

namespace data {

// The name of an entry within its archive: without "/", "./" and "../" before it, which lead out of
// the archive or say nothing, and with "a/../b" as b. Keeps a slash behind the name of a folder.
std::string NameInArchive(absl::string_view name);

// The folder whose images are a split's.
struct ArchivePart {
  std::string base;  // with a slash behind it; empty for all of the archive
  std::vector<std::string> notes;
};

class ArchiveFolders {
 public:
  // `names`: of the archive's images, with folders, without "./" or "/" before them; they must
  // outlive this object's constructor only. `format`: the archive's, which has the option `splits`.
  // `path`: the archive's.
  ArchiveFolders(const std::vector<absl::string_view>& names, const std::string& format,
                 const std::string& path);

  // Whether one of its folders is called like a split.
  bool HasSplits() const;

  // The part of a split, as FindPart finds it in a folder. A folder that all images lie in, as
  // `zip -r pets.zip pets` and `tar -cf pets.tar pets` make it, is passed over. NotFound for
  // validation if the archive has only training images.
  absl::StatusOr<ArchivePart> PartOf(Split split) const;

 private:
  std::string wrapper_;  // the folder that is passed over
  DataLocation root_;    // what it holds
};

}  // namespace data

#endif  // DATA_FORMATS_ARCHIVE_FOLDERS_H_
