#include "tools/doctor/examine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"

namespace doctor {
namespace {

// Whether two openings gave the same images: pretraining and training usually do.
bool SameImages(const data::Opened& a, const data::Opened& b) {
  const int64_t size = a.dataset->size();
  if (a.place != b.place || a.format != b.format || size != b.dataset->size()) return false;
  for (const int64_t i : {int64_t{0}, size / 2, size - 1}) {
    if (a.dataset->Name(i) != b.dataset->Name(i)) return false;
  }
  return true;
}

// Adds what was opened to the part that holds it already, or as another part.
void AddPart(data::Split split, data::Opened opened, std::vector<Part>& parts) {
  for (Part& part : parts) {
    if (SameImages(part.opened, opened)) {
      part.splits.push_back(split);
      return;
    }
  }
  Part part{{split}, std::move(opened), {}, {}};
  part.overview = data::Summarize(*part.opened.dataset);
  parts.push_back(std::move(part));
}

}  // namespace

bool Part::Holds(data::Split split) const {
  return std::find(splits.begin(), splits.end(), split) != splits.end();
}

std::string Part::Title() const {
  return absl::StrJoin(splits, " and ", [](std::string* out, data::Split split) {
    out->append(data::ToString(split));
  });
}

const Part* Examination::PartOf(data::Split split) const {
  for (const Part& part : parts) {
    if (part.Holds(split)) return &part;
  }
  return nullptr;
}

std::string Examination::Name(const ImageRef& ref) const {
  return parts[ref.part].opened.dataset->Name(Seen(ref).index);
}

int Examination::Label(const ImageRef& ref) const {
  return parts[ref.part].opened.dataset->Label(Seen(ref).index);
}

Examination OpenParts(const OpenSplit& open) {
  Examination examination;
  auto pretraining = open(data::Split::kPretraining, /*labelled=*/false);
  examination.pretraining = pretraining.status();
  if (pretraining.ok()) {
    AddPart(data::Split::kPretraining, *std::move(pretraining), examination.parts);
  }
  for (const auto& [split, status] :
       {std::pair(data::Split::kTraining, &examination.training),
        std::pair(data::Split::kValidation, &examination.validation)}) {
    auto opened = open(split, /*labelled=*/true);
    *status = opened.status();
    // Without usable labels the images can still be looked at.
    if (!opened.ok() && !absl::IsNotFound(opened.status())) opened = open(split, false);
    if (opened.ok()) AddPart(split, *std::move(opened), examination.parts);
  }
  return examination;
}

absl::Status LookAtParts(const ExamineOptions& options, Examination& examination) {
  std::vector<Fingerprint> fingerprints;
  for (size_t p = 0; p < examination.parts.size(); ++p) {
    Part& part = examination.parts[p];
    auto look = LookAt(*part.opened.dataset, {options.sample, options.threads, part.opened.place});
    if (!look.ok()) return look.status();
    part.look = *std::move(look);
    for (size_t i = 0; i < part.look.images.size(); ++i) {
      examination.refs.push_back({static_cast<int>(p), static_cast<int64_t>(i)});
      fingerprints.push_back(part.look.images[i].fingerprint);
    }
  }
  examination.duplicates = FindDuplicates(fingerprints, options.threads);
  return absl::OkStatus();
}

}  // namespace doctor
