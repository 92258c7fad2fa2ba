// CIFAR-10 and CIFAR-100, in both forms in which their publisher offers them:
//
// - binary (cifar-10-batches-bin/, cifar-100-binary/): records of labels, then 32 x 32 pixels of
//   red, of green and of blue;
// - for Python (cifar-10-batches-py/, cifar-100-python/), which torchvision leaves: pickles of
//   dicts, each with an array of the same pixels and a list of labels. They are read, not run.
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/utf8.h"
#include "data/dataset.h"
#include "data/formats/records.h"
#include "data/listing.h"
#include "data/normalization.h"
#include "tensors/pickle.h"

namespace data {
namespace {

using tensors::pickle::Document;
using tensors::pickle::Value;

constexpr int64_t kPixels = 3 * 32 * 32;

// The names of one form's files.
struct CifarFiles {
  std::vector<std::string> train;
  std::string test, class_names;
};

struct CifarKind {
  std::vector<std::string> folders;
  CifarFiles binary, python;
  std::string labels, class_names;  // keys of the dicts
  int64_t classes;
  int64_t labels_before, label;  // bytes of a record before its pixels, and which of them counts
  std::string normalize;
};

absl::Status Damaged(const FileContents& file, absl::string_view why) {
  return absl::DataLossError(
      absl::StrCat("'", file.path(), "' ", why, "; fetch or write it again"));
}

absl::StatusOr<Document> ReadPickle(const FileContents& file) {
  auto document = Document::Parse(file.get());
  if (!document.ok()) return Damaged(file, document.status().message());
  if (document->root().kind != Value::kDict) return Damaged(file, "is not a pickle of a dict");
  return document;
}

// The labels, a list or an array of numbers from 0.
absl::StatusOr<std::vector<uint8_t>> ReadLabels(const FileContents& file, const Document& document,
                                                const std::string& key, int64_t classes) {
  const Value* value = document.root().Find(key);
  std::vector<int64_t> numbers;
  if (value != nullptr && value->kind == Value::kList) {
    for (const Value* item : value->items) {
      numbers.push_back(item->kind == Value::kInt ? item->integer : -1);
    }
  } else if (value != nullptr && value->kind == Value::kTensor &&
             value->tensor->storage_type == "LongStorage") {
    const absl::string_view bytes = document.arrays().at(value->tensor->key);
    numbers.resize(bytes.size() / sizeof(int64_t));
    std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(int64_t));
  } else {
    return Damaged(file, absl::StrCat("has no list '", key, "' of labels"));
  }
  std::vector<uint8_t> labels;
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] < 0 || numbers[i] >= classes) {
      return Damaged(file, absl::StrCat("has in '", key, "', entry ", i,
                                        ", something else than a label of 0 to ", classes - 1));
    }
    labels.push_back(static_cast<uint8_t>(numbers[i]));
  }
  return labels;
}

// Adds the images of a pickle, and their labels.
absl::Status AddPickle(FileContents file, const CifarKind& kind, RecordImages& images) {
  const auto document = ReadPickle(file);
  if (!document.ok()) return document.status();
  const Value* data = document->root().Find("data");
  const tensors::pickle::TensorInfo* array = data == nullptr ? nullptr : data->tensor;
  const bool has_bytes = array != nullptr && document->arrays().count(array->key) > 0;
  if (!has_bytes || array->storage_type != "ByteStorage" || array->sizes.empty() ||
      array->sizes[0] <= 0 || array->storage_size != array->sizes[0] * kPixels) {
    return Damaged(file, absl::StrCat("has no array 'data' of uint8 with ", kPixels,
                                      " values for each image"));
  }
  auto labels = ReadLabels(file, *document, kind.labels, kind.classes);
  if (!labels.ok()) return labels.status();
  if (static_cast<int64_t>(labels->size()) != array->sizes[0]) {
    return Damaged(
        file, absl::StrCat("has ", labels->size(), " labels for ", array->sizes[0], " images"));
  }
  images.labels.insert(images.labels.end(), labels->begin(), labels->end());
  file.Keep(document->arrays().at(array->key));
  images.files.push_back(std::move(file));
  return absl::OkStatus();
}

absl::Status AddRecords(FileContents file, const CifarKind& kind, RecordImages& images) {
  const auto count = CountRecords(file, images.shape);
  if (!count.ok()) return count.status();
  std::vector<uint8_t> labels;
  for (int64_t i = 0; i < *count; ++i) {
    labels.push_back(file.get()[i * images.shape.size() + kind.label]);
  }
  if (absl::Status s = CheckLabels(file.path(), labels, kind.classes); !s.ok()) return s;
  images.labels.insert(images.labels.end(), labels.begin(), labels.end());
  images.files.push_back(std::move(file));
  return absl::OkStatus();
}

