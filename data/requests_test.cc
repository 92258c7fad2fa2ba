#include "data/requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::HasSubstr;

// The names in a request of this text, each with its line; or the error.
std::string Read(const std::string& text) {
  const std::string path = TestFolder("lists") + "/request_01.csv";
  WriteTestFile(path, text);
  const auto images = ReadRequest(path);
  if (!images.ok()) return std::string(images.status().message());
  return absl::StrJoin(*images, " ", [](std::string* out, const RequestedImage& image) {
    absl::StrAppend(out, image.name, ":", image.line);
  });
}

TEST(RequestsTest, RequestsAreNames) {
  EXPECT_EQ(Read("filename\n3.png\n\n1.png\n"), "3.png:2 1.png:4");
  EXPECT_EQ(Read("\xEF\xBB\xBF\"3.png\",\r\n1.png,\r\n"), "3.png:1 1.png:2");
  EXPECT_EQ(Read("Name,\n\"a, b.png\"\n"), "a, b.png:2");
  EXPECT_EQ(Read(""), "");
}

TEST(RequestsTest, RequestsThatAreNone) {
  EXPECT_THAT(Read("file\n3.png\n1.png,7\n"),
              HasSubstr("request_01.csv' line 3: '1.png,7' is more than a name"));
  EXPECT_THAT(Read("3.png\n1.png\n3.png,\n"),
              HasSubstr("request_01.csv' line 3: '3.png' is in line 1 already"));
  EXPECT_THAT(Read("3.png\n\"1.png\n"), HasSubstr("line 2: a quoted field does not end"));
}

TEST(RequestsTest, FoundWithWhatIsThereOfThem) {
  const std::string folder = TestFolder("requests");
  for (const char* name : {"request_02.csv", "request_01.csv", "label_01.pt", "label_x.pt",
                           "request_01.csv.bak", "strata_01.csv"}) {
    WriteTestFile(absl::StrCat(folder, "/", name), "");
  }
  const auto requests = FindRequests(folder);
  ASSERT_TRUE(requests.ok()) << requests.status();
  const std::string found =
      absl::StrJoin(*requests, " ", [](std::string* out, const Request& request) {
        absl::StrAppend(out, request.number, ":", request.has_list, request.has_labels);
      });
  EXPECT_EQ(found, "01:11 02:10 x:01");
  EXPECT_EQ(requests->front().list, folder + "/request_01.csv");
  EXPECT_EQ(requests->front().labels, folder + "/label_01.pt");
}

}  // namespace
}  // namespace data
