// Algorithm 1 of the MoCo paper, in its order. N: batch, C: dim, K: queue.
#include "moco/moco.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/rng.h"
#include "moco/backbones/autocast.h"
#include "moco/to_device.h"

namespace moco {
namespace {

// Scales each row to unit length.
at::Tensor Normalize(const at::Tensor& x) {
  return x / at::linalg_vector_norm(x, 2, /*dim=*/1, /*keepdim=*/true).clamp_min(1e-12);
}

}  // namespace

std::vector<int64_t> ShuffleOrder(uint64_t seed, int64_t step, int64_t direction, int64_t n) {
  return base::Rng(seed, base::Purpose::kShuffle, step, direction).Permutation(n);
}

absl::StatusOr<std::unique_ptr<MoCo>> MoCo::Create(const MoCoOptions& options,
                                                   Communicator& communicator) {
  auto f_q = Encoder::Create(options.encoder);
  if (!f_q.ok()) return f_q.status();
  auto f_k = Encoder::Create(options.encoder);
  if (!f_k.ok()) return f_k.status();
  (*f_q)->Initialize();
  (*f_k)->Initialize();
  std::unique_ptr<MoCo> moco(new MoCo(options, communicator, std::move(*f_q), std::move(*f_k)));
  auto loss = Losses().Create(options.loss);
  if (!loss.ok()) return loss.status();
  moco->loss_ = std::move(*loss);
  auto optimizer = Optimizers().Create(options.optimizer, moco->parameters_q_);
  if (!optimizer.ok()) return optimizer.status();
  moco->optimizer_ = std::move(*optimizer);
  communicator.AverageGradientsOf(moco->parameters_q_);
  return moco;
}

MoCo::MoCo(const MoCoOptions& options, Communicator& communicator, std::unique_ptr<Encoder> f_q,
           std::unique_ptr<Encoder> f_k)
    : options_(options),
      communicator_(communicator),
      f_q_(std::move(f_q)),
      f_k_(std::move(f_k)),
      parameters_q_(f_q_->Parameters()),
      parameters_k_(f_k_->Parameters()),
      queue_(f_q_->dim(), options.queue_size),
      diverged_(at::zeros({}, at::TensorOptions(at::kFloat).device(options.device))) {
  for (Encoder* f : {f_q_.get(), f_k_.get()}) {
    f->To(options.device, options.dtype);
    f->Train(true);
  }
  queue_.To(options.device, options.dtype);
  for (at::Tensor p : parameters_k_) p.requires_grad_(false);
  at::NoGradGuard no_grad;
  for (size_t i = 0; i < parameters_q_.size(); ++i) {  // f_k.params = f_q.params
    at::Tensor(parameters_k_[i]).copy_(parameters_q_[i]);
  }
}

void MoCo::StepAhead(const at::Tensor& x_q, const at::Tensor& x_k, double lr, int64_t step) {
  std::vector<std::pair<at::Tensor, at::Tensor>> directions = {{x_q, x_k}};
  if (options_.symmetric) directions.emplace_back(x_k, x_q);  // as in the official CIFAR demo
  UpdateKeyEncoder();
  for (at::Tensor p : parameters_q_) p.mutable_grad().reset();

  const int64_t parts = options_.accumulate, n = x_q.size(0) / parts;
  const double passes = static_cast<double>(directions.size()) * parts;
  // The numbers of StepMetrics, on the device.
  const auto of_doubles = x_q.options().dtype(at::kDouble);
  at::Tensor task = at::zeros({3}, of_doubles), similarities = at::zeros({3}, of_doubles);
  std::vector<at::Tensor> keys;  // of the whole batch, the newest direction first
  for (const auto& [queries, own_keys] : directions) {
    {
      at::NoGradGuard no_grad;  // no gradient to keys
      keys.insert(keys.begin(), Normalize(EncodeShuffled(own_keys, step, keys.size())));
    }
    const at::Tensor all_k = communicator_.Own(keys.front());  // N x C
    std::vector<at::Tensor> all_q;
    for (int64_t part = 0; part < parts; ++part) {
      const at::Tensor q = Normalize(Encode(*f_q_, queries.narrow(0, part * n, n)));  // n x C
      const at::Tensor k = all_k.narrow(0, part * n, n);                              // n x C
      const at::Tensor positive = (q * k).sum(1);                                     // n
      const at::Tensor negative = at::matmul(q, queue_.keys().t());                   // n x K
      const at::Tensor loss = (*loss_)(positive, negative) / parts;  // contrastive loss, equation 1
      {
        at::NoGradGuard no_grad;
        const at::Tensor above = (negative > positive.unsqueeze(1)).sum(1);  // more similar than k
        const auto share = [&](int64_t n) { return (above < n).to(at::kDouble).mean() / passes; };
        task += at::stack({loss.to(at::kDouble), share(1), share(5)});
      }
      // Each pass adds to the gradients, and the last one averages them over the ranks. Only the
      // queries of a pass are kept.
      if (keys.size() == directions.size() && part + 1 == parts) {
        communicator_.Backward(loss);
      } else {
        loss.backward();
      }
      all_q.push_back(q.detach());
    }
    similarities += CompareToQueue(at::cat(all_q), all_k);
  }
  Keep(at::cat({task, similarities}), step);
  if (KnownToHaveDiverged()) return;
  const at::Tensor skip = diverged_.is_cpu() ? at::Tensor() : diverged_;
  optimizer_->Step(lr, skip);  // SGD update of the query network

  queue_.Enqueue(at::cat(keys), skip);  // the oldest keys leave
}

// Keeps the results of a step for Read(), and whether all ranks go on. own: the 6 of this rank.
void MoCo::Keep(const at::Tensor& own, int64_t step) {
  at::NoGradGuard no_grad;
  unread_.push_back({step, queue_.position(), communicator_.AllGather(own.unsqueeze(0))});
  const at::Tensor losses = unread_.back().numbers.select(1, 0);
  diverged_ = at::maximum(diverged_, losses.isfinite().all().logical_not().to(at::kFloat));
}

// A device is never asked; its kernels get the number.
bool MoCo::KnownToHaveDiverged() const {
  return diverged_.is_cpu() && diverged_.item<float>() != 0;
}

absl::StatusOr<StepMetrics> MoCo::Step(const at::Tensor& x_q, const at::Tensor& x_k, double lr,
                                       int64_t step) {
  StepAhead(x_q, x_k, lr, step);
  auto metrics = Read();
  if (!metrics.ok()) return metrics.status();
  return metrics->back();
}

absl::StatusOr<std::vector<StepMetrics>> MoCo::Read() {
  std::vector<StepMetrics> steps;
  if (!failure_.ok()) return failure_;
  if (unread_.empty()) return steps;
  std::vector<at::Tensor> numbers;
  for (const Unread& unread : unread_) numbers.push_back(unread.numbers);
  const at::Tensor all = at::stack(numbers).cpu();  // steps x ranks x 6; the only wait
  for (size_t i = 0; i < unread_.size(); ++i) {
    auto metrics = AverageMetrics(all[i], unread_[i].step);
    if (!metrics.ok()) {
      queue_.MoveBack(unread_[i].position);
      failure_ = metrics.status();
      return failure_;
    }
    steps.push_back(*metrics);
  }
  unread_.clear();
  return steps;
}

// all: ranks x 6, on the CPU.
absl::StatusOr<StepMetrics> MoCo::AverageMetrics(const at::Tensor& all, int64_t step) const {
  const at::Tensor mean = all.mean(0);
  for (int64_t rank = 0; rank < communicator_.size(); ++rank) {
    const double loss = all[rank][0].item<double>();
    if (std::isfinite(loss)) continue;
    return absl::AbortedError(absl::StrCat(
        "the loss ", communicator_.size() > 1 ? absl::StrCat("of rank ", rank, " ") : "", "is ",
        loss, " at step ", step,
        "; the query encoder was not updated, and no checkpoint follows; lower --lr, or resume "
        "from an earlier checkpoint"));
  }
  StepMetrics metrics;
  const std::vector<double*> numbers = metrics.Numbers();
  for (size_t i = 0; i < numbers.size(); ++i) *numbers[i] = mean[i].item<double>();
  return metrics;
}

// Needed only for the report on health.
at::Tensor MoCo::CompareToQueue(const at::Tensor& q, const at::Tensor& k) const {
  const int64_t step = k.size(0) * (options_.symmetric ? 2 : 1) * communicator_.size();  // keys
  const at::Tensor last = queue_.Newest(std::min(step, queue_.size()));
  const at::Tensor before =
      2 * step > queue_.size() ? at::Tensor() : queue_.Newest(2 * step).narrow(0, 0, step);
  return Compare(q, k, last, before);
}

// f_k.params = m f_k.params + (1 - m) f_q.params, equation 2. Parameters only: the key encoder's
// running statistics follow its own batches.
void MoCo::UpdateKeyEncoder() {
  at::NoGradGuard no_grad;
  if (!diverged_.is_cpu()) {
    // In one kernel, which stops with the rest: k -= (m - 1) (q - k), the step of SGD with a rate
    // of m - 1 and a weight decay of -1.
    at::_fused_sgd_(parameters_k_, parameters_q_, /*momentum_buffer_list=*/{},
                    /*weight_decay=*/-1, /*momentum=*/0, /*lr=*/options_.momentum - 1,
                    /*dampening=*/0, /*nesterov=*/false, /*maximize=*/false,
                    /*is_first_step=*/false, /*grad_scale=*/{}, diverged_);
    return;
  }
  if (KnownToHaveDiverged()) return;
  at::_foreach_mul_(parameters_k_, options_.momentum);
  at::_foreach_add_(parameters_k_, parameters_q_, 1 - options_.momentum);
}

// Returns f_k(x_k) of the whole batch, in its order: (N ranks) x C. The samples are shuffled over
// ranks, micro-batches and parts of the batch, so that the statistics of a query's batch reveal
// nothing about its key (section 3.3, shuffling BN).
at::Tensor MoCo::EncodeShuffled(const at::Tensor& x_k, int64_t step, int64_t direction) const {
  const int64_t parts = options_.accumulate, n = x_k.size(0) * communicator_.size();
  if (communicator_.size() * options_.encoder.bn_splits * parts == 1) return Encode(*f_k_, x_k);
  const at::Tensor order = at::tensor(ShuffleOrder(options_.seed, step, direction, n));
  const at::Tensor mine = options_.keys_dealt ? x_k : communicator_.Permute(x_k, order);
  std::vector<at::Tensor> encoded;
  for (const at::Tensor& images : mine.chunk(parts)) encoded.push_back(Encode(*f_k_, images));
  return communicator_.AllGather(at::cat(encoded))
      .index_select(0, ToDevice(order.argsort(), x_k.device()));
}

at::Tensor MoCo::Encode(const Encoder& f, const at::Tensor& images) const {
  const Bf16Autocast autocast(images.device().type(), options_.bf16);
  return f(images).to(options_.dtype);
}

std::vector<at::Tensor> MoCo::SharedState() const {
  std::vector<at::Tensor> state = parameters_q_;
  state.insert(state.end(), parameters_k_.begin(), parameters_k_.end());
  state.push_back(queue_.keys());
  return state;
}

}  // namespace moco
