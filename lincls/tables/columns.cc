#include "lincls/tables/columns.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "augment/augmentation.h"
#include "data/loader.h"
#include "lincls/encoders/frozen_backbone.h"
#include "lincls/encoders/frozen_head.h"
#include "moco/backbones/backbone.h"
#include "moco/checkpoints/state_dict.h"
#include "moco/losses/loss.h"
#include "moco/measures/feature_rows.h"
#include "moco/measures/label_free.h"
#include "moco/training/images.h"

namespace lincls {
namespace {

std::vector<float> ToVector(const at::Tensor& values) {
  const at::Tensor contiguous = values.to(at::kCPU, at::kFloat).contiguous();
  const float* begin = contiguous.const_data_ptr<float>();
  return {begin, begin + contiguous.numel()};
}

// Returns `given`, or the checkpoint's `setting` if it is empty.
absl::StatusOr<std::string> GivenOrHeld(const std::string& given,
                                        const moco::Checkpoint& checkpoint, const char* setting,
                                        absl::string_view what, absl::string_view remedy) {
  if (!given.empty()) return given;
  if (auto held = checkpoint.facts.Setting(setting); !held.empty()) return held;
  return absl::NotFoundError(
      absl::StrCat("does not contain ", what, " of its pretraining; give ", remedy));
}

class ImageColumnsImpl : public ImageColumns {
 public:
  ImageColumnsImpl(const ImageColumnsOptions& options, const FrozenBackbone& backbone,
                   const FrozenHead* head, const data::Dataset& dataset)
      : options_(options), backbone_(backbone), head_(head), dataset_(dataset) {}

  absl::Status Prepare(const moco::Checkpoint& checkpoint) {
    if (Has(kMocoLossColumn)) {
      absl::Status s = PrepareLoss(checkpoint);
      if (!s.ok())
        return absl::Status(s.code(), absl::StrCat(s.message(), "; it is required for the ",
                                                   "column ", kMocoLossColumn));
    }
    auto views =
        GivenOrHeld(options_.views, checkpoint, moco::kViewsSetting, "the views",
                    "--views, such as random_resized_crop:size=96|flip|to_tensor|normalize");
    if (!views.ok()) return views.status();
    auto pipeline = augment::Pipeline::Create(*views, *moco::ImageChannels(backbone_.spec()));
    if (!pipeline.ok()) return pipeline.status();
    views_ = std::make_unique<augment::Pipeline>(*std::move(pipeline));
    return moco::MakeView(*views_).status();
  }

