// What the views make of the first images, shown before a run. Needs no LibTorch.
#ifndef MOCO_BEFORE_PREVIEW_H_
#define MOCO_BEFORE_PREVIEW_H_

#include <cstdint>
#include <opencv2/core/types.hpp>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "augment/augmentation.h"
#include "base/rng.h"
#include "data/dataset.h"

namespace moco {

struct PreviewOptions {
  const data::Dataset* dataset = nullptr;
  const augment::Pipeline* views = nullptr;
  uint64_t seed = 0;
  std::string data;  // where the images are, as text
};

// An HTML page: the steps of the views and how often each changed a view; the first images with
// what each step made of them, the crop outlined in the original; and further originals beside
// their two views, as they enter the network in the first epoch. Pictures are drawn by
// data::ToRgb8, and show the views before `normalize`. DataLoss if no image can be read.
absl::StatusOr<std::string> PreviewPage(const PreviewOptions& options);

// The same as a PNG file: two rows for each image, its query and its key, with the original and
// what each step made of it. A step that changed nothing is pale.
absl::StatusOr<std::string> PreviewSheet(const PreviewOptions& options);

// The part of an original of `size` that the first step of `views` shows, in pixels, for the view
// of `stream`. Nullopt if that step does not make views of fixed size, or if the original is very
// large.
std::optional<cv::Rect2d> ShownPart(const augment::Pipeline& views, const cv::Size& size,
                                    base::Rng stream);

}  // namespace moco

#endif  // MOCO_BEFORE_PREVIEW_H_
