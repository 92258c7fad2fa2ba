#include "data/formats/image_files.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/decode.h"

namespace data {
namespace {

class ImageFiles : public Dataset {
 public:
  ImageFiles(std::string folder, Names names, Classes classes, const DecodeOptions& decode)
      : folder_(std::move(folder)),
        names_(std::move(names)),
        classes_(std::move(classes)),
        decode_(decode) {}

  int64_t size() const override { return names_.size(); }
  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    return ReadImage(Name(index), decode_);
  }
  absl::StatusOr<std::string> File(int64_t index) const override {
    return ReadImageFile(Name(index));
  }
  std::string Name(int64_t index) const override {
    const absl::string_view name = names_[index];
    return absl::StartsWith(name, "/") ? std::string(name) : absl::StrCat(folder_, name);
  }
  int Label(int64_t index) const override {
    return classes_.labels.empty() ? -1 : classes_.labels[index];
  }
  const std::vector<std::string>& classes() const override { return classes_.names; }

 private:
  const std::string folder_;
  const Names names_;
  const Classes classes_;
  const DecodeOptions decode_;
};

}  // namespace

std::unique_ptr<Dataset> MakeImageFiles(std::string folder, Names names, Classes classes,
                                        const DecodeOptions& decode) {
  return std::make_unique<ImageFiles>(std::move(folder), std::move(names), std::move(classes),
                                      decode);
}

}  // namespace data
