// What an examination has found, as lines for a person and pictures for the page.
#ifndef TOOLS_DOCTOR_FINDINGS_H_
#define TOOLS_DOCTOR_FINDINGS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tools/doctor/examine.h"

namespace doctor {

enum class Severity { kNote, kWarning, kFailure };  // a failure: a run on this data would fail

struct Finding {
  Severity severity;
  std::string title;                               // "near duplicates"
  std::string text;                                // what, how many and the remedy, on one line
  std::vector<std::vector<ImageRef>> groups = {};  // images that show it, those alike in one group
  std::vector<std::string> names = {};             // of images that cannot be shown, with a reason
};

struct FindingOptions {
  int64_t max_bad_images = 100;  // of the runs
  bool apply_exif = false;       // --exif=apply
  bool has_range = false;        // --range is given
};

// Of the splits, the labels and the images that were looked at. Failures come first, then warnings.
std::vector<Finding> Findings(const Examination& examination, const FindingOptions& options);

// What a part is by its names and labels, and how the images that were looked at are stored: lines
// as the programs print settings.
std::vector<std::string> DescribePart(const Part& part);
std::vector<std::string> DescribeImages(const Look& look);

// How the images are stored, the most frequent first: "jpeg RGB", 4,900.
std::vector<std::pair<std::string, int64_t>> CountKinds(const Look& look);

// The normalize step of the augmentations with these constants; empty if there are none.
std::string NormalizeStep(const std::vector<double>& mean, const std::vector<double>& deviation);

// The largest value that images of 16 bits can have in as many bits as they use, such as 4,095, if
// these leave upper bits unused; otherwise 0. For images that were read without --range.
int64_t TopOf16Bits(const Look& look);

// The shorter sides of the images, ascending.
std::vector<int> ShorterSides(const Look& look);

}  // namespace doctor

#endif  // TOOLS_DOCTOR_FINDINGS_H_
