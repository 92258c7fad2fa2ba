#include "page/html.h"

#include <gtest/gtest.h>

#include <string>

#include "nlohmann/json.hpp"

namespace page {
namespace {

TEST(HtmlTest, TextIsText) {
  EXPECT_EQ(HtmlText("cat/1.jpg"), "cat/1.jpg");
  EXPECT_EQ(HtmlText("<img src=x onerror=\"a('&')\">"),
            "&#60;img src=x onerror=&#34;a(&#39;&#38;&#39;)&#34;&#62;");
  EXPECT_EQ(HtmlText(""), "");
}

TEST(HtmlTest, OnlyUtf8IsLeft) {
  EXPECT_EQ(HtmlText("\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x90\xB1"),
            "\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x90\xB1");
  const std::string x = "\xEF\xBF\xBD";
  EXPECT_EQ(HtmlText("a\xE4\xFF.png"), "a" + x + x + ".png");
  EXPECT_EQ(HtmlText("\xC3"), x);                          // cut
  EXPECT_EQ(HtmlText("\xC0\xBC"), x + x);                  // another form of <
  EXPECT_EQ(HtmlText("\xE0\x80\xBC"), x + x + x);          // and another
  EXPECT_EQ(HtmlText("\xED\xA0\x80"), x + x + x);          // a surrogate
  EXPECT_EQ(HtmlText("\xF4\x90\x80\x80"), x + x + x + x);  // above U+10FFFF
  EXPECT_EQ(HtmlText("\xC3<"), x + "&#60;");
  EXPECT_EQ(HtmlText(std::string("a\0b\nc\x7F", 6)), "a" + x + "b" + x + "c" + x);
}

TEST(HtmlTest, JsonEndsNoScript) {
  const nlohmann::json value = {"</script><!--", "\xFF\xC3\xA4", 3};
  EXPECT_EQ(HtmlJson(value), "[\"\\u003c/script>\\u003c!--\",\"\\ufffd\\u00e4\",3]");
}

}  // namespace
}  // namespace page
