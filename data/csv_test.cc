#include "data/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Each row as NUMBER:FIELD|FIELD; or the error.
std::string Rows(const std::string& text, char separator = ',') {
  const auto lines = ParseCsv("x.csv", text, separator);
  if (!lines.ok()) return std::string(lines.status().message());
  return absl::StrJoin(*lines, " ", [](std::string* out, const Line& line) {
    absl::StrAppend(out, line.number, ":", absl::StrJoin(line.fields, "|"));
  });
}

TEST(CsvTest, FieldsAreReadBack) {
  const std::vector<std::string> fields = {"plain.png", "a, b", "say \"x\"", " white ",
                                           "",          "it's", "a;b\t",     "two\nlines"};
  for (const char separator : {',', ';', '\t'}) {
    std::string text = "first";
    for (const std::string& field : fields) {
      absl::StrAppend(&text, std::string(1, separator), CsvField(field));
    }
    const auto lines = ParseCsv("x.csv", text + "\n", separator);
    ASSERT_TRUE(lines.ok()) << lines.status();
    ASSERT_EQ(lines->size(), 1u);
    EXPECT_THAT(lines->at(0).fields, ElementsAre("first", "plain.png", "a, b", "say \"x\"",
                                                 " white ", "", "it's", "a;b\t", "two\nlines"));
  }
  EXPECT_EQ(CsvField("plain.png"), "plain.png");
}

TEST(CsvTest, LinesAndQuotes) {
  EXPECT_EQ(Rows("a,b\n\nc\n"), "1:a|b 3:c");
  EXPECT_EQ(Rows("a,b\r\nc,d\r\n"), "1:a|b 2:c|d");
  EXPECT_EQ(Rows("a,b\rc,d"), "1:a|b 2:c|d");
  EXPECT_EQ(Rows("a , \"b,\"\"c\"\"\" ,\n,,\n"), "1:a|b,\"c\"|");
  EXPECT_EQ(Rows("\"two\r\nlines\",x\ny,z\n"), "1:two\nlines|x 3:y|z");
  EXPECT_EQ(Rows("a\t\tb c\t\n", '\t'), "1:a||b c|");
  EXPECT_THAT(Rows("x\n\"1.png\n"), HasSubstr("'x.csv' line 2: a quoted field does not end"));
  EXPECT_THAT(Rows("\"1.png\"x\n"), HasSubstr("line 1: a quoted field does not end"));
}

TEST(CsvTest, Encodings) {
  const std::string utf8 = "f\xC3\xBC\xF0\x9F\x99\x82,\xE2\x82\xAC\n";
  const std::u16string utf16 = u"f\u00FC\U0001F642,\u20AC\n";
  std::string little, big;
  for (const char16_t unit : utf16) {
    little += {static_cast<char>(unit & 0xFF), static_cast<char>(unit >> 8)};
    big += {static_cast<char>(unit >> 8), static_cast<char>(unit & 0xFF)};
  }
  EXPECT_EQ(DecodeText("\xEF\xBB\xBF" + utf8), utf8);
  EXPECT_EQ(DecodeText(utf8), utf8);
  EXPECT_EQ(DecodeText("\xFF\xFE" + little), utf8);
  EXPECT_EQ(DecodeText("\xFE\xFF" + big), utf8);
  EXPECT_EQ(DecodeText(little), utf8);
  EXPECT_EQ(DecodeText(big), utf8);
  EXPECT_EQ(DecodeText(std::string("\xFF\xFE\x00\xD8z\0", 6)), "\xEF\xBF\xBDz");
  EXPECT_EQ(DecodeText(""), "");
  // Latin-1 stays as it is.
  EXPECT_EQ(DecodeText("f\xFC,x"), "f\xFC,x");
}

TEST(CsvTest, BinaryFilesAreRefused) {
  const std::string path = TestFolder("lists") + "/x.csv";
  WriteTestFile(path, std::string("PK\x03\x04\0\0\0", 7));
  EXPECT_THAT(std::string(ReadCsv(path).status().message()),
              HasSubstr("'" + path + "' is not text"));
}

}  // namespace
}  // namespace data
