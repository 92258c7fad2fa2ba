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
  ImageFiles(std::string folder, Names names, Classes classes, int channels,
             std::vector<std::string> notes)
      : folder_(std::move(folder)),
        names_(std::move(names)),
        classes_(std::move(classes)),
        channels_(channels),
        notes_(std::move(notes)) {}

  int64_t size() const override { return names_.size(); }
  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    return ReadImage(Name(index), channels_);
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
  std::vector<std::string> notes() const override { return notes_; }

 private:
  const std::string folder_;
  const Names names_;
  const Classes classes_;
  const int channels_;
  const std::vector<std::string> notes_;
};

}  // namespace

std::unique_ptr<Dataset> MakeImageFiles(std::string folder, Names names, Classes classes,
                                        int channels, std::vector<std::string> notes) {
  return std::make_unique<ImageFiles>(std::move(folder), std::move(names), std::move(classes),
                                      channels, std::move(notes));
}

}  // namespace data
