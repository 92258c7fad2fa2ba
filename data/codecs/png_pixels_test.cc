// The pixels of ordinary files against libpng's own; and that every odd one is left to libpng.
#include "data/codecs/png_pixels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/rng.h"
#include "data/codec.h"
#include "data/codecs/test_png.h"
#include "data/test_images.h"

namespace data {
namespace {

constexpr int kMixed = 5;  // each row draws its filter
constexpr int kColours[] = {0, 2, 3, 4, 6};

// Filters and random bytes for each row.
std::string Filtered(const TestPng& png, int filter) {
  base::Rng rng(filter, base::Purpose::kTest, png.rows, png.cols, png.colour);
  std::string bytes;
  for (int y = 0; y < png.rows; ++y) {
    bytes += static_cast<char>(filter == kMixed ? rng.UniformInt(0, 4) : filter);
    for (size_t i = 1; i < png.RowBytes(); ++i) bytes += static_cast<char>(rng.NextBits());
  }
  return bytes;
}

absl::string_view Chunks(absl::string_view file) { return file.substr(file.find("IDAT") - 4); }

bool Read(const TestPng& png, absl::string_view file, cv::Mat* pixels = nullptr) {
  cv::Mat read(png.rows, png.cols, CV_8UC(png.Channels()));
  const bool is_read = ReadPngPixels(Chunks(file), read);
  if (pixels != nullptr) *pixels = read;
  return is_read;
}

absl::StatusOr<cv::Mat> Decoded(absl::string_view file, int channels) {
  auto image = FindCodec(file)->Open(file);
  if (!image.ok()) return image.status();
  return (*image)->Decode(channels);
}

TEST(PngPixelsTest, EqualLibpngs) {
  // Around the 16 bytes of a vector and the pairs of rows.
  const std::pair<int, int> sizes[] = {{1, 1},  {1, 5},  {1, 6},  {2, 3},   {3, 4},
                                       {3, 16}, {4, 17}, {7, 33}, {40, 21}, {5, 300}};
  for (const int colour : kColours) {
    for (const auto& [rows, cols] : sizes) {
      const TestPng png = {rows, cols, colour};
      for (int filter = 0; filter <= kMixed; ++filter) {
        const std::string what = absl::StrCat(colour, ": ", rows, " x ", cols, " by ", filter);
        const std::string packed = Deflated(Filtered(png, filter));
        for (const size_t part : {7, 8192}) {
          const std::string file = PngFile(png, packed, part);
          const cv::Mat expected = ByLibpng(file);
          ASSERT_FALSE(expected.empty()) << what;
          cv::Mat pixels;
          ASSERT_TRUE(Read(png, file, &pixels)) << what;
          if (colour != 3) {
            ASSERT_TRUE(SameImage(pixels, expected)) << what;
          }
          ASSERT_TRUE(SameImage(Decoded(file, /*channels=*/4).value(), expected)) << what;
        }
      }
    }
  }
}

// Every byte of the pixels counts: a change is refused here, and then by libpng, too.
TEST(PngPixelsTest, ChangesAndCutsAreNotRead) {
  for (const int colour : kColours) {
    const TestPng png = {6, 5, colour};
    const std::string file = PngFile(png, Deflated(Filtered(png, kMixed)), 40);
    cv::Mat whole;
    ASSERT_TRUE(Read(png, file, &whole));
    const size_t begin = file.find("IDAT") - 4, end = file.find("IEND") - 4;
    for (size_t i = begin; i < file.size(); ++i) {
      for (const int change : {1, 0x10, 0x80, 0xFF}) {
        std::string changed = file;
        changed[i] ^= change;
        // The first four letters are looked for by the test itself.
        if (changed.find("IDAT") != begin + 4) continue;
        cv::Mat pixels;
        const bool is_read = Read(png, changed, &pixels);
        ASSERT_EQ(is_read, i >= end) << "byte " << i;
        if (is_read) {
          ASSERT_TRUE(SameImage(pixels, whole)) << "byte " << i;
        }
      }
      ASSERT_EQ(Read(png, file.substr(0, std::max(i, begin + 8))), i >= end) << "cut to " << i;
    }
  }
}

TEST(PngPixelsTest, OddFilesAreLeftToLibpng) {
  const TestPng png = {40, 300, 2};
  const std::string filtered = Filtered(png, 1), packed = Deflated(filtered);
  const absl::string_view all = packed;
  ASSERT_TRUE(Read(png, PngFile(png, packed)));
  const std::string end = PngChunk("IEND", ""),
                    text = PngChunk("tEXt", absl::string_view("a\0b", 3));
  const auto idat = [](absl::string_view contents) { return PngChunk("IDAT", contents); };
  EXPECT_TRUE(Read(png, absl::StrCat(idat(all), text, end)));
  EXPECT_TRUE(Read(png, absl::StrCat(idat(all), idat(""), end)));
  EXPECT_TRUE(Read(png, idat(all))) << "nothing behind the pixels is missed";
  std::string filter_5 = filtered;
  filter_5[png.RowBytes() * 2] = 5;
  std::string small_window = packed;
  small_window[0] = 0x18;  // of 512 bytes
  small_window[1] = static_cast<char>(31 - 0x1800 % 31);
  const std::vector<std::string> odd = {
      absl::StrCat(idat(all.substr(0, 100)), text, idat(all.substr(100)), end),
      absl::StrCat(idat(all), text, idat(""), end),
      absl::StrCat(idat(absl::StrCat(all, "x")), end),
      absl::StrCat(idat(all), idat("x"), end),
      absl::StrCat(idat(Deflated(filtered.substr(1))), end),
      absl::StrCat(idat(Deflated(filtered + "x")), end),
      absl::StrCat(idat(Deflated(filter_5)), end),
      absl::StrCat(idat(small_window), end),
      absl::StrCat(idat(""), end),
      end + "IDAT",
  };
  for (size_t i = 0; i < odd.size(); ++i) EXPECT_FALSE(Read(png, odd[i])) << "file " << i;
}

TEST(PngPixelsTest, TransparentColoursAreLibpngs) {
  const TestPng png = {3, 4, 3};
  std::string file = PngFile(png, Deflated(Filtered(png, 0)));
  file.insert(file.find("IDAT") - 4, PngChunk("tRNS", absl::string_view("\0\x80", 2)));
  EXPECT_TRUE(SameImage(Decoded(file, 4).value(), ByLibpng(file)));
  EXPECT_EQ(Decoded(file, 4)->channels(), 4);
  EXPECT_EQ(Decoded(file, 3)->channels(), 3);
}

}  // namespace
}  // namespace data
