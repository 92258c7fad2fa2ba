// Algorithm 1 against the reference's formulation of it, written out in plain operations.
#include "moco/moco.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include "base/rng.h"

namespace moco {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kBatch = 8;
constexpr double kLr = 0.05;

void Seed(uint64_t seed) {
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  generator.set_current_seed(seed);
}

at::Tensor Images(uint64_t seed, int64_t n = kBatch) {
  Seed(seed);
  return at::randn({n, 3, 16, 16}, at::kDouble).contiguous(at::MemoryFormat::ChannelsLast);
}

MoCoOptions Small() {
  MoCoOptions o;
  o.encoder.backbone = "resnet_small:width=4,blocks=1,stages=2";
  o.encoder.head = "mlp:dim=6";
  o.loss = "info_nce:temperature=0.2";
  o.queue_size = 20;  // the batch does not divide it
  o.momentum = 0.9;
  o.dtype = at::kDouble;
  o.seed = 5;
  return o;
}

class MoCoTest : public testing::Test {
 protected:
  std::unique_ptr<MoCo> Make(const MoCoOptions& options) {
    Seed(1);
    return MoCo::Create(options, *communicator_).value();
  }
  const std::unique_ptr<Communicator> communicator_ = Communicators().Create("single").value();
};

at::Tensor Normalized(const at::Tensor& x) {
  return x / at::linalg_vector_norm(x, 2, 1, /*keepdim=*/true);
}

// What the reference computes in a step (builder.py and main_moco.py), on an encoder pair and queue
// of its own.
class Reference {
 public:
  explicit Reference(const MoCoOptions& o) : options_(o) {
    Seed(1);
    q_ = Encoder::Create(o.encoder).value();
    k_ = Encoder::Create(o.encoder).value();
    q_->Initialize();
    k_->Initialize();
    for (Encoder* f : {q_.get(), k_.get()}) {
      f->To(at::kCPU, at::kDouble);
      f->Train(true);
    }
    at::NoGradGuard no_grad;
    const auto from = q_->Parameters(), to = k_->Parameters();
    for (size_t i = 0; i < to.size(); ++i) {
      at::Tensor(to[i]).copy_(from[i]);
      velocity_.push_back(at::zeros_like(from[i]));
    }
    const at::Tensor noise = at::randn({q_->dim(), o.queue_size});
    queue_ = (noise / at::linalg_vector_norm(noise, 2, 0, true)).to(at::kDouble);
  }

  double Step(const at::Tensor& x_q, const at::Tensor& x_k, int64_t step) {
    {
      at::NoGradGuard no_grad;
      const auto from = q_->Parameters(), to = k_->Parameters();
      for (size_t i = 0; i < to.size(); ++i) {
        at::Tensor(to[i]).copy_(to[i] * options_.momentum + from[i] * (1 - options_.momentum));
      }
    }
    auto [loss, k] = Contrast(x_q, x_k, base::Rng(options_.seed, base::Purpose::kShuffle, step));
    if (options_.symmetric) {
      const auto [loss_21, k_1] =
          Contrast(x_k, x_q, base::Rng(options_.seed, base::Purpose::kShuffle, step, 1));
      loss = loss + loss_21;
      k = at::cat({k_1, k});
    }
    for (at::Tensor p : q_->Parameters()) p.mutable_grad().reset();
    loss.backward();
    at::NoGradGuard no_grad;
    const auto parameters = q_->Parameters();
    for (size_t i = 0; i < parameters.size(); ++i) {
      const at::Tensor g = parameters[i].grad() + parameters[i] * 1e-4;
      velocity_[i] = velocity_[i] * 0.9 + g;
      at::Tensor(parameters[i]).sub_(velocity_[i] * kLr);
    }
    for (int64_t i = 0; i < k.size(0); ++i) {
      queue_.select(1, position_).copy_(k[i]);
      position_ = (position_ + 1) % options_.queue_size;
    }
    return loss.item<double>();
  }

  // The loss of queries, and their keys.
  std::pair<at::Tensor, at::Tensor> Contrast(const at::Tensor& x_q, const at::Tensor& x_k,
                                             base::Rng shuffle) {
    const at::Tensor q = Normalized((*q_)(x_q));
    at::Tensor k;
    {
      at::NoGradGuard no_grad;
      const auto order = at::tensor(shuffle.Permutation(x_k.size(0)));
      k = Normalized((*k_)(x_k.index_select(0, order))).index_select(0, order.argsort());
    }
    const at::Tensor positive = at::einsum("nc,nc->n", {q, k}).unsqueeze(-1);
    const at::Tensor negative = at::einsum("nc,ck->nk", {q, queue_.clone()});
    const at::Tensor logits = at::cat({positive, negative}, 1) / 0.2;
    return {at::cross_entropy_loss(logits, at::zeros({x_q.size(0)}, at::kLong)), k};
  }

