#include "tools/doctor/findings.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/format_count.h"
#include "base/progress.h"
#include "data/classes.h"
#include "data/overview.h"

namespace doctor {
namespace {

using base::FormatCount;

constexpr size_t kNamed = 3;          // of what is named on a line
constexpr int64_t kTinyClass = 10;    // images
constexpr int kElongated = 4;         // times as long as wide
constexpr int kFarSmaller = 4;        // the median is so many times as long
constexpr double kManyPixels = 2e6;   // of the median image
constexpr int64_t kLargest = 65535;   // of 16 bits
constexpr double kManyCopies = 0.01;  // of the images

// "1 image", "12 images".
std::string Images(int64_t count) {
  return absl::StrCat(FormatCount(count), count == 1 ? " image" : " images");
}

std::string Named(const std::vector<std::string>& names) {
  const size_t shown = std::min(names.size(), kNamed);
  std::string text =
      absl::StrCat("'", absl::StrJoin(names.begin(), names.begin() + shown, "', '"), "'");
  if (shown < names.size()) {
    absl::StrAppend(&text, " and ", FormatCount(names.size() - shown), " more");
  }
  return text;
}

// What is behind the name that a message begins with.
std::string Reason(const std::string& why, const std::string& name) {
  absl::string_view reason = why;
  if (absl::ConsumePrefix(&reason, absl::StrCat("'", name, "'"))) {
    absl::ConsumePrefix(&reason, ":");
    absl::ConsumePrefix(&reason, " ");
  }
  return std::string(reason);
}

bool IsSample(const Look& look) { return look.looked_at < look.size; }

// "12 of the 1,000 images looked at", "12 of 5,000 images".
std::string Share(int64_t count, const Look& look) {
  return absl::StrCat(FormatCount(count), " of ", IsSample(look) ? "the " : "",
                      FormatCount(look.looked_at), " images", IsSample(look) ? " looked at" : "");
}

// ---- Splits and labels --------------------------------------------------------------------------

void FindBadSplits(const Examination& examination, std::vector<Finding>& findings) {
  if (!examination.pretraining.ok()) {
    findings.push_back({Severity::kFailure, "pretraining",
                        absl::StrCat("pretrain: ", examination.pretraining.message())});
  }
  const Part* const training = examination.PartOf(data::Split::kTraining);
  const Part* const validation = examination.PartOf(data::Split::kValidation);
  const auto labelled = [](const Part* part) {
    return part != nullptr && !part->opened.dataset->classes().empty();
  };
  // Without any label nothing of it is meant for a classifier.
  if (!labelled(training) && !labelled(validation)) return;
  bool refused = false;
  for (const absl::Status* status : {&examination.training, &examination.validation}) {
    if (status->ok() || absl::IsNotFound(*status)) continue;
    refused = true;
    findings.push_back({Severity::kFailure, "labels", absl::StrCat("lincls: ", status->message())});
  }
  if (refused) return;
  if (training == nullptr || validation == nullptr) {
    findings.push_back(
        {Severity::kNote, "splits",
         absl::StrCat("there is no ", training == nullptr ? "training" : "validation",
                      " split, which lincls and --knn-every require")});
    return;
  }
  const absl::Status same =
      data::CheckSameClasses(*training->opened.dataset, *validation->opened.dataset);
  if (same.ok()) return;
  findings.push_back({Severity::kFailure, "classes", absl::StrCat("lincls: ", same.message())});
}

// What opening the splits has left out or decided, each once.
void FindNotes(const Examination& examination, std::vector<Finding>& findings) {
  std::set<std::string> notes;
  for (const Part& part : examination.parts) {
    for (const std::string& note : part.opened.notes) {
      if (notes.insert(note).second) findings.push_back({Severity::kNote, "data", note});
    }
  }
}

void FindSmallClasses(const Part& part, std::vector<Finding>& findings) {
  const auto& classes = part.opened.dataset->classes();
  std::vector<std::string> tiny;
  for (size_t c = 0; c < classes.size(); ++c) {
    const int64_t size = part.overview.class_sizes[c];
    if (size > 0 && size < kTinyClass) tiny.push_back(classes[c]);
  }
  const std::string empty = data::EmptyClassesNote(part.overview, classes);
  if (!empty.empty()) {
    findings.push_back(
        {Severity::kWarning, "empty classes", absl::StrCat(part.Title(), ": ", empty)});
  }
  if (!tiny.empty()) {
    findings.push_back(
        {Severity::kWarning, "tiny classes",
         absl::StrCat(FormatCount(tiny.size()), " of ", FormatCount(classes.size()), " classes of ",
                      part.Title(), " have fewer than ", kTinyClass, " images: ", Named(tiny),
                      "; a classifier learns little of them")});
  }
}

// ---- Images -------------------------------------------------------------------------------------

void FindUnreadable(const Part& part, const FindingOptions& options,
                    std::vector<Finding>& findings) {
  const Look& look = part.look;
  if (look.unreadable.empty()) return;
  std::map<std::string, int64_t> reasons;
  Finding finding{Severity::kWarning, "images that cannot be read", ""};
  for (const UnreadableImage& image : look.unreadable) {
    const std::string name = part.opened.dataset->Name(image.index);
    ++reasons[Reason(image.why, name)];
    finding.names.push_back(absl::StrCat(name, " ", Reason(image.why, name)));
  }
  std::vector<std::pair<int64_t, std::string>> most;
  for (const auto& [reason, count] : reasons) most.emplace_back(-count, reason);
  std::sort(most.begin(), most.end());
  std::vector<std::string> parts;
  for (size_t i = 0; i < std::min(most.size(), kNamed); ++i) {
    parts.push_back(absl::StrCat(FormatCount(-most[i].first), " ", most[i].second));
  }
  if (most.size() > kNamed) {
    parts.push_back(absl::StrCat("and ", most.size() - kNamed, " other reasons"));
  }
  // Of a sample: as many as there are at least, in all likelihood.
  const auto found = static_cast<double>(look.unreadable.size());
  const double likely = (found - 2 * std::sqrt(found)) * look.size / look.looked_at;
  const double least = std::max(found, IsSample(look) ? likely : found);
  const bool none = look.images.empty();
  finding.text = absl::StrCat(Share(look.unreadable.size(), look), " of ", part.Title(),
                              " cannot be read: ", absl::StrJoin(parts, ", "));
  if (none || least > options.max_bad_images) {
    finding.severity = Severity::kFailure;
    absl::StrAppend(&finding.text,
                    none ? ""
                         : absl::StrCat("; a run stops after ", FormatCount(options.max_bad_images),
                                        " (--max-bad-images)"));
  }
  absl::StrAppend(&finding.text, "; repair or remove them");
  findings.push_back(std::move(finding));
}

using Condition = std::function<bool(const SeenImage&)>;

// A finding on those images of a part that meet a condition; `text` follows their number.
void FindImages(const Examination& examination, int part, const Condition& condition,
                Severity severity, const std::string& title, const std::string& text,
                std::vector<Finding>& findings) {
  const Look& look = examination.parts[part].look;
  Finding finding{severity, title, ""};
  for (size_t i = 0; i < look.images.size(); ++i) {
    if (condition(look.images[i])) {
      finding.groups.push_back({{part, static_cast<int64_t>(i)}});
    }
  }
  if (finding.groups.empty()) return;
  finding.text = absl::StrCat(Share(finding.groups.size(), look), " of ",
                              examination.parts[part].Title(), " ", text);
  findings.push_back(std::move(finding));
}

void FindOddImages(const Examination& examination, int p, const FindingOptions& options,
                   std::vector<Finding>& findings) {
  const Look& look = examination.parts[p].look;
  const std::vector<int> sides = ShorterSides(look);
  if (sides.empty()) return;
  const int median = sides[sides.size() / 2];
  const auto find = [&](Severity severity, const std::string& title, const std::string& text,
                        const Condition& condition) {
    FindImages(examination, p, condition, severity, title, text, findings);
  };
  find(Severity::kNote, "turned images",
       options.apply_exif
           ? "are turned upright, as their metadata ask"
           : "have metadata that ask to turn them, which are ignored; --exif=apply turns them "
             "upright",
       [](const SeenImage& image) { return image.orientation != 1; });
  find(Severity::kWarning, "blank images", "show one colour and nothing else; remove them",
       [](const SeenImage& image) { return IsBlank(image.fingerprint); });
  find(Severity::kNote, "far smaller images",
       absl::StrCat("have a shorter side of less than a quarter of the median, ", median,
                    " pixels; views of them are blurred"),
       [&](const SeenImage& image) {
         return std::min(image.rows, image.cols) * kFarSmaller < median;
       });
  find(Severity::kNote, "elongated images",
       absl::StrCat("are more than ", kElongated,
                    " times as long as wide; a centre crop shows little of them"),
       [](const SeenImage& image) {
         return std::max(image.rows, image.cols) > kElongated * std::min(image.rows, image.cols);
       });
  if (const int64_t top = TopOf16Bits(look); !options.has_range && top > 0) {
    find(Severity::kWarning, "dark images",
         absl::StrCat("have 16 bits and no value above ",
                      FormatCount(std::lround(look.largest_of_16_bits * kLargest)),
                      ", so that they are dark; --range=0:", top, " uses their values in full"),
         [&](const SeenImage& image) { return look.kinds[image.kind].bits == 16; });
  }
  std::vector<int64_t> pixels;
  for (const SeenImage& image : look.images) pixels.push_back(int64_t{image.rows} * image.cols);
  std::nth_element(pixels.begin(), pixels.begin() + pixels.size() / 2, pixels.end());
  if (pixels[pixels.size() / 2] > kManyPixels) {
    findings.push_back(
        {Severity::kNote, "large images",
         absl::StrFormat("half of the images of %s have more than %.1f million pixels; smaller "
                         "copies (a shorter side of 512) are read many times as fast",
                         examination.parts[p].Title(), pixels[pixels.size() / 2] / 1e6)});
  }
}

// ---- Duplicates ---------------------------------------------------------------------------------

using Group = std::vector<ImageRef>;

Group RefsOf(const Examination& examination, const std::vector<int64_t>& indices) {
  Group group;
  for (const int64_t i : indices) group.push_back(examination.refs[i]);
  return group;
}

// Copies within a part. `near`: by pictures that differ in their pixels.
void FindCopies(const Examination& examination, bool near, std::vector<Finding>& findings) {
  const auto& groups = near ? examination.duplicates.near : examination.duplicates.exact;
  for (size_t p = 0; p < examination.parts.size(); ++p) {
    const Part& part = examination.parts[p];
    Finding finding{Severity::kNote, near ? "near duplicates" : "exact duplicates", ""};
    int64_t copies = 0;
    for (const std::vector<int64_t>& indices : groups) {
      Group group;
      std::set<std::array<uint64_t, 2>> pixels;
      for (const ImageRef& ref : RefsOf(examination, indices)) {
        if (ref.part != static_cast<int>(p)) continue;
        // Of exact copies a near group shows one.
        const bool is_new = pixels.insert(examination.Seen(ref).fingerprint.pixels).second;
        if (!near || is_new) group.push_back(ref);
      }
      if (group.size() < 2) continue;
      copies += static_cast<int64_t>(group.size()) - 1;
      finding.groups.push_back(std::move(group));
    }
    if (copies == 0) continue;
    if (copies > kManyCopies * part.look.looked_at) finding.severity = Severity::kWarning;
    finding.text = absl::StrCat(
        Share(copies, part.look), " of ", part.Title(), near ? " look like" : " are copies of",
        " other images (", FormatCount(finding.groups.size()), " groups, the largest of ",
        FormatCount(
            std::max_element(finding.groups.begin(), finding.groups.end(),
                             [](const Group& a, const Group& b) { return a.size() < b.size(); })
                ->size()),
        "); the queue then holds the query's own image as a negative key");
    findings.push_back(std::move(finding));
  }
}

// Images of validation that are among the others, too.
void FindLeaks(const Examination& examination, std::vector<Finding>& findings) {
  const auto is_validation = [&](const ImageRef& ref) {
    return examination.parts[ref.part].Holds(data::Split::kValidation);
  };
  std::set<int64_t> exact, near;  // of the validation images
  Finding finding{Severity::kWarning, "training images in validation", ""};
  for (const auto& [groups, leaked] : {std::pair(&examination.duplicates.exact, &exact),
                                       std::pair(&examination.duplicates.near, &near)}) {
    for (const std::vector<int64_t>& indices : *groups) {
      const Group group = RefsOf(examination, indices);
      const auto in_validation = std::count_if(group.begin(), group.end(), is_validation);
      if (in_validation == 0 || in_validation == static_cast<int64_t>(group.size())) continue;
      bool is_new = false;
      for (size_t i = 0; i < group.size(); ++i) {
        if (is_validation(group[i]) && exact.count(indices[i]) == 0) {
          is_new |= leaked->insert(indices[i]).second;
        }
      }
      if (is_new) finding.groups.push_back(group);
    }
  }
  const auto leaked = static_cast<int64_t>(exact.size() + near.size());
  if (leaked == 0) return;
  const Part* const validation = examination.PartOf(data::Split::kValidation);
  finding.text = absl::StrCat(
      Share(leaked, validation->look), " of validation are among the training images (",
      FormatCount(exact.size()), " exactly, ", FormatCount(near.size()),
      " nearly), so that accuracies are too high; remove them from one of the splits");
  findings.push_back(std::move(finding));
}

// Equal images with different labels.
void FindConflicts(const Examination& examination, std::vector<Finding>& findings) {
  Finding finding{Severity::kWarning, "copies with different labels", ""};
  int64_t images = 0;
  std::string example;
  for (const std::vector<int64_t>& indices : examination.duplicates.exact) {
    const Group group = RefsOf(examination, indices);
    std::map<std::string, ImageRef> labels;
    for (const ImageRef& ref : group) {
      const int label = examination.Label(ref);
      if (label < 0) continue;
      labels.emplace(examination.parts[ref.part].opened.dataset->classes()[label], ref);
    }
    if (labels.size() < 2) continue;
    images += static_cast<int64_t>(group.size());
    if (example.empty()) {
      const auto& [a, first] = *labels.begin();
      const auto& [b, second] = *std::next(labels.begin());
      example = absl::StrCat("'", examination.Name(first), "' is of '", a, "', '",
                             examination.Name(second), "' of '", b, "'");
    }
    finding.groups.push_back(group);
  }
  if (images == 0) return;
  finding.text = absl::StrCat(Images(images), " in ", FormatCount(finding.groups.size()),
                              " groups have equal pixels and different labels: ", example,
                              "; correct the labels, or remove the images");
  findings.push_back(std::move(finding));
}

}  // namespace

std::vector<Finding> Findings(const Examination& examination, const FindingOptions& options) {
  std::vector<Finding> findings;
  FindBadSplits(examination, findings);
  FindNotes(examination, findings);
  for (const Part& part : examination.parts) FindUnreadable(part, options, findings);
  FindLeaks(examination, findings);
  FindConflicts(examination, findings);
  FindCopies(examination, /*near=*/false, findings);
  FindCopies(examination, /*near=*/true, findings);
  for (size_t p = 0; p < examination.parts.size(); ++p) {
    FindOddImages(examination, static_cast<int>(p), options, findings);
    FindSmallClasses(examination.parts[p], findings);
  }
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  return findings;
}

std::vector<std::pair<std::string, int64_t>> CountKinds(const Look& look) {
  std::vector<int64_t> counts(look.kinds.size());
  for (const SeenImage& image : look.images) ++counts[image.kind];
  std::vector<std::pair<std::string, int64_t>> kinds;
  for (size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] == 0) continue;
    const Kind& kind = look.kinds[k];
    std::string name = kind.format.empty() ? "pixels without a file" : kind.format;
    if (!kind.mode.empty()) absl::StrAppend(&name, " ", kind.mode);
    if (kind.bits != 8) {
      absl::StrAppend(&name, " of ", kind.bits, kind.bits == 1 ? " bit" : " bits");
    }
    kinds.emplace_back(std::move(name), counts[k]);
  }
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return kinds;
}

