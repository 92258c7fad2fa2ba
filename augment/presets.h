// The pipelines of the papers and programs, as specs.
#ifndef AUGMENT_PRESETS_H_
#define AUGMENT_PRESETS_H_

#include <cstdint>
#include <string>

namespace augment {

// The normalize step with a data set's constants: "imagenet", "cifar10" or "unlabeled96", or with
// one constant for images of any number of channels, "grey"; anything else is ImageNet's, which the
// reference uses for all data.
std::string NormalizeSpec(const std::string& data_set);

// Two views of MoCo v1 (instance discrimination's) and of MoCo v2 (`aug_plus`), size x size pixels
// of at least `scale_min` of the area, and of the official CIFAR demo (no blur). Without `colour`
// the steps on colours are left out.
std::string V1Views(int64_t size, double scale_min, const std::string& normalize,
                    bool colour = true);
std::string V2Views(int64_t size, double scale_min, const std::string& normalize,
                    bool colour = true);
std::string CifarViews(int64_t size, double scale_min, const std::string& normalize);

// Evaluation: the shorter side resized to `resize`, the middle; without it to 8/7 of `size`, and
// images of at most 32 pixels stay as they are.
std::string EvaluationViews(int64_t size, const std::string& normalize, int64_t resize = 0);

// The linear classifier's training: a random crop and a flip.
std::string LinearViews(int64_t size, const std::string& normalize);

}  // namespace augment

#endif  // AUGMENT_PRESETS_H_
