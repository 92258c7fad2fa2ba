// CIFAR-10 and CIFAR-100 in their binary format (cifar-10-batches-bin/, cifar-100-binary/): records
// of labels, then 32 x 32 pixels of red, of green and of blue.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/dataset.h"
#include "data/formats/records.h"
#include "data/normalization.h"

namespace data {
namespace {

struct CifarKind {
  std::vector<std::string> train;
  std::string test;
  std::string class_names;
  int64_t classes;
  RecordShape shape;  // the last byte before the pixels is the label
  std::string normalize;
};

class Cifar : public Format {
 public:
  explicit Cifar(CifarKind kind) : kind_(std::move(kind)) {}

  bool HoldsSplits() const override { return true; }
  bool MatchesFolder(const DataLocation& folder) const override {
    return HasFile(folder, kind_.train[0]) && HasFile(folder, kind_.test);
  }

  absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path, Split split,
                                                const DecodeOptions& decode) const override {
    RecordImages images;
    images.shape = kind_.shape;
    images.views = {32, 32, kind_.normalize};
    const std::vector<std::string> test = {kind_.test};
    for (const std::string& name : split == Split::kValidation ? test : kind_.train) {
      auto file = FileContents::Read(absl::StrCat(path, "/", name));
      if (!file.ok()) return file.status();
      auto count = CountRecords(*file, kind_.shape);
      if (!count.ok()) return count.status();
      std::vector<uint8_t> labels;
      for (int64_t i = 0; i < *count; ++i) {
        labels.push_back(file->get()[i * kind_.shape.size() + kind_.shape.before - 1]);
      }
      if (absl::Status s = CheckLabels(file->path(), labels, kind_.classes); !s.ok()) return s;
      images.labels.insert(images.labels.end(), labels.begin(), labels.end());
      images.files.push_back(*std::move(file));
    }
    auto classes = ReadClassNames(absl::StrCat(path, "/", kind_.class_names), kind_.classes);
    if (!classes.ok()) return classes.status();
    images.classes = *std::move(classes);
    return MakeRecordDataset(std::move(images), decode);
  }

 private:
  const CifarKind kind_;
};

absl::StatusOr<std::unique_ptr<Format>> MakeCifar10(const registry::NoOptions&) {
  CifarKind kind{{}, "test_batch.bin", "batches.meta.txt", 10, {32, 32, 3, 1}, kCifar10Normalize};
  for (int i = 1; i <= 5; ++i) kind.train.push_back(absl::StrCat("data_batch_", i, ".bin"));
  return std::make_unique<Cifar>(std::move(kind));
}

absl::StatusOr<std::unique_ptr<Format>> MakeCifar100(const registry::NoOptions&) {
  return std::make_unique<Cifar>(CifarKind{
      {"train.bin"}, "test.bin", "fine_label_names.txt", 100, {32, 32, 3, 2}, kCifar100Normalize});
}

REGISTER_PLUGIN(Datasets, "cifar10", "CIFAR-10's binary files (cifar-10-batches-bin/)",
                registry::NoOptions, MakeCifar10);
REGISTER_PLUGIN(Datasets, "cifar100",
                "CIFAR-100's binary files (cifar-100-binary/), with its 100 fine labels",
                registry::NoOptions, MakeCifar100);

}  // namespace
}  // namespace data
