// NumPy's arrays as images: values as numpy reads them, and what is refused. (Every type of values
// is compared with numpy in tests/parity/codecs_test.py.)
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/codec.h"
#include "data/decode.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <class T>
std::string Bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::vector<float> Values(const std::string& file, const DecodeOptions& options) {
  const auto image = DecodeImage(file, options);
  EXPECT_TRUE(image.ok()) << image.status();
  if (!image.ok()) return {};
  cv::Mat values;
  image->convertTo(values, CV_32F);
  return {values.ptr<float>(), values.ptr<float>() + values.total() * values.channels()};
}

TEST(NpyTest, OrderAndBytesAreAsNumpyReadsThem) {
  // 2 x 3 pixels: in rows, and in columns.
  EXPECT_THAT(Values(NpyFile("|u1", "(2, 3)", std::string("\1\2\3\4\5\6", 6)), {.channels = 1}),
              ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(
      Values(NpyFile("|u1", "(2, 3)", std::string("\1\4\2\5\3\6", 6), true), {.channels = 1}),
      ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(Values(NpyFile(">i2", "(1, 2)", std::string("\xFF\xFE\0\2", 4)),
                     {.channels = 1, .raw = true}),
              ElementsAre(-2, 2));
  // 1 x 2 pixels of 2 channels, in Fortran order.
  EXPECT_THAT(Values(NpyFile("<f8", "(1, 2, 2)", Bytes<double>({1, 3, 2, 4}), true),
                     {.channels = 2, .raw = true}),
              ElementsAre(1, 2, 3, 4));
}

TEST(NpyTest, ManyChannelsAndWideValues) {
  std::vector<uint16_t> wide(5 * 6 * 7);
  for (size_t i = 0; i < wide.size(); ++i) wide[i] = static_cast<uint16_t>(300 * i);
  const std::string file = NpyFile("<u2", "(5, 6, 7)", Bytes(wide));
  const auto image = DecodeImage(file, {.channels = 7});
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->type(), CV_32FC(7));
  EXPECT_FLOAT_EQ(image->ptr<float>(4)[41], wide.back() / 65535.0f);
  EXPECT_THAT(std::string(DecodeImage(file).status().message()), HasSubstr("channels=7"));
  const StoredPixels stored = FindCodec(file)->Open(file).value()->stored();
  EXPECT_EQ(stored.mode, "7 channels");
  EXPECT_EQ(stored.bits, 16);
  const std::string floats = NpyFile("<f4", "(1, 2)", Bytes<float>({0.5, 2}));
  EXPECT_THAT(std::string(DecodeImage(floats).status().message()), HasSubstr("--range"));
  EXPECT_THAT(Values(floats, {.channels = 1, .range = {{0, 2}}}), ElementsAre(0.25, 1));
}

TEST(NpyTest, OtherArraysAreRefusedWithWhatToDo) {
  const auto refused = [](const std::string& dtype, const std::string& shape, int values,
                          int channels = 3) {
    const std::string file = NpyFile(dtype, shape, std::string(values, '\0'));
    const absl::Status status = DecodeImage(file, {.channels = channels}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << shape;
    return std::string(status.message());
  };
  // C x H x W, by its few rows, its many channels, or the channels that the network has.
  const std::string turn = "x.transpose(1, 2, 0)";
  EXPECT_THAT(refused("|u1", "(3, 9, 8)", 216), AllOf(HasSubstr("(3, 9, 8)"), HasSubstr(turn)));
  EXPECT_THAT(refused("|u1", "(1, 9, 8)", 72), HasSubstr(turn));
  EXPECT_THAT(refused("|u1", "(5, 9, 65)", 5 * 9 * 65), HasSubstr(turn));
  EXPECT_THAT(refused("|u1", "(5, 9, 8)", 5 * 9 * 8, 5), HasSubstr(turn));
  EXPECT_THAT(refused("|u1", "(5, 8, 8)", 5 * 8 * 8), HasSubstr(turn));
  EXPECT_THAT(refused("|u1", "(70, 9, 65)", 70 * 9 * 65), HasSubstr("64 channels"));
  EXPECT_THAT(refused("|u1", "(2, 9, 8, 3)", 432), HasSubstr("give the file itself as data"));
  EXPECT_THAT(refused("|u1", "(1, 9, 8, 3)", 216), HasSubstr("x[0]"));
  EXPECT_THAT(refused("|u1", "(9,)", 9), HasSubstr("H x W"));
  EXPECT_THAT(refused("|u1", "()", 1), HasSubstr("H x W"));
  EXPECT_THAT(refused("|b1", "(9, 8)", 72), HasSubstr("x.astype('uint8') * 255"));
  EXPECT_THAT(refused("<c8", "(9, 8)", 576), HasSubstr("x.astype('float32')"));
  EXPECT_THAT(refused("|O", "(9, 8)", 72), HasSubstr("pickle"));
  EXPECT_THAT(refused("[('a', '|u1')]", "(9, 8)", 72), HasSubstr("astype"));
  EXPECT_THAT(refused("|u1", "(9, 8)", 71), HasSubstr("truncated"));
  for (const char* shape : {"(0, 8)", "(9, 0)", "(0, 0, 3)"}) {
    EXPECT_THAT(refused("|u1", shape, 9), HasSubstr("no pixels")) << shape;
  }
  EXPECT_THAT(refused("|u1", "(9, 8, 0)", 9), HasSubstr("channels"));
}

}  // namespace
}  // namespace data
