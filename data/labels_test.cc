#include "data/labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::ElementsAre;

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
