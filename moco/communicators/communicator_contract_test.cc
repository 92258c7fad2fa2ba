// What every registered communicator keeps when each of its processes does the same.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

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

TEST_P(CommunicatorContract, AllGatherPutsRowsInRankOrder) {
  const int64_t rank = communicator_->rank(), size = communicator_->size();
  const at::Tensor rows = at::arange(6).view({2, 3}) + 6 * rank;
  EXPECT_TRUE(communicator_->AllGather(rows).equal(at::arange(6 * size).view({2 * size, 3})));
}

TEST_P(CommunicatorContract, BroadcastGivesRankZerosValues) {
  const at::Tensor a = at::full({3}, static_cast<double>(communicator_->rank()));
  const at::Tensor b = at::full({2, 2}, static_cast<double>(communicator_->rank()));
  communicator_->Broadcast({a, b});
  EXPECT_FALSE(a.any().item<bool>());
  EXPECT_FALSE(b.any().item<bool>());
}

TEST_P(CommunicatorContract, GradientsBecomeTheirMean) {
  at::Tensor p = at::full({3}, 1.0).requires_grad_();
  p.mutable_grad() = at::full({3}, static_cast<double>(communicator_->rank()));
  communicator_->AverageGradients({p});
  const double mean = (communicator_->size() - 1) / 2.0;
  EXPECT_TRUE(p.grad().equal(at::full({3}, mean)));
  EXPECT_TRUE(p.equal(at::full({3}, 1.0)));
}

INSTANTIATE_TEST_SUITE_P(All, CommunicatorContract, testing::ValuesIn(Communicators().Names()),
                         [](const auto& info) { return info.param; });

TEST(CommunicatorContractTest, IsOfSomething) { EXPECT_FALSE(Communicators().Names().empty()); }

}  // namespace
}  // namespace moco
