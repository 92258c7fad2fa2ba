// The decoder against Pillow's own results. Damaged files are in codecs/codec_contract_test.cc.
#include "data/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <memory>
#include <opencv2/core.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/hex.h"
#include "data/codec.h"
#include "data/orientation.h"
#include "data/test_images.h"
#include "registry/no_options.h"
#include "registry/registry.h"

namespace data {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string Sample(const std::string& name) {
  return base::ReadFile("data/testdata/samples/" + name).value();
}

struct Golden {
  std::string name;
  std::string bytes;
  cv::Mat seen;  // by Pillow
};

// testdata/decode_golden.txt; see make_decode_golden.py.
const std::vector<Golden>& AllGolden() {
  static const auto& all = *[] {
    auto* read = new std::vector<Golden>;
    std::ifstream file("data/testdata/decode_golden.txt");
    file.ignore(1000, '\n');  // the versions that made it
    std::string name, hex;
    for (int cols, rows; file >> name >> cols >> rows >> hex;) {
      std::string rgb = base::BytesOfHex(hex).value();
      EXPECT_EQ(rgb.size(), 3u * rows * cols);
      read->push_back({name, Sample(name), cv::Mat(rows, cols, CV_8UC3, rgb.data()).clone()});
    }
    return read;
  }();
  return all;
}

// One line that says what is wrong.
void ExpectRefused(const std::string& bytes, const std::string& what) {
  const auto image = DecodeImage(bytes);
  ASSERT_FALSE(image.ok()) << what;
  EXPECT_EQ(image.status().code(), absl::StatusCode::kDataLoss) << what;
  EXPECT_FALSE(absl::StrContains(image.status().message(), "\n")) << image.status();
}

// What Pillow keeps of an image with more than 8 bits: of 16-bit grey nothing useful, so that the
// golden file has it scaled; of PPM scaled values; of colours the upper 8 bits; of values of 32
// bits and those with a sign what is between 0 and 255.
cv::Mat WhatPillowKeeps(const std::string& name, const cv::Mat& image) {
  if (image.depth() == CV_8U) return image;
  cv::Mat kept(image.rows, image.cols, CV_8UC3);
  for (int y = 0; y < image.rows; ++y) {
    for (int i = 0; i < 3 * image.cols; ++i) {
      const float value = image.ptr<float>(y)[i];
      const int of_16_bits = static_cast<int>(std::lround(value * 65535));
      EXPECT_NEAR(value * 65535, of_16_bits, name[0] == 'f' ? 1 : 0.01) << name;
      kept.ptr(y)[i] = absl::StartsWith(name, "grey_16") || absl::EndsWith(name, ".ppm")
                           ? (of_16_bits * 255 + 32895) >> 16
                       : absl::StartsWith(name, "float") || absl::StartsWith(name, "int")
                           ? static_cast<int>(value * 255 + 1e-3)
                           : of_16_bits >> 8;
    }
  }
  return kept;
}

TEST(DecodeTest, EqualToPillow) {
  ASSERT_EQ(AllGolden().size(), 133u);
  for (const Golden& golden : AllGolden()) {
    const bool any = absl::StartsWith(golden.name, "float") || absl::StartsWith(golden.name, "int");
    DecodeOptions options;
    if (any) options.range = {{0, 255}};
    const auto image = DecodeImage(golden.bytes, options);
    ASSERT_TRUE(image.ok()) << golden.name << " " << image.status();
    ASSERT_EQ(image->size(), golden.seen.size()) << golden.name;
    ASSERT_EQ(image->channels(), 3);
    EXPECT_EQ(cv::norm(WhatPillowKeeps(golden.name, *image), golden.seen, cv::NORM_INF), 0)
        << golden.name;
  }
}

// --- More than 8 bits, more than 4 channels ---

TEST(DecodeTest, SixteenBitsAreKept) {
  const cv::Mat image = DecodeImage(Sample("grey_16.png"), {.channels = 1}).value();
  ASSERT_EQ(image.type(), CV_32FC1);
  const cv::Mat raw = DecodeImage(Sample("grey_16.png"), {.channels = 1, .raw = true}).value();
  ASSERT_EQ(raw.type(), CV_16UC1);
  std::set<uint16_t> lower;
  for (int y = 0; y < raw.rows; ++y) {
    for (int x = 0; x < raw.cols; ++x) {
      const uint16_t value = raw.at<uint16_t>(y, x);
      EXPECT_EQ(image.at<float>(y, x), static_cast<float>(value) / 65535.0f);
      lower.insert(value & 255);
    }
  }
  EXPECT_GT(lower.size(), 10u) << "the sample has no lower bits";
}

TEST(DecodeTest, ARangeMapsValuesAndClipsThem) {
  const auto finished = [](const cv::Mat& stored, std::vector<ValueRange> range, int channels) {
    return FinishImage(stored, {.channels = channels, .range = std::move(range)}).value();
  };
  const cv::Mat stored = (cv::Mat_<uint16_t>(1, 4) << 0, 100, 2100, 4200);
  const cv::Mat mapped = finished(stored, {{100, 4100}}, 1);
  EXPECT_EQ(cv::norm(mapped, cv::Mat((cv::Mat_<float>(1, 4) << 0, 0, 0.5, 1)), cv::NORM_INF), 0);
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = INFINITY;
  const cv::Mat floats = (cv::Mat_<float>(1, 4) << -1000, 0, nan, inf);
  EXPECT_EQ(cv::norm(finished(floats, {{-1000, 1000}}, 1),
                     cv::Mat((cv::Mat_<float>(1, 4) << 0, 0.5, 0, 1)), cv::NORM_INF),
            0);
  const cv::Mat two(1, 1, CV_16UC2, cv::Scalar(50, 50));
  const cv::Vec2f each = finished(two, {{0, 100}, {0, 200}}, 2).at<cv::Vec2f>(0, 0);
  EXPECT_EQ(each[0], 0.5f);
  EXPECT_EQ(each[1], 0.25f);
  // 8 bits are not mapped.
  EXPECT_TRUE(SameImage(finished(TestImage(1), {{0, 4095}}, 3), TestImage(1)));
}

TEST(DecodeTest, ValuesOf32BitsNeedARange) {
  const absl::Status refused = DecodeImage(Sample("float_le.tif")).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("--range"));
  EXPECT_EQ(DecodeImage(Sample("float_le.tif"), {.channels = 1, .raw = true})->type(), CV_32FC1);
}

