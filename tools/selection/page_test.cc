#include "tools/selection/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <opencv2/core.hpp>
#include <regex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/rng.h"
#include "data/dataset.h"
#include "data/decode.h"
#include "data/test_images.h"
#include "nlohmann/json.hpp"
#include "tensors/npy.h"

namespace selection {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Features of `size` images around `clusters` directions: row i belongs to cluster i mod clusters.
lincls::FeatureTable Table(int64_t size, int clusters, int64_t dim = 16) {
  const std::string path = data::TestFolder("features") + "/backbone.npy";
  base::Rng rng(1, base::Purpose::kTest);
  auto writer = tensors::NpyWriter::Open(path, tensors::NpyType::kFloat32, dim, 0).value();
  std::vector<float> row(dim);
  std::vector<std::string> files;
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t d = 0; d < dim; ++d) {
      row[d] = static_cast<float>(rng.Uniform(-0.1, 0.1) + (d % clusters == i % clusters ? 1 : 0));
    }
    EXPECT_TRUE(writer->Append(row.data(), 1).ok());
    files.push_back(absl::StrCat(i, ".png"));
  }
  EXPECT_TRUE(writer->Sync().ok());
  return {.features = tensors::NpyMatrix::Open(path).value(), .files = std::move(files)};
}

// The first `each` of every cluster in two strata, "low energy" and "high energy"; the last image
// is excluded.
Selection Balanced(int64_t size, int clusters, int64_t each) {
  Selection selection;
  selection.images = size;
  selection.excluded = 1;
  selection.seed = 5;
  selection.strategy = "balanced";
  selection.energy = "density";
  for (int64_t i = 0; i < size; ++i) {
    selection.clusters.push_back(i == size - 1 ? -1 : static_cast<int>(i % clusters));
    selection.energies.push_back(i == size - 1 ? std::nanf("") : static_cast<float>(i) / size);
  }
  for (int half = 0; half < 2; ++half) {
    for (int c = 0; c < clusters; ++c) {
      Stratum stratum;
      stratum.name = absl::StrCat("cluster ", c, half == 0 ? ", low energy" : ", high energy");
      stratum.cluster = c;
      stratum.candidates = size / clusters / 2;
      stratum.quota = each;
      for (int64_t i = 0; i < each; ++i) {
        stratum.chosen.push_back((half * each + i) * clusters + c);
      }
      selection.strata.push_back(std::move(stratum));
    }
  }
  return selection;
}

// Image i is of one colour of its own; image 2 cannot be read.
class Colours : public data::Dataset {
 public:
  explicit Colours(int64_t size, bool noise = false) : size_(size), noise_(noise) {}

  static cv::Vec3b Colour(int64_t i) { return cv::Vec3b(20 * (i % 10), 10 * (i % 20), 128); }

  int64_t size() const override { return size_; }
  absl::StatusOr<cv::Mat> Image(int64_t i) const override {
    if (i == 2) return absl::DataLossError("is cut");
    if (noise_) return data::TestImage(static_cast<int>(i % 100), 48, 48);
    return cv::Mat(8, 8, CV_8UC3, cv::Scalar(Colour(i)));
  }
  std::string Name(int64_t i) const override { return absl::StrCat(i, ".png"); }
  int Label(int64_t i) const override { return -1; }
  const std::vector<std::string>& classes() const override { return classes_; }

 private:
  const int64_t size_;
  const bool noise_;
  const std::vector<std::string> classes_;
};

// Row 0 is of the last image.
lincls::TableImages Images(int64_t size, bool noise = false) {
  lincls::TableImages images = {std::make_unique<Colours>(size, noise), {}};
  for (int64_t row = 0; row < size; ++row) images.indices.push_back(size - 1 - row);
  return images;
}

// What the group stands for in each match of `pattern`.
std::vector<std::string> All(const std::string& page, const std::string& pattern) {
  const std::regex regex(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator it(page.begin(), page.end(), regex), end; it != end; ++it) {
    found.push_back((*it)[1]);
  }
  return found;
}

