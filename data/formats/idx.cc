// IDX, the format of MNIST, Fashion-MNIST, KMNIST and EMNIST: {train,t10k}-images-idx3-ubyte of
// grey images, and {train,t10k}-labels-idx1-ubyte; or several such data sets in one folder, as in
// EMNIST, emnist-letters-{train,test}-images-idx3-ubyte, .... Numbers are big-endian.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/dataset.h"
#include "data/decode.h"
#include "data/formats/records.h"
#include "data/listing.h"

namespace data {
namespace {

// The first number of a file of unsigned bytes, plus the number of dimensions.
constexpr uint32_t kUnsignedBytes = 0x800;

// The sizes in the header, `dimensions` of them. DataLoss if the header is that of another file, or
// the file is not as long as the header says.
absl::StatusOr<std::vector<int64_t>> ReadHeader(const FileContents& file, int dimensions) {
  const absl::string_view bytes = file.get();
  const size_t header = 4 + 4 * dimensions;
  const auto number = [&](int i) {
    uint32_t value = 0;
    for (int b = 0; b < 4; ++b) value = value << 8 | static_cast<uint8_t>(bytes[4 * i + b]);
    return value;
  };
  const auto damaged = [&](absl::string_view why) {
    return absl::DataLossError(
        absl::StrCat("'", file.path(), "' ", why, "; fetch or write it again"));
  };
  if (bytes.size() < header || number(0) != (kUnsignedBytes | dimensions)) {
    return damaged(absl::StrCat("is not an IDX file of bytes in ", dimensions, " dimensions"));
  }
  std::vector<int64_t> sizes;
  double elements = 1;  // whatever the file says, this does not overflow
  for (int i = 0; i < dimensions; ++i) {
    sizes.push_back(number(1 + i));
    elements *= static_cast<double>(sizes.back());
  }
  if (elements < 1 || elements != static_cast<double>(bytes.size() - header)) {
    return damaged(absl::StrCat("has ", bytes.size() - header, " values, but its header says ",
                                absl::StrJoin(sizes, " x "), ": it is cut or damaged"));
  }
  return sizes;
}

struct IdxOptions {
  std::string part;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("part", part, "which of EMNIST's data sets (letters); empty: the only one in the folder");
  }
};

constexpr const char* kEmnistParts[] = {"balanced", "byclass", "bymerge",
                                        "digits",   "letters", "mnist"};

// What the names of the training and of the test images begin with.
struct Beginnings {
  std::string train, test;
};

Beginnings BeginningsOf(absl::string_view part) {
  if (part.empty()) return {"train", "t10k"};
  return {absl::StrCat("emnist-", part, "-train"), absl::StrCat("emnist-", part, "-test")};
}

bool HasImages(const DataLocation& folder, const Beginnings& names) {
  return HasFile(folder, names.train + "-images-idx3-ubyte") ||
         HasFile(folder, names.test + "-images-idx3-ubyte");
}

class Idx : public Format {
 public:
  explicit Idx(IdxOptions options) : options_(std::move(options)) {}

  bool HoldsSplits() const override { return true; }
  std::vector<std::string> UsualFolders() const override {
    return {"raw", "MNIST/raw", "FashionMNIST/raw", "KMNIST/raw", "EMNIST/raw"};
  }
  bool MatchesFolder(const DataLocation& folder) const override {
    return HasImages(folder, BeginningsOf("")) || !PartsIn(folder).empty();
  }

  absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path, Split split,
                                                const DecodeOptions& decode) const override {
    auto names = Choose(path);
    if (!names.ok()) return names.status();
    const std::string name = split == Split::kValidation ? names->test : names->train;
    auto file = FileContents::Read(absl::StrCat(path, "/", name, "-images-idx3-ubyte"));
    if (!file.ok()) return file.status();
    auto sizes = ReadHeader(*file, 3);
    if (!sizes.ok()) return sizes.status();
    const int64_t count = (*sizes)[0], rows = (*sizes)[1], cols = (*sizes)[2];
    if (absl::Status s = CheckPixels(rows, cols, decode); !s.ok()) {
      return absl::Status(s.code(),
                          absl::StrCat("each image of '", file->path(), "' ", s.message()));
    }
    RecordImages images;
    images.shape = {static_cast<int>(rows), static_cast<int>(cols), 1};
    images.shape.header = 16;
    if (rows == cols) images.views.size = images.views.resize = rows;
    images.files.push_back(*std::move(file));

    auto labels = ReadLabels(path, name);
    if (absl::IsNotFound(labels.status()) && split == Split::kPretraining) {
      return MakeRecordDataset(std::move(images), decode);
    }
    if (!labels.ok()) return labels.status();
    if (static_cast<int64_t>(labels->size()) != count) {
      return absl::DataLossError(absl::StrCat("'", path, "/", name, "-labels-idx1-ubyte' has ",
                                              labels->size(), " labels for ", count,
                                              " images; fetch or write it again"));
    }
    images.labels = *std::move(labels);
    // Both splits have the same classes.
    const auto train = ReadLabels(path, names->train), test = ReadLabels(path, names->test);
    int classes = 0;
    for (const auto* split_labels : {&train, &test}) {
      if (!split_labels->ok()) continue;
      for (const uint8_t label : **split_labels) classes = std::max(classes, label + 1);
    }
    images.classes = NumberedClasses(classes);
    return MakeRecordDataset(std::move(images), decode);
  }

 private:
  static std::vector<std::string> PartsIn(const DataLocation& folder) {
    std::vector<std::string> parts;
    for (const char* part : kEmnistParts) {
      if (HasImages(folder, BeginningsOf(part))) parts.push_back(part);
    }
    return parts;
  }

  // InvalidArgument if the folder has several data sets and the user has not chosen one.
  absl::StatusOr<Beginnings> Choose(const std::string& path) const {
    if (!options_.part.empty()) return BeginningsOf(options_.part);
    const auto folder = DataLocation::At(path);
    if (!folder.ok()) return folder.status();
    if (HasImages(*folder, BeginningsOf(""))) return BeginningsOf("");
    const std::vector<std::string> parts = PartsIn(*folder);
    if (parts.size() > 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", path, "' holds several data sets: ", absl::StrJoin(parts, ", "),
                       "; choose one, for example with --dataset=idx:part=", parts.front()));
    }
    return BeginningsOf(parts.empty() ? "" : parts[0]);
  }

  static absl::StatusOr<std::vector<uint8_t>> ReadLabels(const std::string& path,
                                                         const std::string& name) {
    auto file = FileContents::Read(absl::StrCat(path, "/", name, "-labels-idx1-ubyte"));
    if (!file.ok()) return file.status();
    if (auto sizes = ReadHeader(*file, 1); !sizes.ok()) return sizes.status();
    return std::vector<uint8_t>(file->get().begin() + 8, file->get().end());
  }

  const IdxOptions options_;
};

absl::StatusOr<std::unique_ptr<Format>> MakeIdx(const IdxOptions& options) {
  return std::make_unique<Idx>(options);
}

REGISTER_PLUGIN(Datasets, "idx",
                "the files of MNIST, Fashion-MNIST, KMNIST and EMNIST: grey images", IdxOptions,
                MakeIdx);

}  // namespace
}  // namespace data