TEST(DecodeTest, ManyChannelsAreReadAsTheyAre) {
  for (const int channels : {5, 64}) {
    const cv::Mat stored(2, 3, CV_16UC(channels), cv::Scalar::all(0));
    EXPECT_EQ(FinishImage(stored, {.channels = channels})->type(), CV_32FC(channels));
    for (const int others : {1, 3, 4, 6}) {
      const absl::Status refused = FinishImage(stored, {.channels = others}).status();
      EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss);
      EXPECT_THAT(std::string(refused.message()), HasSubstr(absl::StrCat("channels=", channels)));
    }
    EXPECT_EQ(ToRgb8(FinishImage(stored, {.channels = channels}).value()).type(), CV_8UC3);
  }
  EXPECT_FALSE(FinishImage(TestImage(1), {.channels = 5}).ok());
}

TEST(DecodeTest, ColoursForPeople) {
  cv::Mat many(1, 1, CV_32FC(5));
  for (int c = 0; c < 5; ++c) many.ptr<float>(0)[c] = 0.2f * static_cast<float>(c);
  EXPECT_EQ(ToRgb8(many).at<cv::Vec3b>(0, 0), cv::Vec3b(0, 51, 102));
  EXPECT_EQ(ToRgb8(cv::Mat(1, 1, CV_32FC1, cv::Scalar(1))).at<cv::Vec3b>(0, 0),
            cv::Vec3b(255, 255, 255));
  EXPECT_TRUE(SameImage(ToRgb8(TestImage(1)), TestImage(1)));
}

// A tag that asks for a turned picture is ignored unless it is to be applied.
TEST(DecodeTest, OrientationIsAppliedOnlyWhenAskedFor) {
  EXPECT_THAT(Sample("turned.jpg"), HasSubstr("Exif"));
  const cv::Mat stored = DecodeImage(Sample("rgb_420.jpg")).value();
  EXPECT_TRUE(SameImage(DecodeImage(Sample("turned.jpg")).value(), stored));
  EXPECT_TRUE(SameImage(DecodeImage(Sample("rgb_420.jpg"), {.apply_exif = true}).value(), stored));
  for (int channels = 1; channels <= 4; ++channels) {
    EXPECT_TRUE(SameImage(
        DecodeImage(Sample("turned.jpg"), {.channels = channels, .apply_exif = true}).value(),
        Turned(ToChannels(stored, channels), 6)));
  }
}

// --- Odd and damaged JPEG files. tests/parity/photos_test.py has many more. ---

// Where the data of the first scan begin.
size_t DataOf(const std::string& jpeg) {
  const size_t scan = jpeg.find("\xFF\xDA");
  return scan + 2 + static_cast<uint8_t>(jpeg[scan + 3]);
}

