#include "tools/doctor/advice.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "augment/presets.h"
#include "base/files.h"
#include "base/format_count.h"
#include "data/arch_channels.h"
#include "tools/doctor/findings.h"

namespace doctor {
namespace {

using base::FormatCount;

constexpr int64_t kSmallViews = 64;    // a stem for photographs leaves few pixels of them
constexpr int64_t kShareOfQueue = 7;   // of the images, at most one in so many is in the queue
constexpr int64_t kSmallQueue = 4096;  // and below: keys must change faster
constexpr int64_t kPartOfBatch = 32;   // images of a GPU in the reference

// ImageNet's constants, which the programs use for data without constants of its own.
constexpr double kMean[] = {0.485, 0.456, 0.406}, kDeviation[] = {0.229, 0.224, 0.225};
constexpr double kOtherMean = 0.08, kOtherDeviation = 0.25;  // a share of the deviation

int64_t PowerOfTwo(int64_t at_most) {
  return static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(std::max<int64_t>(1, at_most))));
}

// Whether normalising with ImageNet's constants leaves these images far from mean 0, deviation 1.
bool OtherConstants(const std::vector<double>& mean, const std::vector<double>& deviation) {
  if (mean.size() != 3) return false;
  for (int c = 0; c < 3; ++c) {
    if (std::abs(mean[c] - kMean[c]) > kOtherMean ||
        std::abs(deviation[c] / kDeviation[c] - 1) > kOtherDeviation) {
      return true;
    }
  }
  return false;
}

bool AllGrey(const Look& look) {
  const auto grey = std::count_if(look.images.begin(), look.images.end(),
                                  [](const SeenImage& image) { return image.grey; });
  return grey == static_cast<int64_t>(look.images.size());
}

// Rows and columns of a view that most of the images have.
int64_t ViewSize(const std::vector<int>& shorter_sides) {
  const int64_t side = shorter_sides[shorter_sides.size() / 4];  // three in four have it
  if (side >= 224) return 224;
  return side < 32 ? side : side / 16 * 16;
}

class Adviser {
 public:
  Adviser(const Part& part, const Wishes& wishes)
      : part_(part),
        look_(part.look),
        wishes_(wishes),
        usual_(part.opened.dataset->views()),
        mean_(look_.mean),
        deviation_(look_.deviation) {}

  Advice Advise() {
    advice_.plan.images = part_.overview.images;
    advice_.plan.epochs = wishes_.epochs;
    ChooseRange();
    ChooseSize();
    ChooseArch();
    ChooseViews();
    Add("--mlp --moco-t=0.2 --cos");  // MoCo v2
    ChooseQueue();
    ChooseBatch();
    if (wishes_.epochs != RunPlan().epochs) Add(absl::StrCat("--epochs=", wishes_.epochs));
    return std::move(advice_);
  }

 private:
  void Add(const std::string& flag, const std::string& why = "") {
    advice_.flags.push_back({flag, why});
  }

  void ChooseRange() {
    const int64_t top = TopOf16Bits(look_);
    if (wishes_.has_range || top == 0) return;
    Add(absl::StrCat("--range=0:", top), "the images of 16 bits have no larger values");
    const bool all = std::all_of(look_.images.begin(), look_.images.end(), [&](const SeenImage& i) {
      return look_.kinds[i.kind].bits == 16;
    });
    if (!all) return;  // those of 8 bits are read as before
    for (std::vector<double>* values : {&mean_, &deviation_}) {
      for (double& value : *values) value *= 65535.0 / top;
    }
  }

  void ChooseSize() {
    RunPlan& plan = advice_.plan;
    const std::vector<int> sides = ShorterSides(look_);
    plan.image_size = usual_.size > 0 ? usual_.size : ViewSize(sides);
    const int64_t usual = usual_.size > 0 ? usual_.size : RunPlan().image_size;
    std::string why = absl::StrCat("the shorter side of three in four images is at least ",
                                   sides[sides.size() / 4], " pixels");
    if (wishes_.image_size > 0) {
      plan.image_size = wishes_.image_size;
      why = "";
    }
    if (plan.image_size != usual) Add(absl::StrCat("--image-size=", plan.image_size), why);
  }

  void ChooseArch() {
    RunPlan& plan = advice_.plan;
    if (!wishes_.arch.empty()) {
      plan.arch = wishes_.arch;
      if (plan.arch != RunPlan().arch) Add("-a " + base::ShellQuoted(plan.arch));
      channels_ = data::ChannelsOfArch(plan.arch);
      return;
    }
    channels_ = AllGrey(look_) ? 1 : static_cast<int>(look_.mean.size());
    std::vector<std::string> options, reasons;
    if (plan.image_size <= kSmallViews) {
      plan.arch = "resnet18";
      options.push_back("stem=cifar");
      reasons.push_back("views this small need the stem for CIFAR");
    }
    if (channels_ != 3) {
      options.push_back(absl::StrCat("channels=", channels_));
      reasons.push_back(channels_ == 1 ? "no image has colours"
                                       : "the channels that were asked for");
    }
    if (options.empty()) return;
    absl::StrAppend(&plan.arch, ":", absl::StrJoin(options, ","));
    Add("-a " + base::ShellQuoted(plan.arch), absl::StrJoin(reasons, ", and "));
  }

