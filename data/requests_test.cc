#include "data/requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::HasSubstr;

// The names in a request of this text, each with its line; or the error.
std::string NamesIn(const std::string& text) {
  const std::string path = TestFolder("lists") + "/request_01.csv";
  WriteTestFile(path, text);
  const auto images = ReadRequest(path);
  if (!images.ok()) return std::string(images.status().message());
  return absl::StrJoin(*images, " ", [](std::string* out, const RequestedImage& image) {
    absl::StrAppend(out, image.name, ":", image.line);
  });
}

TEST(RequestsTest, RequestsAreNames) {
  EXPECT_EQ(NamesIn("filename\n3.png\n\n1.png\n"), "3.png:2 1.png:4");
  EXPECT_EQ(NamesIn("\xEF\xBB\xBF\"3.png\",\r\n1.png,\r\n"), "3.png:1 1.png:2");
  EXPECT_EQ(NamesIn("Name,\n\"a, b.png\"\n"), "a, b.png:2");
  EXPECT_EQ(NamesIn(""), "");
}

TEST(RequestsTest, RequestsThatAreNone) {
  EXPECT_THAT(NamesIn("file\n3.png\n1.png,7\n"), HasSubstr("request_01.csv' line 3: "));
  EXPECT_THAT(NamesIn("3.png\n1.png\n3.png,\n"), HasSubstr("request_01.csv' line 3: '3.png' "));
  EXPECT_THAT(NamesIn("3.png\n\"1.png\n"), HasSubstr("line 2: a quoted field does not end"));
}

TEST(RequestsTest, ListsAndLabelsAreFoundWithTheOneThatIsMissing) {
  const std::string folder = TestFolder("data");
  for (const char* name : {"request_02.csv", "label_02.pt", "request_01.csv", "label_10.pt",
                           "request_03.csv.bak", "request_03.txt", "labels_04.pt"}) {
    WriteTestFile(absl::StrCat(folder, "/", name), "");
  }
  const auto requests = FindRequests(folder);
  ASSERT_TRUE(requests.ok()) << requests.status();
  const auto text = [&](std::string* out, const Request& request) {
    absl::StrAppend(out, request.number, request.has_list ? " list" : "",
                    request.has_labels ? " labels" : "");
    EXPECT_EQ(request.list, absl::StrCat(folder, "/request_", request.number, ".csv"));
    EXPECT_EQ(request.labels, absl::StrCat(folder, "/label_", request.number, ".pt"));
  };
  EXPECT_EQ(absl::StrJoin(*requests, ", ", text), "01 list, 02 list labels, 10 labels");
}

}  // namespace
}  // namespace data
