// Packed data sets. Numbers are little-endian. The file holds, in this order:
//
//   images    files or pixels (rows x cols x channels, values as they are stored in the file that
//             they come from), one after the other
//   index     one Head
//             texts: the normalize step, then the classes; each a 32-bit length and its bytes
//             one Record for each image
//             names
//   footer    one Footer
//
// The footer has a checksum of itself (without the checksum) and one of the index. The index has a
// checksum of each image, which is compared when the image is read.
#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/utf8.h"
#include "data/binary.h"
#include "data/dataset.h"
#include "data/decode.h"
#include "data/formats/pack.h"
#include "data/listing.h"

namespace data {
namespace {

constexpr char kMagic[8] = {'m', 'o', 'c', 'o', 'p', 'a', 'c', '1'};

struct Footer {
  uint64_t index_begin, index_size;
  uint32_t index_crc, crc;
  char magic[8];
};
static_assert(sizeof(Footer) == 32);

struct Head {
  uint64_t images, names_size;
  uint32_t split, view_size, view_resize, classes;
};
static_assert(sizeof(Head) == 32);

struct Record {
  uint64_t begin, name_begin;
  uint32_t size, crc, name_size;
  int32_t label;
  uint32_t rows, cols, channels;  // of pixels; 0 for a file
  uint32_t depth;                 // of pixels: OpenCV's number (BytesOf)
};
static_assert(sizeof(Record) == 48);

// The bytes of a value of the types that images have, whose numbers in OpenCV are part of the file
// format; 0 for other numbers.
static_assert(CV_8U == 0 && CV_16U == 2 && CV_32F == 5);
int64_t BytesOf(uint32_t depth) {
  return depth == CV_8U ? 1 : depth == CV_16U ? 2 : depth == CV_32F ? 4 : 0;
}

// The checksum of the footer's numbers before the checksum.
uint32_t CrcOf(const Footer& footer) {
  return Crc({reinterpret_cast<const char*>(&footer), offsetof(Footer, crc)});
}

void AppendText(const std::string& text, std::string& bytes) {
  Append(static_cast<uint32_t>(text.size()), bytes);
  bytes += text;
}

bool TakeText(absl::string_view& bytes, std::string* text) {
  uint32_t size;
  if (!Take(bytes, &size) || size > bytes.size()) return false;
  *text = std::string(bytes.substr(0, size));
  bytes.remove_prefix(size);
  return true;
}

class Packed : public Dataset {
 public:
  Packed(std::string path, base::MappedFile file, const DecodeOptions& decode)
      : path_(std::move(path)), file_(std::move(file)), decode_(decode) {}

  // What is wrong with the file; empty if nothing is.
  std::string Parse() {
    const absl::string_view bytes = file_.bytes();
    Footer footer;
    if (bytes.size() < sizeof(footer)) return "it is not a packed data set, or it is cut";
    std::memcpy(&footer, bytes.data() + bytes.size() - sizeof(footer), sizeof(footer));
    if (std::memcmp(footer.magic, kMagic, sizeof(kMagic)) != 0) {
      return "it is not a packed data set, or it is cut";
    }
    if (footer.crc != CrcOf(footer)) return "the footer's checksum is wrong";
    const uint64_t end = bytes.size() - sizeof(footer);
    if (footer.index_begin > end || footer.index_size != end - footer.index_begin) {
      return "the index is not where the footer says";
    }
    images_ = bytes.substr(0, footer.index_begin);
    absl::string_view index = bytes.substr(footer.index_begin, footer.index_size);
    if (footer.index_crc != Crc(index)) return "the index's checksum is wrong";
    // The checksums are right, so that what follows can be wrong only in a forged file.
    if (!Take(index, &head_) || !TakeText(index, &normalize_)) return "the index is cut";
    for (uint32_t i = 0; i < head_.classes; ++i) {
      classes_.emplace_back();
      if (!TakeText(index, &classes_.back())) return "the index is cut";
      // Files of earlier versions hold the bytes of folders' names.
      classes_.back() = base::EscapedUtf8(classes_.back());
    }
    if (head_.images == 0 || head_.images > index.size() / sizeof(Record) ||
        index.size() - head_.images * sizeof(Record) != head_.names_size) {
      return "the index does not have the size that it states";
    }
    records_ = index.substr(0, head_.images * sizeof(Record));
    names_ = index.substr(records_.size());
    for (int64_t i = 0; i < size(); ++i) {
      if (!IsWhole(At(i))) return absl::StrCat("entry ", i, " of the index is wrong");
    }
    return "";
  }

  absl::Status CheckSplit(Split wanted) const {
    const auto held = static_cast<Split>(head_.split);
    if (held == wanted || held == Split::kPretraining || wanted == Split::kPretraining) {
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(absl::StrCat("'", path_, "' was packed from ", ToString(held),
                                                   " images, not from ", ToString(wanted),
                                                   " images; give another file"));
  }

  int64_t size() const override { return head_.images; }

  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    const Record record = At(index);
    auto bytes = CheckedBytes(index);
    if (!bytes.ok()) return bytes.status();
    if (record.rows == 0) return DecodeNamed(Name(index), *bytes, decode_);
    if (absl::Status s = CheckPixels(record.rows, record.cols, decode_); !s.ok()) {
      return absl::DataLossError(absl::StrCat("'", Name(index), "' ", s.message()));
    }
    // A copy, since values in the file are not aligned, and since the image outlives the file.
    cv::Mat image(record.rows, record.cols, CV_MAKETYPE(record.depth, record.channels));
    std::memcpy(image.data, bytes->data(), bytes->size());
    auto finished = FinishImage(image, decode_);
    if (finished.ok()) return finished;
    return absl::DataLossError(absl::StrCat("'", Name(index), "' ", finished.status().message()));
  }

