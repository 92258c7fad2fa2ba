// Every registered communicator as one process; as several: dist/group_test.cc.
#include "moco/communicators/communicator_contract.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "moco/communicators/communicator.h"

namespace moco {
namespace {

class CommunicatorContract : public testing::TestWithParam<std::string> {};

TEST_P(CommunicatorContract, OfOneProcess) {
  const std::unique_ptr<Communicator> communicator = Communicators().Create(GetParam()).value();
  EXPECT_EQ(communicator->size(), 1);
  ExpectContract(*communicator);
}

INSTANTIATE_TEST_SUITE_P(All, CommunicatorContract, testing::ValuesIn(Communicators().Names()),
                         [](const auto& info) { return info.param; });

TEST(CommunicatorContractTest, IsOfSomething) { EXPECT_FALSE(Communicators().Names().empty()); }

}  // namespace
}  // namespace moco
