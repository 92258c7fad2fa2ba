#include "data/pages.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "data/codec.h"
#include "data/decode.h"

namespace data {
namespace {

// The bytes of an image's file. A file of its own is mapped, so that a page costs only what it
// needs; of an archive's entry the bytes are copied.
class FileBytes {
 public:
  static absl::StatusOr<FileBytes> Of(const Dataset& files, int64_t index) {
    FileBytes bytes;
    if (auto mapped = base::MappedFile::Open(files.Name(index)); mapped.ok()) {
      bytes.mapped_.emplace(*std::move(mapped));
      return bytes;
    }
    auto copied = files.File(index);
    if (!copied.ok()) return copied.status();
    bytes.copied_ = *std::move(copied);
    return bytes;
  }
  absl::string_view get() const { return mapped_ ? mapped_->bytes() : copied_; }

 private:
  std::optional<base::MappedFile> mapped_;
  std::string copied_;
};

class Pages : public Dataset {
 public:
  // `begins`: of each file the number of its first page, and the number of all pages.
  Pages(std::unique_ptr<Dataset> files, std::vector<int64_t> begins, const DecodeOptions& decode)
      : files_(std::move(files)), begins_(std::move(begins)), decode_(decode) {}

  int64_t size() const override { return begins_.back(); }

  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    const auto [file, page] = Find(index);
    if (PagesIn(file) == 1) return files_->Image(file);
    const auto bytes = FileBytes::Of(*files_, file);
    if (!bytes.ok()) return bytes.status();
    DecodeOptions decode = decode_;
    decode.page = page;
    return DecodeNamed(Name(index), bytes->get(), decode);
  }

  std::string Name(int64_t index) const override {
    const auto [file, page] = Find(index);
    const std::string name = files_->Name(file);
    return PagesIn(file) == 1 ? name : absl::StrCat(name, ":", page + 1);
  }
  int Label(int64_t index) const override { return files_->Label(Find(index).first); }
  const std::vector<std::string>& classes() const override { return files_->classes(); }
  ViewDefaults views() const override { return files_->views(); }
  absl::Status LabelStatus() const override { return files_->LabelStatus(); }
  std::vector<std::string> notes() const override {
    std::vector<std::string> notes = files_->notes();
    notes.push_back(absl::StrCat(files_->size(), " files hold ", size(), " pages, each an image"));
    return notes;
  }

 private:
  std::pair<int64_t, int64_t> Find(int64_t index) const {
    const int64_t file =
        std::upper_bound(begins_.begin(), begins_.end(), index) - begins_.begin() - 1;
    return {file, index - begins_[file]};
  }
  int64_t PagesIn(int64_t file) const { return begins_[file + 1] - begins_[file]; }

  const std::unique_ptr<Dataset> files_;
  const std::vector<int64_t> begins_;
  const DecodeOptions decode_;
};

int64_t CountPages(absl::string_view bytes) {
  const Codec* codec = FindCodec(bytes);
  if (codec == nullptr) return 1;
  const auto encoded = codec->Open(bytes);
  return encoded.ok() ? (*encoded)->pages() : 1;
}

}  // namespace

std::string FurtherPagesNote(const Dataset& files) {
  constexpr int64_t kMostTried = 16;
  const int64_t count = std::min(kMostTried, files.size());
  int64_t tried = 0, found = 0, pages = 0;
  std::string name;
  for (int64_t k = 0; k < count; ++k) {
    const int64_t i = k * files.size() / count;
    const std::string other = files.Name(i);
    // No other format has pages.
    if (!absl::EndsWithIgnoreCase(other, ".tif") && !absl::EndsWithIgnoreCase(other, ".tiff")) {
      continue;
    }
    const auto bytes = FileBytes::Of(files, i);
    if (!bytes.ok()) continue;
    ++tried;
    const int64_t here = CountPages(bytes->get());
    if (here < 2) continue;
    if (found++ > 0) continue;
    pages = here;
    name = other;
  }
  if (found == 0) return "";
  return absl::StrCat("of files of several pages the first page is read: ", found, " of ", tried,
                      " TIFF files that were tried are such; '", name, "' has ", pages,
                      " pages; --pages=images makes an image of each page, --pages=channels makes ",
                      "them the channels of one image");
}

absl::StatusOr<std::unique_ptr<Dataset>> PagesOf(std::unique_ptr<Dataset> files,
                                                 const DecodeOptions& decode) {
  std::vector<int64_t> begins = {0};
  for (int64_t i = 0; i < files->size(); ++i) {
    const auto bytes = FileBytes::Of(*files, i);
    if (absl::IsUnimplemented(bytes.status())) {
      return absl::InvalidArgumentError(absl::StrCat("--pages=images: the images of '",
                                                     files->Name(i), "' are not files with pages"));
    }
    begins.push_back(begins.back() + (bytes.ok() ? CountPages(bytes->get()) : 1));
  }
  return std::make_unique<Pages>(std::move(files), std::move(begins), decode);
}

}  // namespace data