int64_t SumOf(const std::vector<std::string>& numbers) {
  int64_t sum = 0;
  for (const std::string& text : numbers) {
    int64_t number;
    EXPECT_TRUE(absl::SimpleAtoi(text, &number)) << text;
    sum += number;
  }
  return sum;
}

nlohmann::json MapData(const std::string& page) {
  const std::string begin = "id=\"map-data\">";
  const size_t from = page.find(begin) + begin.size();
  return nlohmann::json::parse(page.substr(from, page.find("</script>", from) - from));
}

// `page` without what is in pictures, which std::regex would take long for.
std::string WithoutPictures(const std::string& page) {
  std::string out;
  const std::string begin = "base64,";
  size_t from = 0;
  for (size_t at = page.find(begin); at != std::string::npos; at = page.find(begin, from)) {
    out += page.substr(from, at - from);
    from = page.find('"', at);
  }
  return out + page.substr(from);
}

std::string PageOf(const lincls::FeatureTable& table, const Selection& selection,
                   const PageOptions& options = {}) {
  const auto page = Page(table, selection, options);
  EXPECT_TRUE(page.ok()) << page.status();
  return page.ok() ? *page : "";
}

TEST(PageTest, CountsAddUp) {
  const lincls::FeatureTable table = Table(1500, 3);
  Selection selection = Balanced(1500, 3, 7);
  selection.strata[4].quota = 9;  // cluster 1, of which there are 7
  const std::string page = PageOf(table, selection, {.request = "request_01.csv"});
  EXPECT_THAT(page, HasSubstr("<h1>42 of 1,500 images to label</h1>"));
  EXPECT_THAT(page, HasSubstr("request_01.csv"));
  EXPECT_THAT(page, HasSubstr("<dt>Seed<dd>5</dd>"));
  EXPECT_THAT(page, HasSubstr("<tr><td>low energy<td>3<td>750<td>21<td>21</tr>"));
  EXPECT_THAT(page, HasSubstr("<tr><td>high energy<td>3<td>750<td>23<td>21</tr>"));
  EXPECT_THAT(page, HasSubstr("<tr><td>all<td>6<td>1,500<td>44<td>42</tr>"));
  EXPECT_THAT(All(page, "data-title=\"([^\"]*)\""),
              ElementsAre("cluster 0", "cluster 1", "cluster 2"));
  EXPECT_EQ(SumOf(All(page, "data-chosen=\"(\\d+)\"")), 42);
  EXPECT_EQ(SumOf(All(page, "data-quota=\"(\\d+)\"")), 44);
  EXPECT_THAT(All(page, "data-short=\"(\\d+)\""), ElementsAre("0", "2", "0"));
  EXPECT_THAT(All(page, ">(\\d+) short<"), ElementsAre("2", "2"));  // the cluster, the stratum
  EXPECT_EQ(All(page, "<figure>()").size(), 6);

  // The files of the strata, in their order, are those that the map's first dots belong to.
  std::vector<std::string> files;
  for (const int s : {0, 3, 1, 4, 2, 5}) {  // by cluster
    for (const int64_t row : selection.strata[s].chosen) files.push_back(table.files[row]);
  }
  EXPECT_EQ(All(page, "<li>([^<]*)</li>"), files);
  const nlohmann::json map = MapData(page);
  EXPECT_EQ(map["chosen"]["x"].size(), 42);
  EXPECT_EQ(map["chosen"]["y"].size(), 42);
  EXPECT_EQ(map["others"]["names"].size(), 1500 - 42 - 1);
  EXPECT_EQ(map["others"]["x"].size(), 1500 - 42 - 1);
  for (const nlohmann::json& name : map["others"]["names"]) {
    EXPECT_THAT(files, Not(testing::Contains(name.get<std::string>())));
    EXPECT_NE(name, "1499.png");  // excluded
  }
  EXPECT_THAT(page, HasSubstr("chosen, all 42<"));
  EXPECT_THAT(page, HasSubstr("not chosen, all 1,457<"));
  EXPECT_THAT(page, HasSubstr("There are no pictures"));
  EXPECT_EQ(page, PageOf(table, selection, {.request = "request_01.csv"}));
}