std::string NormalizeStep(const std::vector<double>& mean, const std::vector<double>& deviation) {
  if (mean.empty()) return "";
  const auto numbers = [](const std::vector<double>& values) {
    return absl::StrJoin(values, " ", [](std::string* out, double value) {
      absl::StrAppendFormat(out, "%.4f", value);
    });
  };
  return absl::StrCat("normalize:mean=", numbers(mean), ",std=", numbers(deviation));
}

int64_t TopOf16Bits(const Look& look) {
  const auto largest = static_cast<uint64_t>(std::lround(look.largest_of_16_bits * kLargest));
  const auto top = static_cast<int64_t>(std::bit_ceil(largest + 1) - 1);
  return top < kLargest ? top : 0;
}

std::vector<int> ShorterSides(const Look& look) {
  std::vector<int> sides;
  for (const SeenImage& image : look.images) sides.push_back(std::min(image.rows, image.cols));
  std::sort(sides.begin(), sides.end());
  return sides;
}

std::vector<std::string> DescribePart(const Part& part) {
  std::vector<std::string> lines = {absl::StrCat("data     ", FormatCount(part.overview.images),
                                                 " images for ", part.Title(), ", ",
                                                 part.opened.place, " (", part.opened.format, ")")};
  for (const std::string& line :
       data::DescribeOverview(part.overview, part.opened.dataset->classes())) {
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> DescribeImages(const Look& look) {
  if (look.images.empty()) return {};
  std::vector<std::string> lines;
  std::vector<std::string> kinds;
  for (const auto& [kind, count] : CountKinds(look)) {
    kinds.push_back(absl::StrCat(kind, " ", FormatCount(count)));
  }
  lines.push_back("stored   " + absl::StrJoin(kinds, ", "));
  std::map<std::pair<int, int>, int64_t> sizes;
  for (const SeenImage& image : look.images) ++sizes[{image.cols, image.rows}];
  const auto most = std::max_element(
      sizes.begin(), sizes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  const std::string usual = absl::StrCat(most->first.first, " x ", most->first.second);
  const std::vector<int> sides = ShorterSides(look);
  lines.push_back(sizes.size() == 1
                      ? absl::StrCat("sizes    all ", usual, " pixels")
                      : absl::StrCat("sizes    shorter side ", sides.front(), " to ", sides.back(),
                                     " pixels, median ", sides[sides.size() / 2], "; most often ",
                                     usual, " (", FormatCount(most->second), ")"));
  lines.push_back("pixels   " + NormalizeStep(look.mean, look.deviation));
  const double share = static_cast<double>(look.size) / look.images.size();
  lines.push_back(absl::StrCat(
      "packed   about ",
      look.file_bytes > 0 ? absl::StrCat(base::FormatBytes(share * look.file_bytes), " as files, ")
                          : "",
      base::FormatBytes(share * look.pixel_bytes), " --decoded (bazel run //tools:pack)"));
  return lines;
}

}  // namespace doctor
