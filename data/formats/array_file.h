// Arrays in NumPy's files: the members of a .npz, or the .npy files of a folder.
#ifndef DATA_FORMATS_ARRAY_FILE_H_
#define DATA_FORMATS_ARRAY_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/files.h"
#include "tensors/npy.h"
#include "tensors/zip.h"

namespace data {

// Compressed members of a .npz are unpacked into memory, up to this size each, and up to three
// quarters of the machine's memory.
constexpr int64_t kMaxUnpackedArray = int64_t{16} << 30;

// An array whose values can be read: mapped, or unpacked.
struct LoadedArray {
  tensors::NpyArray header;
  absl::string_view values;           // C order, as the header says; not aligned
  std::shared_ptr<const void> owner;  // of the values
};

class ArrayFiles {
 public:
  // InvalidArgument or DataLoss if it is no zip archive, NotFound.
  static absl::StatusOr<ArrayFiles> OfNpz(const std::string& path);

  // Those that lie directly in the folder.
  static absl::StatusOr<ArrayFiles> OfFolder(const std::string& folder);

  // Without `.npy`; of a .npz in its order, of a folder sorted.
  const std::vector<std::string>& names() const { return names_; }

  const std::string& path() const { return path_; }
  bool is_npz() const { return npz_ != nullptr; }

  // For people: "x.npz:train_images", "folder/train_images.npy".
  std::string Place(size_t i) const;

  // DataLoss or InvalidArgument, naming the place, if it is not an array or damaged.
  absl::StatusOr<tensors::NpyArray> Header(size_t i) const;

  // The same with the values. InvalidArgument, saying how to unpack it, if it is too large to be
  // unpacked. Members that were unpacked and are still in use are not unpacked again.
  absl::StatusOr<LoadedArray> Load(size_t i) const;

 private:
  absl::StatusOr<absl::string_view> Packed(size_t i) const;  // of a .npz: the member's bytes

  std::string path_;
  std::vector<std::string> names_;
  std::shared_ptr<base::MappedFile> npz_;   // null: a folder
  std::vector<tensors::ZipEntry> members_;  // without their names
};

}  // namespace data

#endif  // DATA_FORMATS_ARRAY_FILE_H_
