#include "base/hex.h"

#include <optional>

#include "gtest/gtest.h"

namespace base {
namespace {

TEST(BytesOfHexTest, TwoDigitsAreAByte) {
  EXPECT_EQ(BytesOfHex("89504e47"), "\x89PNG");
  EXPECT_EQ(BytesOfHex("fFAb"), "\xff\xab");
  EXPECT_EQ(BytesOfHex(""), "");
}

TEST(BytesOfHexTest, OtherTextHasNoBytes) {
  EXPECT_EQ(BytesOfHex("895"), std::nullopt);
  EXPECT_EQ(BytesOfHex("8g"), std::nullopt);
  EXPECT_EQ(BytesOfHex("-1"), std::nullopt);
  EXPECT_EQ(BytesOfHex(" 1"), std::nullopt);
}

}  // namespace
}  // namespace base