TEST(DecodeTest, OddJpegsWithAllPixelsAreRead) {
  for (const char* name : {"rgb_420.jpg", "grey.jpg", "cmyk.jpg", "progressive.jpg"}) {
    const std::string jpeg = Sample(name), body = jpeg.substr(0, jpeg.size() - 2);
    const cv::Mat whole = DecodeImage(jpeg).value();
    std::vector<std::string> odd = {
        body,                                         // no end mark
        body + "\xFF",                                // half of it
        body + std::string(1000, '\0'),               // zeros for it
        body + std::string(1000, '\0') + "\xFF\xD9",  // zeros before it
        jpeg + std::string(1000, '\0') + "trailer",   //
        body + "stuffing\xFF\xD9",                    //
        body + jpeg,                                  // another image before it
        jpeg + jpeg,                                  // or behind it
        jpeg.substr(0, jpeg.find("\xFF\xDB")) + "x\xFF" + jpeg.substr(jpeg.find("\xFF\xDB"))};
    if (absl::StartsWith(name, "rgb") || absl::StartsWith(name, "grey")) {
      std::string scan = jpeg;  // as phones write it
      scan[DataOf(jpeg) - 2] = '\0';
      std::string version = jpeg;
      version[version.find("JFIF") + 5] = '\2';
      odd.insert(odd.end(), {scan, version});
    }
    for (size_t i = 0; i < odd.size(); ++i) {
      const auto image = DecodeImage(odd[i]);
      ASSERT_TRUE(image.ok()) << name << " " << i << " " << image.status();
      EXPECT_TRUE(SameImage(*image, whole)) << name << " " << i;
    }
  }
}

TEST(DecodeTest, KindsOfJpegThatLibjpegDoesNotReadAreNotCalledDamaged) {
  const std::string jpeg = Sample("grey.jpg");
  const size_t frame = jpeg.find("\xFF\xC0");
  for (const auto& [at, byte] :
       {std::pair(frame + 4, '\x0C'), std::pair(frame + 1, '\xC3')}) {  // 12 bits; lossless
    std::string other = jpeg;
    other[at] = byte;
    const absl::Status status = DecodeImage(other).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("JPEG"), HasSubstr("convert it"), Not(HasSubstr("damaged"))));
  }
}

TEST(DecodeTest, JpegsCutWithinTheirPixelsAreRefused) {
  for (const char* name :
       {"rgb_420.jpg", "grey.jpg", "cmyk.jpg", "progressive.jpg", "restarts.jpg"}) {
    const std::string jpeg = Sample(name);
    const size_t data = DataOf(jpeg), last = jpeg.size() - 3;
    for (size_t size = data; size < last; size += 1 + (last - data) / 50) {
      const std::string cut = jpeg.substr(0, size), zeros(jpeg.size() - size, '\0');
      const std::string what = absl::StrCat(name, " cut to ", size);
      ExpectRefused(cut, what);
      ExpectRefused(cut + "\xFF\xD9", what + " with an end mark");
      ExpectRefused(cut + zeros, what + " with zeros");
      ExpectRefused(cut + zeros + std::string(5000, '\0'), what + " with more zeros");
      ExpectRefused(cut + zeros + "\xFF\xD9", what + " with zeros and an end mark");
      ExpectRefused(cut + jpeg, what + " with another image");
    }
  }
}

constexpr char kFlatBegin[] =
    "ffd8ffe000104a46494600010100000100010000ffdb004300080606070605080707070909080a0c140d0c0b0b"
    "0c1912130f141d1a1f1e1d1a1c1c20242e2720222c231c1c2837292c30313434341f27393d38323c2e333432ff"
    "c0000b080040020001011100ffc4001500010100000000000000000000000000000006ffc40014100100000000"
    "000000000000000000000000ffda0008010100003f0099";
constexpr size_t kFlatZeros = 127;
constexpr char kFlatEnd[] = "01ffd9";

TEST(DecodeTest, HolesInJpegsAreRefusedUnlessTheImageIsFlat) {
  std::string jpeg = Sample("rgb_444.jpg");
  jpeg.replace(DataOf(jpeg) + 100, 64, 64, '\0');
  ExpectRefused(jpeg, "hole");

  // 512 x 64 pixels of one colour, by tables made for it: 127 zeros are in its data.
  const std::string flat = base::BytesOfHex(kFlatBegin).value() + std::string(kFlatZeros, '\0') +
                           base::BytesOfHex(kFlatEnd).value();
  const auto image = DecodeImage(flat, {.channels = 1});
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(cv::norm(*image, cv::Mat(64, 512, CV_8UC1, cv::Scalar(90)), cv::NORM_INF), 0);
  ExpectRefused(base::BytesOfHex(kFlatBegin).value() + std::string(kFlatZeros / 2, '\0'), "cut");
}

