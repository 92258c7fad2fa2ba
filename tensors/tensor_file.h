// Files of tensors from this and other programs, read without running code and without copies:
//   zip          torch.save since PyTorch 1.6: `.pth.tar`, `.pth`, `.pt`
//   legacy       torch.save before that
//   safetensors
//   pickle       of NumPy arrays, as detectron2 uses them: `.pkl`
// The content of a file determines its format, not its name. Does not use LibTorch, so that a
// fuzzer can be built in seconds.
#ifndef TENSORS_TENSOR_FILE_H_
#define TENSORS_TENSOR_FILE_H_

#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/files.h"
#include "tensors/dtype.h"
#include "tensors/pickle.h"
#include "tensors/stored_zip.h"

namespace tensors {

class TensorFile {
 public:
  // A whole storage in the file: little-endian elements, possibly unaligned.
  struct Storage {
    const DType* dtype;
    absl::string_view bytes;
  };

  // DataLoss if the file is truncated or damaged, InvalidArgument if it is something else (what it
  // is and how to convert it is said of TorchScript, programs of torch.export, and parts and
  // folders of distributed checkpoints; of other folders, which file in them to give), NotFound.
  // Messages are one line with the file, the reason, the position if it helps, and the remedy. The
  // bytes of a tensor are not accessed before it is read.
  static absl::StatusOr<TensorFile> Open(const std::string& path);

  // The same for bytes in memory, which must outlive the result; `path` is for messages.
  static absl::StatusOr<TensorFile> Parse(const std::string& path, absl::string_view bytes);

  absl::string_view format() const { return format_; }

  // A dict, list, tuple or tensor.
  const pickle::Value& root() const { return document_->root(); }

  // Returns the storage of which a tensor in root() is a view. DataLoss if its size or checksum (if
  // the format has one) is wrong, or if the tensor extends past the storage or has more elements;
  // InvalidArgument if it has a dtype that is not read (kDTypes).
  absl::StatusOr<Storage> Read(const pickle::TensorInfo& tensor);

  // Returns DataLoss that names the file.
  absl::Status Damaged(absl::string_view why) const;

  // Returns InvalidArgument "'<path>' <what>", for an undamaged file that has other contents than
  // required.
  absl::Status Unsuitable(absl::string_view what) const;

 private:
  explicit TensorFile(std::string path) : path_(std::move(path)) {}

  absl::Status ParseZip(absl::string_view bytes);
  absl::Status ParseLegacy(absl::string_view bytes, size_t begin);
  absl::Status ParsePickle(absl::string_view bytes);
  absl::Status ParseSafetensors(absl::string_view bytes);
  absl::StatusOr<Storage> FindStorage(const pickle::TensorInfo& tensor);

  struct Known {
    std::string type;
    Storage storage;
  };

  std::string path_;
  absl::string_view format_;
  std::optional<base::MappedFile> file_;
  std::optional<pickle::Document> document_;
  std::optional<StoredZip> zip_;
  std::string folder_;                            // folder of the zip's entries
  std::map<std::string, absl::string_view> raw_;  // storages outside a zip
  std::map<std::string, Known> known_;            // storages that have been checked
};

// Returns the file of tensors in `folder` that could be meant, by its extension and relative to the
// folder: one in the folder itself before those in its folders, and of these the last by name,
// which is the newest of numbered ones. Empty if there is none, or no folder.
std::string FileInFolder(const std::string& folder);

}  // namespace tensors

#endif  // TENSORS_TENSOR_FILE_H_
