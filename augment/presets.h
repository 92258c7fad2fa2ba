// The pipelines of the papers and programs, as specs.
#ifndef AUGMENT_PRESETS_H_
#define AUGMENT_PRESETS_H_

#include <cstdint>
#include <string>

namespace augment {

// The normalize step with ImageNet's constants ("imagenet"), which the reference uses for all data,
// or with one constant for any number of channels ("grey"). Aborts for any other name; the
// constants of other data sets are in data/normalization.h.
std::string NormalizeSpec(const std::string& name);

// The two views of MoCo v1 (those of instance discrimination), of MoCo v2 (--aug-plus) and of the
// official CIFAR demo (no blur): size x size pixels, from at least `scale_min` of the image's area.
// Without `colour` the steps on colours are left out.
std::string V1Views(int64_t size, double scale_min, const std::string& normalize,
                    bool colour = true);
std::string V2Views(int64_t size, double scale_min, const std::string& normalize,
                    bool colour = true);
std::string CifarViews(int64_t size, double scale_min, const std::string& normalize);

// The view of evaluation: the shorter side is resized to `resize`, and the middle is cropped. If
// `resize` is 0, it is 8/7 of `size`, or `size` itself up to 32 pixels.
std::string EvaluationViews(int64_t size, const std::string& normalize, int64_t resize = 0);

// The view for training the linear classifier: a random crop and a flip.
std::string LinearViews(int64_t size, const std::string& normalize);

}  // namespace augment

#endif  // AUGMENT_PRESETS_H_
