#include "base/format_count.h"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(FormatCountTest, CommasBetweenThousands) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(-100), "-100");
  EXPECT_EQ(FormatCount(1000), "1,000");
  EXPECT_EQ(FormatCount(-1234567), "-1,234,567");
}

}  // namespace
}  // namespace base
