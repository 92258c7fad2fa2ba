#include "data/formats/records.h"

#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <functional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/utf8.h"
#include "data/decode.h"
#include "data/listing.h"

namespace data {
namespace {

constexpr size_t kMaxUnpacked = size_t{1} << 33;  // a small file could fill the memory
constexpr int64_t kMaxClassNameBytes = 1 << 20;

bool Exists(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0;
}

absl::StatusOr<std::string> Unpack(const std::string& path) {
  const auto opened = base::OpenForReading(path);
  if (!opened.ok()) return opened.status();
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzdopen(*opened, "rb"), gzclose);
  if (!file) {
    close(*opened);
    return absl::ResourceExhaustedError(absl::StrCat("out of memory for '", path, "'"));
  }
  std::string bytes;
  for (;;) {
    const size_t have = bytes.size();
    constexpr unsigned kChunk = 1 << 20;
    if (have + kChunk > kMaxUnpacked) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", path, "' is too large to be unpacked in memory; unpack it"));
    }
    bytes.resize(have + kChunk);
    const int got = gzread(file.get(), bytes.data() + have, kChunk);
    int error;
    const char* why = gzerror(file.get(), &error);
    if (got < 0 || error != Z_OK) {
      return absl::DataLossError(
          absl::StrCat("'", path, "' is cut or damaged (", why, "); fetch or write it again"));
    }
    bytes.resize(have + got);
    if (got == 0) return bytes;
  }
}

class RecordDataset : public Dataset {
 public:
  RecordDataset(RecordImages images, const DecodeOptions& decode)
      : images_(std::move(images)), decode_(decode) {
    for (const FileContents& file : images_.files) {
      begins_.push_back(begins_.back() + CountRecords(file, images_.shape).value());
    }
  }

  int64_t size() const override { return begins_.back(); }

  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    const RecordShape& shape = images_.shape;
    const auto [file, record] = Find(index);
    const auto* in = reinterpret_cast<const uint8_t*>(file->get().data()) + shape.header +
                     record * shape.size() + shape.before;
    cv::Mat image(shape.rows, shape.cols, CV_8UC(shape.planes));
    const int64_t row_step = shape.by_columns ? 1 : shape.cols;
    const int64_t col_step = shape.by_columns ? shape.rows : 1;
    for (int plane = 0; plane < shape.planes; ++plane, in += int64_t{1} * shape.rows * shape.cols) {
      for (int y = 0; y < shape.rows; ++y) {
        uint8_t* out = image.ptr(y) + plane;
        for (int x = 0; x < shape.cols; ++x, out += shape.planes) {
          *out = in[y * row_step + x * col_step];
        }
      }
    }
    return FinishImage(image, decode_);
  }

  std::string Name(int64_t index) const override {
    const auto [file, record] = Find(index);
    return absl::StrCat(file->path(), ":", record);
  }
  int Label(int64_t index) const override {
    return images_.labels.empty() ? -1 : images_.labels[index];
  }
  const std::vector<std::string>& classes() const override { return images_.classes; }
  ViewDefaults views() const override { return images_.views; }

 private:
  // The file and the record in it.
  std::pair<const FileContents*, int64_t> Find(int64_t index) const {
    size_t file = 0;
    while (index >= begins_[file + 1]) ++file;  // there are few
    return {&images_.files[file], index - begins_[file]};
  }

  const RecordImages images_;
  const DecodeOptions decode_;
  std::vector<int64_t> begins_ = {0};  // of each file, and the end
};

}  // namespace

absl::StatusOr<FileContents> FileContents::Read(const std::string& path) {
  FileContents bytes;
  bytes.path_ = path;
  if (!Exists(path) && Exists(path + ".gz")) {
    bytes.path_ += ".gz";
    auto unpacked = Unpack(bytes.path_);
    if (!unpacked.ok()) return unpacked.status();
    bytes.unpacked_ = std::make_unique<std::string>(*std::move(unpacked));
    return bytes;
  }
  auto mapped = base::MappedFile::Open(path);
  if (!mapped.ok()) return mapped.status();
  bytes.mapped_.emplace(*std::move(mapped));
  return bytes;
}

void FileContents::Keep(absl::string_view part) {
  const absl::string_view all = whole();
  const std::less_equal<const char*> before_or_at;
  if (before_or_at(all.data(), part.data()) &&
      before_or_at(part.data() + part.size(), all.data() + all.size())) {
    part_ = part;
    return;
  }
  unpacked_ = std::make_unique<std::string>(part);
  mapped_.reset();
  part_.reset();
}

bool HasFile(const DataLocation& folder, absl::string_view file) {
  const auto is_file = [&](absl::string_view name) {
    struct stat info;
    return folder.is_folder && stat((folder / name).c_str(), &info) == 0 && !S_ISDIR(info.st_mode);
  };
  return is_file(file) || is_file(absl::StrCat(file, ".gz"));
}

absl::StatusOr<int64_t> CountRecords(const FileContents& file, const RecordShape& shape) {
  const int64_t size = static_cast<int64_t>(file.get().size()) - shape.header;
  if (size <= 0 || size % shape.size() != 0) {
    return absl::DataLossError(absl::StrCat(
        "'", file.path(), "' has ", file.get().size(), " bytes, not a multiple of ", shape.size(),
        ", the size of one image: it is cut or another file; fetch or write it again"));
  }
  return size / shape.size();
}

std::unique_ptr<Dataset> MakeRecordDataset(RecordImages images, const DecodeOptions& decode) {
  return std::make_unique<RecordDataset>(std::move(images), decode);
}

absl::Status CheckLabels(const std::string& path, const std::vector<uint8_t>& labels,
                         int64_t classes) {
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < classes) continue;
    return absl::DataLossError(absl::StrCat("'", path, "' has the label ", labels[i], " in record ",
                                            i, ", but labels are 0 to ", classes - 1,
                                            ": it is damaged; fetch or write it again"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> ReadClassNames(const std::string& path, int64_t count) {
  if (!Exists(path)) return NumberedClasses(count);
  auto text = base::ReadFile(path, kMaxClassNameBytes);
  if (!text.ok()) return text.status();
  std::vector<std::string> names;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!line.empty()) names.push_back(base::EscapedUtf8(line));
  }
  if (static_cast<int64_t>(names.size()) == count) return names;
  return absl::DataLossError(absl::StrCat("'", path, "' names ", names.size(), " classes, not ",
                                          count, "; fetch or write it again"));
}

}  // namespace data
