#include "data/labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The names in a request of this text, each with its line; or the error.
std::string Request(const std::string& text) {
  const std::string path = TestFolder("lists") + "/request_01.csv";
  WriteTestFile(path, text);
  const auto lines = ReadRequest(path);
  if (!lines.ok()) return std::string(lines.status().message());
  return absl::StrJoin(*lines, " ", [](std::string* out, const Line& line) {
    EXPECT_EQ(line.fields.size(), 1);
    absl::StrAppend(out, line.fields[0], ":", line.number);
  });
}

TEST(LabelsTest, RequestsAreNames) {
  EXPECT_EQ(Request("filename\n3.png\n\n1.png\n"), "3.png:2 1.png:4");
  EXPECT_EQ(Request("\xEF\xBB\xBF\"3.png\",\r\n1.png,\r\n"), "3.png:1 1.png:2");
  EXPECT_EQ(Request("Name,\n\"a, b.png\"\n"), "a, b.png:2");
  EXPECT_EQ(Request(""), "");
}

TEST(LabelsTest, RequestsThatAreNone) {
  EXPECT_THAT(Request("file\n3.png\n1.png,7\n"),
              HasSubstr("request_01.csv' line 3: '1.png,7' is more than a name"));
  EXPECT_THAT(Request("3.png\n1.png\n3.png,\n"),
              HasSubstr("request_01.csv' line 3: '3.png' is in line 1 already"));
  EXPECT_THAT(Request("3.png\n\"1.png\n"), HasSubstr("line 2: a quoted field does not end"));
}

TEST(LabelsTest, FieldsAreReadBack) {
  const std::vector<std::string> fields = {"plain.png", "a, b", "say \"x\"", " white ", "", "it's"};
  std::string text = "first";
  for (const std::string& field : fields) absl::StrAppend(&text, ",", CsvField(field));
  const std::string path = TestFolder("lists") + "/fields.csv";
  WriteTestFile(path, text + "\n");
  const auto lines = ReadCsv(path);
  ASSERT_TRUE(lines.ok()) << lines.status();
  EXPECT_THAT(lines->at(0).fields,
              ElementsAre("first", "plain.png", "a, b", "say \"x\"", " white ", "", "it's"));
  EXPECT_EQ(CsvField("plain.png"), "plain.png");
}

}  // namespace
}  // namespace data
