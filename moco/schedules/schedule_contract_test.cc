// What every registered schedule keeps.
#include <gtest/gtest.h>

#include <string>

#include "moco/schedules/schedule.h"

namespace moco {
namespace {

class ScheduleContract : public testing::TestWithParam<std::string> {};

TEST_P(ScheduleContract, FactorsAreFromZeroToOneAndNotAllZero) {
  for (const int64_t epochs : {1, 2, 200}) {
    const auto schedule = Schedules().Create(GetParam(), epochs).value();
    double sum = 0;
    for (int64_t epoch = 0; epoch < epochs; ++epoch) {
      const double factor = schedule->Factor(epoch);
      EXPECT_GE(factor, 0) << "epoch " << epoch << " of " << epochs;
      EXPECT_LE(factor, 1) << "epoch " << epoch << " of " << epochs;
      sum += factor;
    }
    EXPECT_GT(sum, 0);
  }
}

// What a resumed run needs: nothing but the epoch's number decides.
TEST_P(ScheduleContract, IsAFunctionOfTheEpochAndTheCanonicalSpec) {
  const auto schedule = Schedules().Create(GetParam(), 200).value();
  const auto again = Schedules().Create(Schedules().Canonical(GetParam()).value(), 200).value();
  for (int64_t epoch = 199; epoch >= 0; --epoch) {
    EXPECT_EQ(again->Factor(epoch), schedule->Factor(epoch));
    EXPECT_EQ(again->Factor(epoch), schedule->Factor(epoch));
  }
}

INSTANTIATE_TEST_SUITE_P(All, ScheduleContract, testing::ValuesIn(Schedules().Names()),
                         [](const auto& info) { return info.param; });

TEST(ScheduleContractTest, IsOfSomething) { EXPECT_FALSE(Schedules().Names().empty()); }

}  // namespace
}  // namespace moco