TEST(PageTest, TheMapKeepsClustersApart) {
  const lincls::FeatureTable table = Table(300, 3);
  const nlohmann::json map = MapData(PageOf(table, Balanced(300, 3, 10)));
  const nlohmann::json& x = map["chosen"]["x"];
  const nlohmann::json& y = map["chosen"]["y"];
  ASSERT_EQ(x.size(), 60);
  const auto distance = [&](int i, int j) {
    return std::hypot(x[i].get<double>() - x[j].get<double>(),
                      y[i].get<double>() - y[j].get<double>());
  };
  // 20 of each cluster, one after the other.
  for (int i = 0; i < 60; ++i) {
    for (int j = 0; j < 60; ++j) {
      if (i / 20 == j / 20) {
        EXPECT_LT(distance(i, j), 1000);
      } else {
        EXPECT_GT(distance(i, j), 2000);
      }
    }
    EXPECT_LE(x[i].get<int>(), map["width"].get<int>());
    EXPECT_LE(y[i].get<int>(), map["height"].get<int>());
  }
}

TEST(PageTest, AsksNoNetwork) {
  const lincls::TableImages images = Images(60);
  const std::string page =
      WithoutPictures(PageOf(Table(60, 3), Balanced(60, 3, 7), {.images = &images}));
  for (const char* text : {"http:", "https:", "<link", "@import", "url(", "fetch(", "<iframe",
                           "src=\"//", "XMLHttpRequest", "WebSocket"}) {
    EXPECT_THAT(page, Not(HasSubstr(text)));
  }
  EXPECT_EQ(All(page, "src=\"([^\"]*)\""), std::vector<std::string>(6, "data:image/jpeg;"));
  EXPECT_EQ(All(page, "(href)=").size(), 0);
  EXPECT_THAT(page, HasSubstr("default-src 'none'; img-src data:;"));
}

TEST(PageTest, NamesAreText) {
  lincls::FeatureTable table = Table(60, 3);
  Selection selection = Balanced(60, 3, 7);
  const std::string evil = "</script><script>alert('1')</script>\" onload=\"x&\xFF.png";
  for (std::string& file : table.files) file = evil + file;
  table.source.path = table.checkpoint = evil;
  selection.strategy = selection.energy = evil;
  selection.notes = {evil};
  selection.strata[0].name = evil;
  const lincls::TableImages images = Images(60);
  const std::string page = PageOf(table, selection, {.request = evil, .images = &images});
  EXPECT_EQ(page.find('\xFF'), std::string::npos);
  const std::string text = WithoutPictures(page);
  EXPECT_EQ(All(text, "(<script)").size(), 2);
  EXPECT_EQ(All(text, "(</script>)").size(), 2);
  EXPECT_THAT(text, Not(HasSubstr("alert('1')</script>\"")));
  EXPECT_THAT(text, Not(HasSubstr("\" onload=\"")));
  EXPECT_THAT(text, HasSubstr("<li>&#60;/script&#62;&#60;script&#62;alert(&#39;1&#39;)"));
  const nlohmann::json map = MapData(page);
  EXPECT_TRUE(absl::StartsWith(map["others"]["names"][0].get<std::string>(),
                               "</script><script>alert('1')"));
}

TEST(PageTest, PicturesAreThoseOfTheStrata) {
  const lincls::TableImages images = Images(60);
  const std::string page = PageOf(Table(60, 3), Balanced(60, 3, 7), {.images = &images});
  EXPECT_THAT(page, HasSubstr("The pictures show 42 of the 42 chosen images, at 96 pixels"));
  const std::vector<std::string> sheets = All(page, "base64,([^\"]*)\"");
  ASSERT_EQ(sheets.size(), 6);
  // The second stratum of cluster 1 holds rows 22, 25, ...
  std::string jpeg;
  ASSERT_TRUE(absl::Base64Unescape(sheets[3], &jpeg));
  const auto sheet = data::DecodeImage(jpeg);
  ASSERT_TRUE(sheet.ok()) << sheet.status();
  ASSERT_EQ(sheet->size(), cv::Size(7 * 96, 96));
  for (int i = 0; i < 7; ++i) {
    const cv::Vec3b colour = sheet->at<cv::Vec3b>(48, i * 96 + 48);
    EXPECT_LT(cv::norm(colour, Colours::Colour(59 - (22 + 3 * i)), cv::NORM_INF), 6) << i;
  }
}

