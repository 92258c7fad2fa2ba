// Files of tensors by other programs and ours, read without running or copying anything:
//   zip          torch.save since PyTorch 1.6: `.pth.tar`, `.pth`, `.pt`
//   legacy       torch.save before that
//   safetensors
//   pickle       of NumPy arrays, as detectron2 takes them: `.pkl`
// What a file holds decides, not its name. Does not know LibTorch, so that a fuzzer builds it in
// seconds.
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
  // All of a storage, in the file: little-endian elements, perhaps not aligned.
  struct Storage {
    const DType* dtype;
    absl::string_view bytes;
  };

  // DataLoss when the file is cut or damaged, InvalidArgument when it is something else, NotFound;
  // messages are one line and name the file, the reason, the place where it makes sense, and the
  // remedy. Bytes of tensors are looked at when they are asked for.
  static absl::StatusOr<TensorFile> Open(const std::string& path);

  // The same for bytes in memory, which must outlive the result; `path` is for messages.
  static absl::StatusOr<TensorFile> Parse(const std::string& path, absl::string_view bytes);

  absl::string_view format() const { return format_; }

  // A dict, list, tuple or tensor.
  const pickle::Value& root() const { return document_->root(); }

  // The storage that a tensor of root() is a view of. Checked: its size, its checksum where the
  // format has one, and that the tensor lies in it and has no more elements. DataLoss otherwise.
  absl::StatusOr<Storage> Read(const pickle::TensorInfo& tensor);

  // DataLoss that names the file.
  absl::Status Damaged(absl::string_view why) const;

  // InvalidArgument "'<path>' <what>", for a whole file that is not what was asked for.
  absl::Status Unsuitable(absl::string_view what) const;

 private:
  explicit TensorFile(std::string path) : path_(std::move(path)) {}

  absl::Status ParseZip(absl::string_view bytes);
  absl::Status ParseLegacy(absl::string_view bytes);
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
  std::string folder_;                            // of the zip's entries
  std::map<std::string, absl::string_view> raw_;  // storages that are in no zip
  std::map<std::string, Known> known_;            // storages that were checked
};

}  // namespace tensors

#endif  // TENSORS_TENSOR_FILE_H_
