#include "data/test_images.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <opencv2/core.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
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
  absl::StrFormat("%07o", 0644).copy(&block[100], 7);
  absl::StrFormat("%011o", contents.size()).copy(&block[124], 11);
  block[156] = type;
  block.replace(257, 8, std::string("ustar\00000", 8));
  block.replace(148, 8, "        ");
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<uint8_t>(c);
  block.replace(148, 7, absl::StrFormat("%06o%c", sum, '\0'));
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

namespace {

std::string Number(uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

std::string Deflated(const std::string& bytes) {
  std::string packed(bytes.size() + 1000, '\0');
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace

std::string ZipArchive(const std::vector<ZipMember>& members, bool zip64) {
  constexpr uint64_t kIn64Bits = 0xffffffff;
  std::string file, directory;
  for (const ZipMember& m : members) {
    const std::string packed = m.deflated ? Deflated(m.contents) : m.contents;
    const uint64_t size = m.size < 0 ? m.contents.size() : m.size, at = file.size();
    const uint64_t crc =
        crc32_z(0, reinterpret_cast<const Bytef*>(m.contents.data()), m.contents.size());
    const uint64_t method = m.method >= 0 ? m.method : m.deflated ? 8 : 0;
    const std::string sizes = zip64 ? Number(kIn64Bits, 4) + Number(kIn64Bits, 4)
                                    : Number(packed.size(), 4) + Number(size, 4);
    const std::string sizes64 = zip64 ? Number(size, 8) + Number(packed.size(), 8) : std::string();
    const auto extra = [](const std::string& numbers) {
      return numbers.empty() ? "" : Number(1, 2) + Number(numbers.size(), 2) + numbers;
    };
    const std::string there = extra(zip64 ? sizes64 + Number(at, 8) : "");
    const std::string first = Number(m.flags, 2) + Number(method, 2) + Number(0, 4);
    directory += absl::StrCat(Number(0x02014b50, 4), Number(45 | m.system << 8, 2), Number(45, 2),
                              first, Number(crc, 4), sizes, Number(m.name.size(), 2),
                              Number(there.size(), 2), Number(0, 6), Number(m.attributes, 4),
                              Number(zip64 ? kIn64Bits : at, 4), m.name, there);
    const bool follow = (m.flags & 8) != 0;
    // Unlike the directory's, this extra field has a time, too.
    const std::string here =
        (follow ? "" : extra(sizes64)) + Number(0x5455, 2) + Number(5, 2) + Number(1, 5);
    absl::StrAppend(&file, Number(0x04034b50, 4), Number(45, 2), first,
                    follow ? Number(0, 12) : Number(crc, 4) + sizes, Number(m.name.size(), 2),
                    Number(here.size(), 2), m.name, here, packed);
    if (follow) {
      absl::StrAppend(&file, Number(0x08074b50, 4), Number(crc, 4),
                      Number(packed.size(), zip64 ? 8 : 4), Number(size, zip64 ? 8 : 4));
    }
  }
  const uint64_t begin = file.size(), end = begin + directory.size(), n = members.size();
  file += directory;
  if (zip64) {
    absl::StrAppend(&file, Number(0x06064b50, 4), Number(44, 8), Number(45, 2), Number(45, 2),
                    Number(0, 8), Number(n, 8), Number(n, 8), Number(directory.size(), 8),
                    Number(begin, 8));
    absl::StrAppend(&file, Number(0x07064b50, 4), Number(0, 4), Number(end, 8), Number(1, 4));
  }
  const std::string counts =
      zip64 ? Number(0xffff, 2) + Number(0xffff, 2) + Number(kIn64Bits, 4) + Number(kIn64Bits, 4)
            : Number(n, 2) + Number(n, 2) + Number(directory.size(), 4) + Number(begin, 4);
  return absl::StrCat(file, Number(0x06054b50, 4), Number(0, 4), counts, Number(0, 2));
}

std::string NpyFile(const std::string& dtype, const std::string& shape, const std::string& values,
                    bool fortran_order) {
  std::string dict =
      absl::StrCat("{'descr': '", dtype, "', 'fortran_order': ", fortran_order ? "True" : "False",
                   ", 'shape': ", shape, ", }");
  dict.resize(117, ' ');
  return absl::StrCat("\x93NUMPY", std::string{1, 0, 118, 0}, dict, "\n", values);
}

std::string TarEnd() { return std::string(1024, '\0'); }

}  // namespace data
