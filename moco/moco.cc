// Algorithm 1 of the MoCo paper, in its order. N: batch, C: dim, K: queue.
#include "moco/moco.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/rng.h"
#include "moco/autocast.h"

namespace moco {
namespace {

// Rows of unit length.
at::Tensor Normalize(const at::Tensor& x) {
  return x / at::linalg_vector_norm(x, 2, /*dim=*/1, /*keepdim=*/true).clamp_min(1e-12);
}

// The permutation of a step's direction, and its inverse.
std::pair<at::Tensor, at::Tensor> Shuffle(uint64_t seed, int64_t step, int64_t direction,
                                          int64_t n) {
  const at::Tensor forward =
      at::tensor(base::Rng(seed, base::Purpose::kShuffle, step, direction).Permutation(n));
  return {forward, forward.argsort()};
}

}  // namespace

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
      queue_(f_q_->dim(), options.queue_size) {
  for (Encoder* f : {f_q_.get(), f_k_.get()}) {
    f->To(options.dtype);
    f->Train(true);
  }
  queue_.To(options.dtype);
  for (at::Tensor p : parameters_k_) p.requires_grad_(false);
  at::NoGradGuard no_grad;
  for (size_t i = 0; i < parameters_q_.size(); ++i) {  // f_k.params = f_q.params
    at::Tensor(parameters_k_[i]).copy_(parameters_q_[i]);
  }
}

absl::StatusOr<StepMetrics> MoCo::Step(const at::Tensor& x_q, const at::Tensor& x_k, double lr,
                                       int64_t step) {
  std::vector<std::pair<at::Tensor, at::Tensor>> directions = {{x_q, x_k}};
  if (options_.symmetric) directions.emplace_back(x_k, x_q);  // as in the official CIFAR demo
  UpdateKeyEncoder();
  for (at::Tensor p : parameters_q_) p.mutable_grad().reset();

  const int64_t parts = options_.accumulate, n = x_q.size(0) / parts;
  const double passes = static_cast<double>(directions.size()) * parts;
  StepMetrics metrics;
  std::vector<at::Tensor> keys;
  for (const auto& [queries, own_keys] : directions) {
    at::Tensor all_k;  // N x C, no gradient to keys
    {
      at::NoGradGuard no_grad;
      all_k = Normalize(EncodeShuffled(own_keys, step, keys.size()));
    }
    std::vector<at::Tensor> all_q;
    for (int64_t part = 0; part < parts; ++part) {
      const at::Tensor q = Normalize(Encode(*f_q_, queries.narrow(0, part * n, n)));  // n x C
      const at::Tensor k = all_k.narrow(0, part * n, n);                              // n x C
      const at::Tensor positive = (q * k).sum(1);                                     // n
      const at::Tensor negative = at::matmul(q, queue_.keys().t());                   // n x K
      const at::Tensor loss = (*loss_)(positive, negative) / parts;  // contrastive loss, equation 1
      metrics.loss += loss.item<double>();
      if (!std::isfinite(metrics.loss)) {
        return absl::AbortedError(
            absl::StrCat("the loss is ", metrics.loss, " at step ", step,
                         "; the query encoder was not updated and no checkpoint follows; lower "
                         "--lr, or resume from an earlier one"));
      }
      {
        at::NoGradGuard no_grad;
        const at::Tensor above = (negative > positive.unsqueeze(1)).sum(1);  // more similar than k
        const auto share = [&](int64_t n) { return (above < n).to(at::kDouble).mean(); };
        metrics.top1 += share(1).item<double>() / passes;
        metrics.top5 += share(5).item<double>() / passes;
      }
      loss.backward();  // adds to the gradients; nothing of this pass but its queries is kept
      all_q.push_back(q.detach());
    }
    metrics.similarities += CompareToQueue(at::cat(all_q), all_k);
    keys.insert(keys.begin(), all_k);
  }
  communicator_.AverageGradients(parameters_q_);
  optimizer_->Step(lr);  // SGD update of the query network

  queue_.Enqueue(communicator_.AllGather(at::cat(keys)));  // the oldest keys leave
  return metrics;
}

// For the report of health alone.
Similarities MoCo::CompareToQueue(const at::Tensor& q, const at::Tensor& k) const {
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
  at::_foreach_mul_(parameters_k_, options_.momentum);
  at::_foreach_add_(parameters_k_, parameters_q_, 1 - options_.momentum);
}

// f_k(x_k) with the samples shuffled over ranks, micro-batches and parts of the batch, so that the
// statistics of a query's own batch tell nothing about its key (section 3.3, shuffling BN). N x C,
// in the order of x_k.
at::Tensor MoCo::EncodeShuffled(const at::Tensor& x_k, int64_t step, int64_t direction) const {
  const int64_t parts = options_.accumulate;
  if (communicator_.size() * options_.encoder.bn_splits * parts == 1) return Encode(*f_k_, x_k);
  const int64_t n = x_k.size(0), from = communicator_.rank() * n;
  const auto [order, back] = Shuffle(options_.seed, step, direction, n * communicator_.size());
  const at::Tensor mine = communicator_.AllGather(x_k).index_select(0, order.narrow(0, from, n));
  std::vector<at::Tensor> encoded;
  for (const at::Tensor& images : mine.chunk(parts)) encoded.push_back(Encode(*f_k_, images));
  const at::Tensor keys = communicator_.AllGather(at::cat(encoded));
  return keys.index_select(0, back.narrow(0, from, n));
}

at::Tensor MoCo::Encode(const Encoder& f, const at::Tensor& images) const {
  if (!options_.bf16) return f(images);
  Bf16Autocast autocast;
  return f(images).to(options_.dtype);
}

}  // namespace moco
