// What every registered schedule keeps.
#include <gtest/gtest.h>

#include <string>

#include "moco/schedules/schedule.h"

namespace moco {
namespace {

class ScheduleContract : public testing::TestWithParam<std::string> {};

TEST_P(ScheduleContract, FactorsAreFromZeroToOneAndNotAllZero) {
  for (const ScheduleContext run : {ScheduleContext{1, 1}, {1, 7}, {2, 3}, {200, 5}}) {
    const auto schedule = Schedules().Create(GetParam(), run).value();
    double sum = 0;
    for (int64_t step = 0; step < run.epochs * run.steps_per_epoch; ++step) {
      const double factor = schedule->Factor(step);
      EXPECT_GE(factor, 0) << "step " << step << " of " << run.epochs << " epochs";
      EXPECT_LE(factor, 1) << "step " << step << " of " << run.epochs << " epochs";
      sum += factor;
    }
    EXPECT_GT(sum, 0);
  }
}

// What a resumed run needs: nothing but the step's number decides.
TEST_P(ScheduleContract, IsAFunctionOfTheStepAndTheCanonicalSpec) {
  const ScheduleContext run{200, 3};
  const auto schedule = Schedules().Create(GetParam(), run).value();
  const auto again = Schedules().Create(Schedules().Canonical(GetParam()).value(), run).value();
  for (int64_t step = 599; step >= 0; --step) {
    EXPECT_EQ(again->Factor(step), schedule->Factor(step));
    EXPECT_EQ(again->Factor(step), schedule->Factor(step));
  }
}

INSTANTIATE_TEST_SUITE_P(All, ScheduleContract, testing::ValuesIn(Schedules().Names()),
                         [](const auto& info) { return info.param; });

TEST(ScheduleContractTest, IsOfSomething) { EXPECT_FALSE(Schedules().Names().empty()); }

}  // namespace
}  // namespace moco
