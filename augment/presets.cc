#include "augment/presets.h"

#include <glog/logging.h>

#include "absl/strings/str_cat.h"
#include "registry/options.h"

namespace augment {
namespace {

std::string Crop(int64_t size, double scale_min) {
  return absl::StrCat("random_resized_crop:size=", size,
                      ",scale_min=", registry::WriteValue(scale_min));
}

}  // namespace

std::string NormalizeSpec(const std::string& name) {
  if (name == "grey") return "normalize:mean=0.5,std=0.5";
  CHECK_EQ(name, "imagenet") << "no constants of this name";
  return "normalize";  // whose defaults are ImageNet's
}

std::string V1Views(int64_t size, double scale_min, const std::string& normalize, bool colour) {
  const char* colours =
      "|grayscale:p=0.2|color_jitter:brightness=0.4,contrast=0.4,saturation=0.4,hue=0.4";
  return absl::StrCat(Crop(size, scale_min), colour ? colours : "", "|flip|to_tensor|", normalize);
}

std::string V2Views(int64_t size, double scale_min, const std::string& normalize, bool colour) {
  const char* colours =
      "|color_jitter:p=0.8,brightness=0.4,contrast=0.4,saturation=0.4,hue=0.1|grayscale:p=0.2";
  return absl::StrCat(Crop(size, scale_min), colour ? colours : "",
                      "|gaussian_blur:p=0.5,radius_min=0.1,radius_max=2|flip|to_tensor|",
                      normalize);
}

std::string CifarViews(int64_t size, double scale_min, const std::string& normalize) {
  return absl::StrCat(Crop(size, scale_min),
                      "|flip|color_jitter:p=0.8,brightness=0.4,contrast=0.4,saturation=0.4,hue=0.1"
                      "|grayscale:p=0.2|to_tensor|",
                      normalize);
}

std::string EvaluationViews(int64_t size, const std::string& normalize, int64_t resize) {
  const int64_t shorter = resize > 0 ? resize : size <= 32 ? size : size * 8 / 7;
  return absl::StrCat("resize:size=", shorter, "|center_crop:size=", size, "|to_tensor|",
                      normalize);
}

std::string LinearViews(int64_t size, const std::string& normalize) {
  return absl::StrCat("random_resized_crop:size=", size, "|flip|to_tensor|", normalize);
}

}  // namespace augment
