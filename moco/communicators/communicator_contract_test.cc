// What every registered communicator keeps when each of its processes does the same.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "moco/communicators/communicator.h"

namespace moco {
namespace {

class CommunicatorContract : public testing::TestWithParam<std::string> {
 protected:
  const std::unique_ptr<Communicator> communicator_ = Communicators().Create(GetParam()).value();
};

TEST_P(CommunicatorContract, RankIsBelowSize) {
  EXPECT_GE(communicator_->rank(), 0);
  EXPECT_LT(communicator_->rank(), communicator_->size());
}

// Row i of the whole batch: {3 i, 3 i + 1, 3 i + 2}.
at::Tensor WholeBatch(const Communicator& communicator, int64_t rows_a_rank) {
  return at::arange(3 * rows_a_rank * communicator.size()).view({-1, 3});
}

TEST_P(CommunicatorContract, AllGatherIsTheInverseOfOwn) {
  const at::Tensor whole = WholeBatch(*communicator_, 2);
  EXPECT_EQ(communicator_->Own(whole).size(0), 2);
  EXPECT_TRUE(communicator_->AllGather(communicator_->Own(whole)).equal(whole));
}

TEST_P(CommunicatorContract, PermuteIsIndexSelectOverTheWholeBatch) {
  const at::Tensor whole = WholeBatch(*communicator_, 5);
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const at::Tensor order =
        at::tensor(base::Rng(seed, base::Purpose::kTest).Permutation(whole.size(0)));
    const at::Tensor permuted = communicator_->Permute(communicator_->Own(whole), order);
    EXPECT_TRUE(permuted.equal(communicator_->Own(whole.index_select(0, order))));
  }
}

TEST_P(CommunicatorContract, PermuteKeepsTheLayoutOfImages) {
  const at::Tensor images = at::arange(2 * 3 * 4 * 4, at::kFloat)
                                .view({2, 3, 4, 4})
                                .contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor order = at::arange(2 * communicator_->size()).flip(0);
  const at::Tensor permuted = communicator_->Permute(images, order);
  EXPECT_TRUE(permuted.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(permuted.equal(images.flip(0)));
}

TEST_P(CommunicatorContract, BroadcastGivesRankZerosValues) {
  const at::Tensor a = at::full({3}, static_cast<double>(communicator_->rank()));
  const at::Tensor b = at::full({2, 2}, static_cast<double>(communicator_->rank()));
  communicator_->Broadcast({a, b});
  EXPECT_FALSE(a.any().item<bool>());
  EXPECT_FALSE(b.any().item<bool>());
}

TEST_P(CommunicatorContract, BackwardLeavesTheMeanOfAllPasses) {
  const double rank = communicator_->rank(), mean = (communicator_->size() - 1) / 2.0;
  const at::Tensor a = at::full({3}, 1.0).requires_grad_(), b = at::full({2}, 1.0).requires_grad_();
  communicator_->AverageGradientsOf({a, b});
  for (int step = 0; step < 3; ++step) {
    a.mutable_grad().reset();
    b.mutable_grad().reset();
    (a.sum() * rank + b.sum()).backward();  // a micro-batch before the last
    communicator_->Backward((a.sum() + b.sum()) * rank);
    EXPECT_TRUE(a.grad().equal(at::full({3}, 2 * mean)));
    EXPECT_TRUE(b.grad().equal(at::full({2}, 1 + mean)));
    EXPECT_TRUE(a.equal(at::full({3}, 1.0)));
  }
}

INSTANTIATE_TEST_SUITE_P(All, CommunicatorContract, testing::ValuesIn(Communicators().Names()),
                         [](const auto& info) { return info.param; });

TEST(CommunicatorContractTest, IsOfSomething) { EXPECT_FALSE(Communicators().Names().empty()); }

}  // namespace
}  // namespace moco