TEST(PageTest, ManyPicturesAreSmallerAndNotAll) {
  constexpr int64_t kSize = 42'000;
  // Noise, of which JPEG can leave nothing out, and one stratum that is far larger than the others.
  const lincls::TableImages images = Images(kSize, /*noise=*/true);
  Selection selection = Balanced(kSize, 3, 100);
  Stratum large;
  large.name = "all others";
  for (int64_t row = 600; row < 19'400 + 600; ++row) large.chosen.push_back(row);
  selection.strata.push_back(large);
  const std::string page = PageOf(Table(kSize, 3), selection, {.images = &images});
  EXPECT_LT(page.size(), 25'000'000u);
  EXPECT_GT(page.size(), 10'000'000u);
  EXPECT_THAT(page,
              HasSubstr("The pictures show 13,888 of the 20,000 chosen images, at 48 pixels"));
  const std::string text = WithoutPictures(page);
  EXPECT_EQ(SumOf(All(text, "data-count=\"(\\d+)\"")), 13'888);
  EXPECT_THAT(text, HasSubstr("100 of 7,000 candidates, quota 100</figcaption>"));
  EXPECT_THAT(text, HasSubstr("; the first 13,288 are shown</figcaption>"));
  EXPECT_THAT(text, HasSubstr("not chosen, a sample of 20,000<"));
}

TEST(PageTest, StrategiesWithoutClustersOrEnergies) {
  Selection selection;
  selection.images = 50;
  selection.strategy = "random";
  selection.strata = {{.name = "all", .candidates = 50, .quota = 3, .chosen = {4, 1, 7}}};
  const std::string page = PageOf(Table(50, 2), selection);
  EXPECT_THAT(page, HasSubstr("<h1>3 of 50 images to label</h1>"));
  EXPECT_THAT(page, Not(HasSubstr("<svg")));
  EXPECT_THAT(page, Not(HasSubstr("<dt>Energy")));
  EXPECT_THAT(page, Not(HasSubstr("<button")));
  EXPECT_THAT(page, Not(HasSubstr("<table")));
  EXPECT_THAT(page, HasSubstr("<b>all</b>3 of 50 candidates, quota 3</figcaption>"));
  EXPECT_THAT(All(page, "<li>([^<]*)</li>"), ElementsAre("4.png", "1.png", "7.png"));
}

TEST(PageTest, EnergiesThatAreAllEqual) {
  Selection selection = Balanced(60, 3, 7);
  for (float& energy : selection.energies) energy = std::isnan(energy) ? energy : 2.0f;
  const std::string page = PageOf(Table(60, 3), selection);
  EXPECT_THAT(page, HasSubstr("median of all 2, of the chosen 2"));
  EXPECT_THAT(page, HasSubstr("<svg"));
  EXPECT_THAT(page.substr(page.find("<svg")), Not(HasSubstr("nan")));
}

TEST(PageTest, FeaturesThatAreNotFinite) {
  const std::string path = data::TestFolder("features") + "/backbone.npy";
  const float values[] = {1, 2, 3, std::numeric_limits<float>::infinity()};
  auto writer = tensors::NpyWriter::Open(path, tensors::NpyType::kFloat32, 2, 0).value();
  ASSERT_TRUE(writer->Append(values, 2).ok() && writer->Sync().ok());
  Selection selection;
  selection.strata = {{.name = "all", .candidates = 2, .quota = 1, .chosen = {0}}};
  const auto page =
      Page({.features = tensors::NpyMatrix::Open(path).value(), .files = {"0.png", "1.png"}},
           selection, {});
  EXPECT_EQ(page.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(page.status().message()), HasSubstr("backbone.npy"));
}

}  // namespace
}  // namespace selection
