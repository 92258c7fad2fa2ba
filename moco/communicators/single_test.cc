// The contract of all communicators is in communicator_contract_test.cc.
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include "moco/communicators/communicator.h"

namespace moco {
namespace {

TEST(SingleTest, IsOneProcessThatCopiesNothing) {
  const auto single = Communicators().Create("single").value();
  EXPECT_EQ(single->rank(), 0);
  EXPECT_EQ(single->size(), 1);
  const at::Tensor rows = at::full({2, 3}, 1.0);
  EXPECT_TRUE(single->AllGather(rows).is_same(rows));
}

}  // namespace
}  // namespace moco