TEST(DecodeTest, JpegsWithoutSomeOfTheirRestartIntervalsAreRefused) {
  const std::string jpeg = Sample("restarts.jpg");
  const size_t first = jpeg.find("\xFF\xD0"), second = jpeg.find("\xFF\xD1");
  ASSERT_NE(second, std::string::npos);
  ExpectRefused(jpeg.substr(0, first) + jpeg.substr(second), "one interval");
}

TEST(DecodeTest, PngsAreReadWithoutTheirEndAndRefusedWithoutPixels) {
  const std::string png = Sample("rgb_8.png"), body = png.substr(0, png.size() - 12);
  const cv::Mat whole = DecodeImage(png).value();
  for (const std::string& odd : {body, body + "\1\2\3\4\5\6\7\10\11\12\13\14", png + "trailer",
                                 body + std::string(12, '\0')}) {
    const auto image = DecodeImage(odd);
    ASSERT_TRUE(image.ok()) << image.status();
    EXPECT_TRUE(SameImage(*image, whole));
  }
  const size_t pixels = png.find("IDAT") + 4;
  for (size_t size = pixels; size < body.size() - 12; size += 5) {
    ExpectRefused(png.substr(0, size), absl::StrCat("cut to ", size));
    ExpectRefused(png.substr(0, size) + png.substr(body.size()), absl::StrCat("cut to ", size));
  }
}

TEST(DecodeTest, PngChecksumsAreChecked) {
  std::string bytes = Sample("rgb_8.png");
  // The checksum of the pixels stands in front of the 12 bytes of the end mark.
  bytes[bytes.size() - 13] ^= 1;
  ExpectRefused(bytes, "checksum");
  EXPECT_THAT(std::string(DecodeImage(bytes).status().message()),
              StartsWith("is cut or damaged: IDAT: CRC error"));
}

TEST(DecodeTest, WhatIsNoImageIsRefusedByContent) {
  EXPECT_EQ(DecodeImage("").status().message(), "is empty");
  for (const std::string& bytes : {std::string("<?xml"), std::string("<html>"),
                                   std::string(1000, '\0'), std::string("\xFF")}) {
    ExpectRefused(bytes, bytes);
    // What is registered is what can be read.
    for (const std::string& codec : Codecs().Names()) {
      EXPECT_THAT(std::string(DecodeImage(bytes).status().message()), HasSubstr(codec));
    }
  }
}

TEST(DecodeTest, UsualFormatsWithoutACodecAreNamed) {
  const std::string heic(
      "\0\0\0\x18"
      "ftypheic",
      12);
  ExpectRefused(heic, "HEIC");
  EXPECT_THAT(std::string(DecodeImage(heic).status().message()), HasSubstr("HEIC"));
  EXPECT_THAT(std::string(DecodeImage(heic).status().message()), HasSubstr("PNG"));
  for (const char* ending :
       {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".pgm", ".ppm", ".tif", ".tiff", ".webp"}) {
    EXPECT_THAT(ImageEndings(), Contains(ending));
  }
}

// --- A codec of this test ---

// Files "test:ROWSxCOLS", for whose pixels there is no memory, and "test:header", for whose header
// there is none.
class TestCodec : public Codec {
 public:
  struct Opened : EncodedImage {
    int64_t rows_ = 1, cols_ = 1;
    int64_t rows() const override { return rows_; }
    int64_t cols() const override { return cols_; }
    StoredPixels stored() const override { return {}; }
    absl::StatusOr<cv::Mat> Decode(int) override {
      EXPECT_LE(rows_ * cols_, 100'000'000) << "the pixels of a refused image";
      return OutOfMemory("of tags");
    }
  };
  bool Recognises(absl::string_view bytes) const override {
    return absl::StartsWith(bytes, "test:");
  }
  std::vector<std::string> Endings() const override { return {".test"}; }
  absl::StatusOr<std::unique_ptr<EncodedImage>> Open(absl::string_view bytes) const override {
    if (bytes == "test:header") return OutOfMemory();
    auto image = std::make_unique<Opened>();
    const std::vector<std::string> size = absl::StrSplit(bytes.substr(5), 'x');
    if (size.size() == 2) {
      EXPECT_TRUE(absl::SimpleAtoi(size[0], &image->rows_) &&
                  absl::SimpleAtoi(size[1], &image->cols_));
    }
    return image;
  }
};

absl::StatusOr<std::unique_ptr<Codec>> MakeTestCodec(const registry::NoOptions&) {
  return std::make_unique<TestCodec>();
}