  absl::Status Start(int64_t step) override {
    auto view = moco::LoaderOf(*views_, ComparesViews() ? options_.augmented_views : 2);
    if (!view.ok()) return view.status();
    data::LoaderOptions& loader = *view;
    loader.batch_size = options_.batch_size;
    loader.shuffle = false;
    loader.drop_last = false;
    loader.seed = options_.seed;
    loader.threads = options_.loader_threads;
    loader.batches_ahead = 1;  // because each batch has many views
    loader.first_step = step;
    loader.last_step = (dataset_.size() + loader.batch_size - 1) / loader.batch_size;
    // The loader of the features counts damaged images.
    loader.max_bad_images = std::numeric_limits<int64_t>::max();
    auto made = data::Loader::Create(dataset_, loader);
    if (!made.ok()) return made.status();
    loader_ = *std::move(made);
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::vector<float>>> Next() override {
    at::NoGradGuard no_grad;
    const auto batch = loader_->Next();
    if (!batch.ok()) return batch.status();
    std::vector<at::Tensor> z;  // for each view: n x C, unit rows
    for (size_t v = 0; v < (*batch)->views.size(); ++v) {
      if (v > 0 && !ComparesViews()) break;  // the key encoder alone uses the view of the key
      z.push_back(moco::UnitRows(Encode(backbone_, head_, Images(**batch, v))));
    }
    std::vector<std::vector<float>> columns;
    for (const std::string& column : options_.columns) {
      columns.push_back(column == kMocoLossColumn    ? Loss(z[0], Images(**batch, 1))
                        : column == kAlignmentColumn ? ToVector(moco::Alignments(at::stack(z, 1)))
                                                     : ToVector(Disagreement(z)));
    }
    return columns;
  }

  const std::string& views() const override { return views_->spec(); }
  const std::string& loss() const override { return loss_spec_; }

 private:
  bool Has(const char* column) const {
    return std::count(options_.columns.begin(), options_.columns.end(), column) > 0;
  }
  bool ComparesViews() const { return Has(kDisagreementColumn) || Has(kAlignmentColumn); }

  absl::Status PrepareLoss(const moco::Checkpoint& checkpoint) {
    if (head_ == nullptr) return absl::NotFoundError("contains no head");
    auto key_backbone = FrozenBackbone::Create(checkpoint, {options_.arch, moco::kKeyEncoder});
    if (!key_backbone.ok()) return key_backbone.status();
    key_backbone_ = *std::move(key_backbone);
    key_backbone_->To(backbone_.device(), backbone_.bf16());
    auto key_head = FrozenHead::Create(checkpoint, moco::kKeyEncoder, key_backbone_->feature_dim());
    if (!key_head.ok()) return key_head.status();
    key_head_ = *std::move(key_head);
    key_head_->To(backbone_.device());
    for (const auto& [name, tensor] : checkpoint.state) {
      if (name == moco::kQueue) queue_ = tensor.to(backbone_.device(), at::kFloat);
    }
    if (!queue_.defined()) {
      return absl::NotFoundError(absl::StrCat("contains no queue, '", moco::kQueue, "'"));
    }
    if (queue_.dim() != 2 || queue_.size(0) != key_head_->dim()) {
      return absl::InvalidArgumentError(
          absl::StrCat("holds a queue whose shape is not ", key_head_->dim(), " x K"));
    }
    auto spec = GivenOrHeld(options_.loss, checkpoint, "loss", "the loss and its temperature",
                            "--loss=info_nce:temperature=0.07 (MoCo v1; v2: 0.2)");
    if (!spec.ok()) return spec.status();
    auto canonical = moco::Losses().Canonical(*spec);
    if (!canonical.ok()) return canonical.status();
    loss_spec_ = *std::move(canonical);
    auto loss = moco::Losses().Create(loss_spec_);
    if (!loss.ok()) return loss.status();
    loss_ = *std::move(loss);
    return absl::OkStatus();
  }

  at::Tensor Images(const data::Batch& batch, size_t v) const {
    return moco::ViewTensor(batch, v, *views_);
  }

  static at::Tensor Encode(const FrozenBackbone& backbone, const FrozenHead* head,
                           const at::Tensor& images) {
    const at::Tensor features = backbone(images);
    return head == nullptr ? features : (*head)(features);
  }

  // z: V views, n x C, unit rows. For the sum s of all vectors of an image, |s|^2 = V + the sum of
  // the similarities of all ordered pairs.
  static at::Tensor Disagreement(const std::vector<at::Tensor>& z) {
    const double views = z.size();
    const at::Tensor sum = at::stack(z).to(at::kDouble).sum(0);  // n x C
    return 1 - ((sum * sum).sum(1) - views) / (views * (views - 1));
  }

  // q: n x C, unit rows.
  std::vector<float> Loss(const at::Tensor& q, const at::Tensor& key_images) const {
    const at::Tensor k =
        moco::UnitRows(Encode(*key_backbone_, key_head_.get(), key_images));  // n x C
    const at::Tensor positive = (q * k).sum(1);                               // n
    std::vector<float> losses;
    for (int64_t i = 0; i < q.size(0); ++i) {  // the loss function returns the mean of a batch
      const at::Tensor negative = at::matmul(q.narrow(0, i, 1), queue_);  // 1 x K
      losses.push_back((*loss_)(positive.narrow(0, i, 1), negative).item<float>());
    }
    return losses;
  }

  const ImageColumnsOptions options_;
  const FrozenBackbone& backbone_;
  const FrozenHead* const head_;
  const data::Dataset& dataset_;
  std::unique_ptr<augment::Pipeline> views_;
  std::unique_ptr<data::Loader> loader_;

  // For moco_loss.
  std::unique_ptr<FrozenBackbone> key_backbone_;
  std::unique_ptr<FrozenHead> key_head_;
  at::Tensor queue_;  // C x K
  std::string loss_spec_;
  std::unique_ptr<moco::Loss> loss_;
};

}  // namespace

const std::vector<std::string>& ImageColumns::Names() {
  static const auto& names =
      *new std::vector<std::string>{kAlignmentColumn, kDisagreementColumn, kMocoLossColumn};
  return names;
}

absl::StatusOr<std::unique_ptr<ImageColumns>> ImageColumns::Create(
    const ImageColumnsOptions& options, const moco::Checkpoint& checkpoint,
    const FrozenBackbone& backbone, const FrozenHead* head, const data::Dataset& dataset) {
  auto columns = std::make_unique<ImageColumnsImpl>(options, backbone, head, dataset);
  if (absl::Status s = columns->Prepare(checkpoint); !s.ok()) return s;
  return columns;
}

}  // namespace lincls