  // --aug-plus where the constants of the programs suit, otherwise all steps with those of the
  // data.
  void ChooseViews() {
    const RunPlan& plan = advice_.plan;
    const bool colour = channels_ == 3;
    std::string normalize = usual_.normalize, why;
    if (normalize.empty()) normalize = augment::NormalizeSpec(colour ? "imagenet" : "grey");
    if (!colour && static_cast<int>(mean_.size()) >= channels_) {
      mean_.resize(channels_);  // of grey images that were read in colour, the first channel
      deviation_.resize(channels_);
      normalize = NormalizeStep(mean_, deviation_);
      why = "the images' own mean and deviation";
    } else if (usual_.normalize.empty() && OtherConstants(mean_, deviation_)) {
      normalize = NormalizeStep(mean_, deviation_);
      why = "the images' mean and deviation are far from ImageNet's";
    }
    const bool small = plan.image_size <= kSmallViews;
    // Without steps on colours, the views of MoCo v1 are those of the CIFAR demo.
    const std::string views =
        !small   ? augment::V2Views(plan.image_size, 0.2, normalize, colour)
        : colour ? augment::CifarViews(plan.image_size, 0.2, normalize)
                 : augment::V1Views(plan.image_size, 0.2, normalize, /*colour=*/false);
    if (small) {
      why = absl::StrCat("no blur for views this small", why.empty() ? "" : "; ", why);
    }
    if (why.empty()) {
      Add("--aug-plus");
      return;
    }
    Add("--views=" + base::ShellQuoted(views), why);
    Add("--eval-views=" +
        base::ShellQuoted(augment::EvaluationViews(
            plan.image_size, normalize, plan.image_size == usual_.size ? usual_.resize : 0)));
  }

  void ChooseQueue() {
    RunPlan& plan = advice_.plan;
    const int64_t most = PowerOfTwo(plan.images / kShareOfQueue);
    plan.moco_k = std::clamp<int64_t>(most, 2, RunPlan().moco_k);
    if (wishes_.moco_k > 0) plan.moco_k = wishes_.moco_k;
    if (plan.moco_k != RunPlan().moco_k) {
      Add(absl::StrCat("--moco-k=", plan.moco_k),
          wishes_.moco_k > 0 ? ""
                             : absl::StrCat("of ", FormatCount(plan.images),
                                            " images, so that few keys are of the query's image"));
    }
    if (plan.moco_k > kSmallQueue) return;
    plan.moco_m = 0.99;
    Add("--moco-m=0.99", "a short queue is filled again soon, so keys may change faster");
  }

  void ChooseBatch() {
    RunPlan& plan = advice_.plan;
    plan.batch_size = std::min(RunPlan().batch_size, PowerOfTwo(plan.images));
    plan.batch_size = std::min(plan.batch_size, std::max<int64_t>(2, PowerOfTwo(plan.moco_k)));
    if (wishes_.batch_size > 0) plan.batch_size = wishes_.batch_size;
    if (plan.batch_size != RunPlan().batch_size) {
      Add(absl::StrCat("-b ", plan.batch_size),
          wishes_.batch_size > 0 ? "" : "a batch must fit into the data and the queue");
    }
    // At least four where each has two images, and no more than the reference's eight.
    const int64_t even = plan.batch_size & -plan.batch_size;  // its largest power of two
    plan.bn_splits = std::clamp<int64_t>(plan.batch_size / kPartOfBatch, 4, 8);
    plan.bn_splits = std::min({PowerOfTwo(plan.bn_splits), even, PowerOfTwo(plan.batch_size / 2)});
    if (plan.bn_splits > 1) {
      Add(absl::StrCat("--bn-splits=", plan.bn_splits),
          "keeps batch normalisation from leaking the key in one process");
    }
  }

  const Part& part_;
  const Look& look_;
  const Wishes& wishes_;
  const data::ViewDefaults usual_;
  std::vector<double> mean_, deviation_;
  int channels_ = 3;
  Advice advice_;
};

// Puts the flag in place of one that begins alike, or at the end.
void Set(const std::string& name, const AdvisedFlag& flag, Advice& advice) {
  for (AdvisedFlag& other : advice.flags) {
    if (!absl::StartsWith(other.flag, name)) continue;
    other = flag;
    return;
  }
  advice.flags.push_back(flag);
}

}  // namespace

Advice Advise(const Part& part, const Wishes& wishes) { return Adviser(part, wishes).Advise(); }

bool NeedLessMemory(Advice& advice) {
  constexpr int64_t kLeast = 8;  // images of a micro-batch
  RunPlan& plan = advice.plan;
  if (plan.batch_size % 2 != 0 || plan.batch_size / plan.accumulate < 2 * kLeast ||
      plan.batch_size / plan.accumulate % 2 != 0) {
    return false;
  }
  // Micro-batches have statistics of their own, as parts of a batch have.
  plan.accumulate *= 2;
  plan.bn_splits = std::max<int64_t>(1, plan.bn_splits / 2);
  Set("--accumulate=",
      {absl::StrCat("--accumulate=", plan.accumulate),
       "the batch in parts, for which the memory is enough"},
      advice);
  Set("--bn-splits=",
      {absl::StrCat("--bn-splits=", plan.bn_splits),
       "the micro-batches have statistics of their own"},
      advice);
  return true;
}

void KeepCheckpoints(int64_t keep, Advice& advice) {
  Set("--keep=", {absl::StrCat("--keep=", keep), "the disk has no room for every checkpoint"},
      advice);
}

std::string Words(const Advice& advice, const std::vector<std::string>& data) {
  std::vector<std::string> words = data;
  for (const AdvisedFlag& flag : advice.flags) words.push_back(flag.flag);
  return absl::StrJoin(words, " ");
}

}  // namespace doctor
