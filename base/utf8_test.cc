#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace base {
namespace {

TEST(Utf8Test, WhatIsNoCharacterIsEscapedByteByByte) {
  for (const std::string good :
       {"", "a\\xe9", "caf\xC3\xA9", "\xE6\x97\xA5", "\xF0\x9F\x98\x80", "\xEF\xBF\xBD"}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
    EXPECT_EQ(EscapedUtf8(good), good);
  }
  EXPECT_EQ(EscapedUtf8("caf\xE9"), "caf\\xe9");
  EXPECT_EQ(EscapedUtf8("\xE9t\xC3\xA9\xE6\x97"), "\\xe9t\xC3\xA9\\xe6\\x97");
  // Overlong forms, a surrogate, and a number above Unicode's last, which Python refuses as well.
  EXPECT_EQ(EscapedUtf8("\xC0\xBC"), "\\xc0\\xbc");
  EXPECT_EQ(EscapedUtf8("\xE0\x80\x80"), "\\xe0\\x80\\x80");
  EXPECT_EQ(EscapedUtf8("\xED\xA0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(EscapedUtf8("\xF4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_FALSE(IsUtf8("\xED\xA0\x80"));
  EXPECT_FALSE(IsUtf8("caf\xE9"));
}

}  // namespace
}  // namespace base