// The names in a pickle; numbers if there is no such file.
absl::StatusOr<std::vector<std::string>> ReadPickledNames(const std::string& path,
                                                          const CifarKind& kind) {
  const auto file = FileContents::Read(path);
  if (absl::IsNotFound(file.status())) return NumberedClasses(kind.classes);
  if (!file.ok()) return file.status();
  const auto document = ReadPickle(*file);
  if (!document.ok()) return document.status();
  const Value* list = document->root().Find(kind.class_names);
  std::vector<std::string> names;
  for (size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
    if (list->items[i]->kind == Value::kText) {
      names.push_back(base::EscapedUtf8(list->items[i]->text));
    }
  }
  if (static_cast<int64_t>(names.size()) == kind.classes) return names;
  return Damaged(*file, absl::StrCat("names ", names.size(), " classes in '", kind.class_names,
                                     "', not ", kind.classes));
}

class Cifar : public Format {
 public:
  explicit Cifar(CifarKind kind) : kind_(std::move(kind)) {}

  bool HoldsSplits() const override { return true; }
  std::vector<std::string> UsualFolders() const override { return kind_.folders; }
  bool MatchesFolder(const DataLocation& folder) const override {
    return Has(folder, kind_.binary) || IsPython(folder);
  }

  absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path, Split split,
                                                const DecodeOptions& decode) const override {
    const auto folder = DataLocation::At(path);
    if (!folder.ok()) return folder.status();
    const bool is_python = IsPython(*folder);
    const CifarFiles& files = is_python ? kind_.python : kind_.binary;
    RecordImages images;
    images.shape = {32, 32, 3, is_python ? 0 : kind_.labels_before};
    images.views = {32, 32, kind_.normalize};
    const std::vector<std::string> test = {files.test};
    for (const std::string& name : split == Split::kValidation ? test : files.train) {
      auto file = FileContents::Read(*folder / name);
      if (!file.ok()) return file.status();
      absl::Status status = (is_python ? AddPickle : AddRecords)(*std::move(file), kind_, images);
      if (!status.ok()) return status;
    }
    const std::string names = *folder / files.class_names;
    auto classes =
        is_python ? ReadPickledNames(names, kind_) : ReadClassNames(names, kind_.classes);
    if (!classes.ok()) return classes.status();
    images.classes = *std::move(classes);
    return MakeRecordDataset(std::move(images), decode);
  }

 private:
  static bool Has(const DataLocation& folder, const CifarFiles& files) {
    return HasFile(folder, files.train[0]) && HasFile(folder, files.test);
  }

  // The names of CIFAR-100's files, train, test and meta, say little: all must be there.
  bool IsPython(const DataLocation& folder) const {
    return !Has(folder, kind_.binary) && Has(folder, kind_.python) &&
           (kind_.python.train.size() > 1 || HasFile(folder, kind_.python.class_names));
  }

  const CifarKind kind_;
};

absl::StatusOr<std::unique_ptr<Format>> MakeCifar10(const registry::NoOptions&) {
  CifarKind kind;
  kind.folders = {"cifar-10-batches-py", "cifar-10-batches-bin"};
  kind.binary = {{}, "test_batch.bin", "batches.meta.txt"};
  kind.python = {{}, "test_batch", "batches.meta"};
  for (int i = 1; i <= 5; ++i) {
    kind.python.train.push_back(absl::StrCat("data_batch_", i));
    kind.binary.train.push_back(absl::StrCat("data_batch_", i, ".bin"));
  }
  kind.labels = "labels";
  kind.class_names = "label_names";
  kind.classes = 10;
  kind.labels_before = 1;
  kind.label = 0;
  kind.normalize = kCifar10Normalize;
  return std::make_unique<Cifar>(std::move(kind));
}

struct Cifar100Options {
  std::string labels = "fine";
  template <class Visitor>
  void Visit(Visitor& v) {
    v("labels", labels, "the 100 fine labels, or the 20 coarse ones",
      registry::OneOf({"fine", "coarse"}));
  }
};

absl::StatusOr<std::unique_ptr<Format>> MakeCifar100(const Cifar100Options& options) {
  const bool fine = options.labels == "fine";
  const std::string names = absl::StrCat(options.labels, "_label_names");
  CifarKind kind;
  kind.folders = {"cifar-100-python", "cifar-100-binary"};
  kind.binary = {{"train.bin"}, "test.bin", names + ".txt"};
  kind.python = {{"train"}, "test", "meta"};
  kind.labels = absl::StrCat(options.labels, "_labels");
  kind.class_names = names;
  kind.classes = fine ? 100 : 20;
  kind.labels_before = 2;
  kind.label = fine ? 1 : 0;
  kind.normalize = kCifar100Normalize;
  return std::make_unique<Cifar>(std::move(kind));
}

REGISTER_PLUGIN(Datasets, "cifar10",
                "CIFAR-10's files, binary or for Python (cifar-10-batches-bin/ or -py/)",
                registry::NoOptions, MakeCifar10);
REGISTER_PLUGIN(Datasets, "cifar100",
                "CIFAR-100's files, binary or for Python (cifar-100-binary/ or cifar-100-python/)",
                Cifar100Options, MakeCifar100);

}  // namespace
}  // namespace data
