#include "moco/communicators/communicator_contract.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "base/rng.h"

namespace moco {
namespace {

void RankIsBelowSize(Communicator& communicator) {
  EXPECT_GE(communicator.rank(), 0);
  EXPECT_LT(communicator.rank(), communicator.size());
}

// Row i of the whole batch: {3 i, 3 i + 1, 3 i + 2}.
at::Tensor WholeBatch(const Communicator& communicator, int64_t rows_a_rank, at::Device device) {
  return at::arange(3 * rows_a_rank * communicator.size()).view({-1, 3}).to(device);
}

void AllGatherIsTheInverseOfOwn(Communicator& communicator, at::Device device) {
  const at::Tensor whole = WholeBatch(communicator, 2, device);
  EXPECT_EQ(communicator.Own(whole).size(0), 2);
  EXPECT_TRUE(communicator.AllGather(communicator.Own(whole)).equal(whole));
}

void PermuteIsIndexSelectOverTheWholeBatch(Communicator& communicator, at::Device device) {
  const at::Tensor whole = WholeBatch(communicator, 5, device);
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const at::Tensor order =
        at::tensor(base::Rng(seed, base::Purpose::kTest).Permutation(whole.size(0)));
    const at::Tensor permuted = communicator.Permute(communicator.Own(whole), order);
    EXPECT_TRUE(permuted.equal(communicator.Own(whole.index_select(0, order.to(device)))));
  }
}

void PermuteKeepsTheLayoutOfImages(Communicator& communicator, at::Device device) {
  const at::Tensor images = at::arange(2 * 3 * 4 * 4, at::kFloat)
                                .view({2, 3, 4, 4})
                                .contiguous(at::MemoryFormat::ChannelsLast)
                                .to(device);
  const at::Tensor order = at::arange(2 * communicator.size()).flip(0);
  const at::Tensor permuted = communicator.Permute(images, order);
  EXPECT_TRUE(permuted.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(permuted.equal(images.flip(0)));
}

void BroadcastGivesRankZerosValues(Communicator& communicator, at::Device device) {
  const at::Tensor a = at::full({3}, static_cast<double>(communicator.rank()), device);
  const at::Tensor b = at::full({2, 2}, static_cast<double>(communicator.rank()), device);
  communicator.Broadcast({a, b});
  EXPECT_FALSE(a.any().item<bool>());
  EXPECT_FALSE(b.any().item<bool>());
}

void BackwardLeavesTheMeanOfAllPasses(Communicator& communicator, at::Device device) {
  const double rank = communicator.rank(), mean = (communicator.size() - 1) / 2.0;
  const at::Tensor a = at::full({3}, 1.0, device).requires_grad_(),
                   b = at::full({2}, 1.0, device).requires_grad_();
  communicator.AverageGradientsOf({a, b});
  for (int step = 0; step < 3; ++step) {
    a.mutable_grad().reset();
    b.mutable_grad().reset();
    (a.sum() * rank + b.sum()).backward();  // a micro-batch before the last
    communicator.Backward((a.sum() + b.sum()) * rank);
    EXPECT_TRUE(a.grad().equal(at::full({3}, 2 * mean, device)));
    EXPECT_TRUE(b.grad().equal(at::full({2}, 1 + mean, device)));
    EXPECT_TRUE(a.equal(at::full({3}, 1.0, device)));
  }
}

}  // namespace

void ExpectContract(Communicator& communicator, at::Device device) {
  RankIsBelowSize(communicator);
  AllGatherIsTheInverseOfOwn(communicator, device);
  PermuteIsIndexSelectOverTheWholeBatch(communicator, device);
  PermuteKeepsTheLayoutOfImages(communicator, device);
  BroadcastGivesRankZerosValues(communicator, device);
  BackwardLeavesTheMeanOfAllPasses(communicator, device);
}

}  // namespace moco