  const MoCoOptions options_;
  std::unique_ptr<Encoder> q_, k_;
  std::vector<at::Tensor> velocity_;
  at::Tensor queue_;
  int64_t position_ = 0;
};

// Parts of the batch, and whether the loss is symmetric.
class MoCoSteps : public MoCoTest, public testing::WithParamInterface<std::tuple<int64_t, bool>> {};

TEST_P(MoCoSteps, TwentyStepsAsTheReference) {
  MoCoOptions options = Small();
  std::tie(options.encoder.bn_splits, options.symmetric) = GetParam();
  const auto moco = Make(options);
  Reference reference(options);
  for (int64_t step = 0; step < 20; ++step) {
    const at::Tensor x_q = Images(100 + step), x_k = Images(200 + step);
    const auto metrics = moco->Step(x_q, x_k, kLr, step);
    ASSERT_TRUE(metrics.ok()) << metrics.status();
    EXPECT_NEAR(metrics->loss, reference.Step(x_q, x_k, step), 1e-9) << step;
  }
  EXPECT_LT((moco->queue().Transposed() - reference.queue_).abs().max().item<double>(), 1e-9);
  EXPECT_EQ(moco->queue().position(), reference.position_);
  for (const auto& [mine, theirs] : {std::pair(&moco->query_encoder(), reference.q_.get()),
                                     std::pair(&moco->key_encoder(), reference.k_.get())}) {
    const StateDict a = mine->State(), b = theirs->State();
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_TRUE(a[i].second.allclose(b[i].second, 1e-9, 1e-9)) << a[i].first;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, MoCoSteps,
                         testing::Combine(testing::Values(1, 2, 4), testing::Bool()));

// The loss, gradients and statistics of micro-batches, written out: the queries' as they come, the
// keys' shuffled over all of them; the queue and the key encoder's parameters are the same for all.
TEST_F(MoCoTest, MicroBatchesAreWhatSoManyGpusCompute) {
  MoCoOptions options = Small();
  options.accumulate = 4;
  options.symmetric = true;
  const at::Tensor x_1 = Images(1), x_2 = Images(2);
  const auto moco = Make(options), parts = Make(options);
  const at::Tensor queue = moco->queue().Transposed().clone();
  const auto metrics = moco->Step(x_1, x_2, kLr, 7).value();

  double loss = 0;
  std::vector<at::Tensor> keys, gradients;
  for (const at::Tensor& p : parts->query_encoder().Parameters()) {
    gradients.push_back(at::zeros_like(p));
  }
  for (const auto& [x_q, x_k, direction] : {std::tuple(x_1, x_2, 0), std::tuple(x_2, x_1, 1)}) {
    const auto order = at::tensor(
        base::Rng(options.seed, base::Purpose::kShuffle, 7, direction).Permutation(kBatch));
    at::Tensor k = at::zeros({kBatch, 6}, at::kDouble);
    for (int64_t m = 0; m < 4; ++m) {
      at::NoGradGuard no_grad;
      const at::Tensor mine = order.slice(0, 2 * m, 2 * m + 2);
      k.index_copy_(0, mine, Normalized(parts->key_encoder()(x_k.index_select(0, mine))));
    }
    for (int64_t m = 0; m < 4; ++m) {
      for (at::Tensor p : parts->query_encoder().Parameters()) p.mutable_grad().reset();
      const at::Tensor q = Normalized(parts->query_encoder()(x_q.slice(0, 2 * m, 2 * m + 2)));
      const at::Tensor positive = (q * k.slice(0, 2 * m, 2 * m + 2)).sum(1, /*keepdim=*/true);
      const at::Tensor logits = at::cat({positive, at::matmul(q, queue)}, 1) / 0.2;
      const at::Tensor part = at::cross_entropy_loss(logits, at::zeros({2}, at::kLong));
      part.backward();
      loss += part.item<double>() / 4;
      const auto parameters = parts->query_encoder().Parameters();
      for (size_t i = 0; i < parameters.size(); ++i) gradients[i] += parameters[i].grad() / 4;
    }
    keys.insert(keys.begin(), k);
  }
  EXPECT_NEAR(metrics.loss, loss, 1e-12);
  const auto parameters = moco->query_encoder().Parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    EXPECT_TRUE(parameters[i].grad().allclose(gradients[i], 1e-10, 1e-12)) << i;
  }
  EXPECT_TRUE(moco->queue().keys().slice(0, 0, 2 * kBatch).allclose(at::cat(keys), 1e-10, 1e-12));
  for (const auto& [f, g] : {std::pair(&moco->query_encoder(), &parts->query_encoder()),
                             std::pair(&moco->key_encoder(), &parts->key_encoder())}) {
    const StateDict mine = f->State(), theirs = g->State();
    for (size_t i = 0; i < mine.size(); ++i) {
      if (mine[i].second.requires_grad()) continue;  // updated in `moco` alone
      EXPECT_TRUE(mine[i].second.allclose(theirs[i].second, 1e-10, 1e-12)) << mine[i].first;
    }
  }
}

// The pretext accuracy of a symmetric step is the mean of both directions, its loss their sum.
TEST_F(MoCoTest, MetricsOfBothDirections) {
  const at::Tensor x_1 = Images(1), x_2 = Images(2);
  MoCoOptions options = Small();
  const auto one = Make(options)->Step(x_1, x_2, 0, 0).value();
  const auto other = Make(options)->Step(x_2, x_1, 0, 0).value();
  options.symmetric = true;
  const auto both = Make(options)->Step(x_1, x_2, 0, 0).value();
  EXPECT_NE(one.loss, other.loss);
  EXPECT_NEAR(both.loss, one.loss + other.loss, 1e-12);
  EXPECT_DOUBLE_EQ(both.top1, (one.top1 + other.top1) / 2);
  EXPECT_DOUBLE_EQ(both.top5, (one.top5 + other.top5) / 2);
}

TEST_F(MoCoTest, OneSeedOneRun) {
  const auto a = Make(Small()), b = Make(Small());
  for (int64_t step = 0; step < 3; ++step) {
    const at::Tensor x_q = Images(step), x_k = Images(50 + step);
    EXPECT_EQ(a->Step(x_q, x_k, kLr, step)->loss, b->Step(x_q, x_k, kLr, step)->loss);
  }
  EXPECT_TRUE(CheckEqual(a->query_encoder().State(), b->query_encoder().State()).ok());
  EXPECT_TRUE(CheckEqual(a->key_encoder().State(), b->key_encoder().State()).ok());
}

// Equation 2 touches parameters alone, and with m = 1 the key encoder stays.
TEST_F(MoCoTest, MomentumOneFreezesTheKeyEncodersParameters) {
  MoCoOptions options = Small();
  options.momentum = 1;
  const auto moco = Make(options);
  std::vector<at::Tensor> before;
  for (const at::Tensor& p : moco->key_encoder().Parameters()) before.push_back(p.clone());
  ASSERT_TRUE(moco->Step(Images(1), Images(2), kLr, 0).ok());
  ASSERT_TRUE(moco->Step(Images(3), Images(4), kLr, 1).ok());
  const auto after = moco->key_encoder().Parameters();
  for (size_t i = 0; i < after.size(); ++i) EXPECT_TRUE(at::equal(before[i], after[i]));
}

// A query that is its own key is told apart from all others; one against random keys is not.
TEST_F(MoCoTest, PretextAccuracyIsOfTheOwnKey) {
  MoCoOptions options = Small();
  options.momentum = 1;
  const auto moco = Make(options);
  const at::Tensor x = Images(1);
  EXPECT_EQ(moco->Step(x, x, 0, 0)->top1, 1);
  EXPECT_LT(moco->Step(x, Images(9), 0, 1)->top1, 1);
}

TEST_F(MoCoTest, ALossThatIsNotFiniteChangesNothingTrained) {
  const auto moco = Make(Small());
  ASSERT_TRUE(moco->Step(Images(1), Images(2), kLr, 0).ok());
  std::vector<at::Tensor> before;
  for (const at::Tensor& p : moco->query_encoder().Parameters()) before.push_back(p.clone());
  const at::Tensor queue = moco->queue().keys().clone();
  at::Tensor bad = Images(3);
  bad[0][0][0][0] = std::numeric_limits<double>::quiet_NaN();
  const auto metrics = moco->Step(bad, Images(4), kLr, 1);
  ASSERT_FALSE(metrics.ok());
  EXPECT_EQ(metrics.status().code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(metrics.status().message()), HasSubstr("the loss is nan at step 1"));
  const auto after = moco->query_encoder().Parameters();
  for (size_t i = 0; i < after.size(); ++i) EXPECT_TRUE(at::equal(before[i], after[i]));
  EXPECT_TRUE(at::equal(queue, moco->queue().keys()));
}

TEST_F(MoCoTest, Bfloat16StaysNearFloat32) {
  MoCoOptions options = Small();
  options.dtype = at::kFloat;
  const auto exact = Make(options);
  options.bf16 = true;
  const auto rounded = Make(options);
  const at::Tensor x_q = Images(1).to(at::kFloat), x_k = Images(2).to(at::kFloat);
  const double a = exact->Step(x_q, x_k, kLr, 0)->loss, b = rounded->Step(x_q, x_k, kLr, 0)->loss;
  EXPECT_NE(a, b);
  EXPECT_NEAR(a, b, 3e-2);
  for (const at::Tensor& p : rounded->query_encoder().Parameters()) {
    EXPECT_EQ(p.scalar_type(), at::kFloat);
  }
}

TEST_F(MoCoTest, SpecErrorsComeThrough) {
  MoCoOptions options = Small();
  options.encoder.backbone = "resnet_smal";
  Seed(1);
  EXPECT_THAT(std::string(MoCo::Create(options, *communicator_).status().message()),
              HasSubstr("did you mean 'resnet_small'?"));
}

}  // namespace
}  // namespace moco