  absl::StatusOr<std::string> File(int64_t index) const override {
    if (At(index).rows > 0) return Dataset::File(index);
    const auto bytes = CheckedBytes(index);
    if (!bytes.ok()) return bytes.status();
    return std::string(*bytes);
  }

  std::string Name(int64_t index) const override {
    const Record record = At(index);
    return absl::StrCat(path_, ":", names_.substr(record.name_begin, record.name_size));
  }
  int Label(int64_t index) const override { return At(index).label; }
  const std::vector<std::string>& classes() const override { return classes_; }
  ViewDefaults views() const override { return {head_.view_size, head_.view_resize, normalize_}; }

 private:
  Record At(int64_t index) const {
    Record record;
    std::memcpy(&record, records_.data() + index * sizeof(record), sizeof(record));
    return record;
  }

  bool IsWhole(const Record& r) const {
    const bool pixels = r.rows > 0;
    return r.begin <= images_.size() && r.size <= images_.size() - r.begin &&
           r.name_begin <= names_.size() && r.name_size <= names_.size() - r.name_begin &&
           r.label >= -1 && r.label < static_cast<int64_t>(classes_.size()) &&
           (!pixels ||
            (r.cols > 0 && r.channels >= 1 && r.channels <= kMaxChannels && r.rows <= r.size &&
             r.cols <= r.size && int64_t{r.rows} * r.cols <= r.size &&
             int64_t{r.rows} * r.cols * r.channels * BytesOf(r.depth) == r.size));
  }

  absl::StatusOr<absl::string_view> CheckedBytes(int64_t index) const {
    const Record record = At(index);
    const absl::string_view bytes = images_.substr(record.begin, record.size);
    if (Crc(bytes) == record.crc) return bytes;
    return absl::DataLossError(
        absl::StrCat("'", Name(index), "' is damaged: its checksum is wrong"));
  }

  const std::string path_;
  const base::MappedFile file_;
  const DecodeOptions decode_;
  Head head_ = {};
  std::string normalize_;
  std::vector<std::string> classes_;
  absl::string_view images_, records_, names_;  // of the file
};

class PackedFormat : public Format {
 public:
  std::vector<std::string> FileEndings() const override { return {".pack"}; }

  absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path, Split split,
                                                const DecodeOptions& decode) const override {
    auto file = base::MappedFile::Open(path);
    if (!file.ok()) return file.status();
    auto dataset = std::make_unique<Packed>(path, *std::move(file), decode);
    if (const std::string wrong = dataset->Parse(); !wrong.empty()) {
      return absl::DataLossError(
          absl::StrCat("'", path, "' is damaged: ", wrong, "; pack or fetch it again"));
    }
    if (absl::Status s = dataset->CheckSplit(split); !s.ok()) return s;
    return dataset;
  }
};

absl::StatusOr<std::unique_ptr<Format>> MakePacked(const registry::NoOptions&) {
  return std::make_unique<PackedFormat>();
}

REGISTER_PLUGIN(Datasets, "packed", "one file with checksums, written by //tools:pack",
                registry::NoOptions, MakePacked);

// The bytes of one image, and the record that describes them.
absl::StatusOr<std::string> ImageBytes(const Dataset& dataset, int64_t index, bool decoded,
                                       Record& record) {
  auto file = decoded ? absl::UnimplementedError("") : dataset.File(index);
  if (!absl::IsUnimplemented(file.status())) return file;
  auto image = dataset.Image(index);
  if (!image.ok()) return image.status();
  record.rows = image->rows;
  record.cols = image->cols;
  record.channels = image->channels();
  record.depth = image->depth();
  const cv::Mat whole = image->isContinuous() ? *image : image->clone();
  return std::string(whole.ptr<char>(), whole.total() * whole.elemSize());
}

}  // namespace

absl::Status WritePack(const Dataset& dataset, Split split, bool decoded, const std::string& path,
                       const std::function<void(int64_t)>& progress) {
  const ViewDefaults views = dataset.views();
  return base::WriteFileAtomically(path, [&](const base::Sink& sink) {
    std::string records, names;
    uint64_t written = 0;
    for (int64_t i = 0; i < dataset.size(); ++i) {
      Record record = {};
      auto bytes = ImageBytes(dataset, i, decoded, record);
      if (!bytes.ok()) return bytes.status();
      if (bytes->size() > std::numeric_limits<uint32_t>::max()) {
        return absl::InvalidArgumentError(absl::StrCat("'", dataset.Name(i), "' is too large"));
      }
      const std::string name = dataset.Name(i);
      record.begin = written;
      record.name_begin = names.size();
      record.size = static_cast<uint32_t>(bytes->size());
      record.crc = Crc(*bytes);
      record.name_size = static_cast<uint32_t>(name.size());
      record.label = dataset.Label(i);
      Append(record, records);
      names += name;
      written += bytes->size();
      if (absl::Status s = sink(bytes->data(), bytes->size()); !s.ok()) return s;
      progress(i + 1);
    }
    std::string index;
    Append(Head{static_cast<uint64_t>(dataset.size()), names.size(), static_cast<uint32_t>(split),
                static_cast<uint32_t>(views.size), static_cast<uint32_t>(views.resize),
                static_cast<uint32_t>(dataset.classes().size())},
           index);
    AppendText(views.normalize, index);
    for (const std::string& name : dataset.classes()) AppendText(name, index);
    index += records;
    index += names;
    Footer footer = {written, index.size(), Crc(index), 0, {}};
    footer.crc = CrcOf(footer);
    std::memcpy(footer.magic, kMagic, sizeof(kMagic));
    Append(footer, index);
    return sink(index.data(), index.size());
  });
}

}  // namespace data
