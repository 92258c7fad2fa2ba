// STL-10 in its binary format (stl10_binary/): 96 x 96 pixels of red, of green and of blue, column
// after column; labels, 1 to 10, are in files of their own. Pretraining uses the unlabelled images.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/dataset.h"
#include "data/formats/records.h"

namespace data {
namespace {

class Stl10 : public Format {
 public:
  bool HoldsSplits() const override { return true; }
  std::vector<std::string> UsualFolders() const override { return {"stl10_binary"}; }
  bool MatchesFolder(const DataLocation& folder) const override {
    return HasFile(folder, "unlabeled_X.bin") || HasFile(folder, "train_X.bin");
  }

  absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path, Split split,
                                                const DecodeOptions& decode) const override {
    const std::string name = split == Split::kPretraining ? "unlabeled"
                             : split == Split::kTraining  ? "train"
                                                          : "test";
    RecordImages images;
    images.shape = {96, 96, 3};
    images.shape.by_columns = true;
    images.views.size = 96;
    auto file = FileContents::Read(absl::StrCat(path, "/", name, "_X.bin"));
    if (!file.ok()) return file.status();
    auto count = CountRecords(*file, images.shape);
    if (!count.ok()) return count.status();
    images.files.push_back(*std::move(file));
    if (split != Split::kPretraining) {
      auto labels = FileContents::Read(absl::StrCat(path, "/", name, "_y.bin"));
      if (!labels.ok()) return labels.status();
      if (static_cast<int64_t>(labels->get().size()) != *count) {
        return absl::DataLossError(absl::StrCat("'", labels->path(), "' has ", labels->get().size(),
                                                " labels for ", *count,
                                                " images; fetch or write it again"));
      }
      for (const char label : labels->get()) images.labels.push_back(label - 1);
      if (absl::Status s = CheckLabels(labels->path(), images.labels, 10); !s.ok()) return s;
      auto classes = ReadClassNames(absl::StrCat(path, "/class_names.txt"), 10);
      if (!classes.ok()) return classes.status();
      images.classes = *std::move(classes);
    }
    return MakeRecordDataset(std::move(images), decode);
  }
};

absl::StatusOr<std::unique_ptr<Format>> MakeStl10(const registry::NoOptions&) {
  return std::make_unique<Stl10>();
}

REGISTER_PLUGIN(Datasets, "stl10", "STL-10's binary files (stl10_binary/)", registry::NoOptions,
                MakeStl10);

}  // namespace
}  // namespace data
