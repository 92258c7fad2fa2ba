#include "data/test_images.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <opencv2/core.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/rng.h"
#include "tensors/dtype.h"
#include "tensors/pickle.h"

namespace data {

cv::Mat TestImage(int seed, int rows, int cols) {
  cv::Mat image(rows, cols, CV_8UC3);
  base::Rng rng(seed, base::Purpose::kTest);
  for (uint8_t* p = image.data; p != image.dataend; ++p) *p = rng.UniformInt(0, 255);
  return image;
}

std::string TestFolder(const std::string& name) {
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  const std::string unique =
      absl::StrReplaceAll(absl::StrCat(test.test_suite_name(), ".", test.name()), {{"/", "."}});
  const std::string path = absl::StrCat(testing::TempDir(), "/", unique, "/", name);
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

void WriteTestFile(const std::string& path, const std::string& contents) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  ASSERT_TRUE(std::ofstream(path, std::ios::binary) << contents) << path;
}

bool SameImage(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && a.type() == b.type() && cv::norm(a, b, cv::NORM_INF) == 0;
}

std::string TarEntry(const std::string& name, const std::string& contents, char type) {
  std::string block(512, '\0');
  EXPECT_LE(name.size(), 100u);
  name.copy(&block[0], 100);
  std::snprintf(&block[100], 8, "%07o", 0644);
  std::snprintf(&block[124], 12, "%011zo", contents.size());
  block[156] = type;
  block.replace(257, 8, std::string("ustar\00000", 8));
  block.replace(148, 8, "        ");
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<uint8_t>(c);
  std::snprintf(&block[148], 8, "%06o", sum);
  return absl::StrCat(block, contents, std::string((512 - contents.size() % 512) % 512, '\0'));
}

std::string LabelTensor(const std::vector<int64_t>& labels) {
  tensors::pickle::Writer out(/*protocol=*/3);
  const int64_t size = labels.size();
  out.BeginArray(*tensors::FindDType(&tensors::DType::name, "int64"), {size},
                 static_cast<uint32_t>(8 * size));
  std::string file = out.Flush();
  file.append(reinterpret_cast<const char*>(labels.data()), 8 * size);
  out.EndArray();
  return file + out.Finish();
}

std::string TarEnd() { return std::string(1024, '\0'); }

}  // namespace data