REGISTER_PLUGIN(Codecs, "test", "for this test", registry::NoOptions, MakeTestCodec);

// Whatever the codec, the size is judged before the pixels are asked for.
TEST(DecodeTest, TheCapHoldsForEveryCodec) {
  for (const char* size : {"0x5", "5x0", "-1x5", "10001x10000", "1x100000001",
                           "4294967296x4294967296", "9223372036854775807x2"}) {
    ExpectRefused(absl::StrCat("test:", size), size);
  }
}

TEST(DecodeTest, TheCapCanBeMoved) {
  const std::string png = Sample("rgb_8.png");  // 13 x 7
  EXPECT_TRUE(DecodeImage(png, {.max_pixels = 91}).ok());
  const absl::Status refused = DecodeImage(png, {.max_pixels = 90}).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("--max-megapixels"));
}

TEST(DecodeTest, EndingsAreThoseOfTheCodecs) { EXPECT_THAT(ImageEndings(), Contains(".test")); }

// The first page is read, whatever follows it.
TEST(DecodeTest, ATiffPageMayFollowItself) {
  std::string bytes = Sample("strip_le_planes_1.tif");
  const cv::Mat image = DecodeImage(bytes).value();
  const size_t next = 10 + 12 * static_cast<uint8_t>(bytes[8]);  // behind the tags of the page
  ASSERT_EQ(bytes.substr(next, 4), std::string(4, '\0'));
  bytes[next] = 8;
  EXPECT_TRUE(SameImage(DecodeImage(bytes).value(), image));
}

// A tile of 65,536 x 65,536 pixels in a small image.
TEST(DecodeTest, ATiffTileMuchLargerThanTheImageIsRefused) {
  std::string bytes = Sample("tiles_be_planes_8.tif");
  for (const char tag : {'\x42', '\x43'}) {  // width and length: LONG, one value
    const std::string entry = std::string("\x01") + tag + std::string("\0\4\0\0\0\1", 6);
    const size_t at = bytes.find(entry);
    ASSERT_NE(at, std::string::npos);
    bytes.replace(at + 8, 4, std::string("\0\1\0\0", 4));
  }
  ExpectRefused(bytes, "tiles");
}

// What a header asks for is refused before it is allocated.
TEST(DecodeTest, GiganticImagesAreRefused) {
  std::string jpeg = Sample("rgb_420.jpg");
  const size_t frame = jpeg.find("\xFF\xC0");  // then length, precision, height, width
  ASSERT_NE(frame, std::string::npos);
  jpeg.replace(frame + 5, 4, "\xFF\xDC\xFF\xDC");
  ExpectRefused(jpeg, "jpeg");
  EXPECT_EQ(DecodeImage(jpeg).status().message(),
            "is 65500 x 65500 pixels, more than 100 million; raise --max-megapixels, or make the "
            "image smaller");

  // 90,000 x 90,000 of 8-bit RGB, and no pixels.
  const std::string png = base::BytesOfHex(
                              "89504e470d0a1a0a0000000d4948445200015f9000015f90080200000001f089a2"
                              "000000004944415435af061e")
                              .value();
  ExpectRefused(png, "png");
  EXPECT_THAT(std::string(DecodeImage(png).status().message()), StartsWith("is 90000 x 90000"));
}

// --- Memory ---

void LimitAddressSpaceTo(size_t bytes) {
  rlimit limit;
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = bytes;
  if (setrlimit(RLIMIT_AS, &limit) != 0) std::exit(1);
}

// In processes of their own, because of the limit.
TEST(DecodeDeathTest, MissingMemoryIsDamageUnlessMemoryIsShort) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  constexpr size_t kGiga = size_t{1} << 30;
  for (const char* small : {"test:header", "test:10x10"}) {
    EXPECT_EQ(DecodeImage(small).status().code(), absl::StatusCode::kDataLoss);
    const auto end_with_little = [&] {
      LimitAddressSpaceTo(kGiga);
      std::exit(absl::IsResourceExhausted(DecodeImage(small).status()) ? 0 : 1);
    };
    EXPECT_EXIT(end_with_little(), testing::ExitedWithCode(0), "");
  }
  // 100 million pixels need more than this.
  const auto end_with_some = [] {
    LimitAddressSpaceTo(2 * kGiga);
    if (!absl::IsDataLoss(DecodeImage("test:10x10").status())) std::exit(1);
    std::exit(absl::IsResourceExhausted(DecodeImage("test:10000x10000").status()) ? 0 : 1);
  };
  EXPECT_EXIT(end_with_some(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace data
