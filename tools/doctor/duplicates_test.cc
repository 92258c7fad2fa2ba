#include "tools/doctor/duplicates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <set>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "data/decode.h"
#include "data/encode.h"
#include "tools/doctor/fingerprint.h"
#include "tools/doctor/test_pictures.h"

namespace doctor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<Fingerprint> Fingerprints(const std::vector<cv::Mat>& images) {
  std::vector<Fingerprint> fingerprints;
  for (const cv::Mat& image : images) fingerprints.push_back(FingerprintOf(image));
  return fingerprints;
}

TEST(DuplicatesTest, EqualPixelsWhateverTheFile) {
  const cv::Mat a = TestPicture(1), b = TestPicture(2);
  cv::Mat padded(a.rows, a.cols + 5, CV_8UC3);
  cv::Mat part = padded.colRange(0, a.cols);  // rows that are not one after the other
  a.copyTo(part);
  cv::Mat one_bit = a.clone();
  one_bit.at<cv::Vec3b>(119, 159)[2] ^= 1;
  const Duplicates found = FindDuplicates(
      Fingerprints({a, b, data::DecodeImage(data::EncodePng(a)).value(), part, one_bit}), 2);
  EXPECT_THAT(found.exact, ElementsAre(ElementsAre(0, 2, 3)));
  EXPECT_THAT(found.near, ElementsAre(ElementsAre(0, 2, 3, 4)));
}

TEST(DuplicatesTest, ShapesAreCompared) {
  const cv::Mat wide(2, 8, CV_8UC3, cv::Scalar::all(7)), high(8, 2, CV_8UC3, cv::Scalar::all(7));
  EXPECT_THAT(FindDuplicates(Fingerprints({wide, high}), 1).exact, IsEmpty());
  EXPECT_THAT(FindDuplicates({}, 1).exact, IsEmpty());
}

TEST(DuplicatesTest, CopiesInOtherSizesAndQualitiesAreNear) {
  for (int seed = 0; seed < 50; ++seed) {
    const cv::Mat image = TestPicture(seed);
    std::vector<cv::Mat> images = {image, TestPicture(1000 + seed)};
    for (const int quality : {30, 90}) {
      images.push_back(data::DecodeImage(data::EncodeJpeg(image, quality)).value());
    }
    for (const double scale : {0.5, 0.8, 1.7}) {
      cv::resize(image, images.emplace_back(), cv::Size(), scale, scale, cv::INTER_AREA);
    }
    images.push_back(image + cv::Scalar::all(10));  // brighter
    const Duplicates found = FindDuplicates(Fingerprints(images), 2);
    EXPECT_THAT(found.near, ElementsAre(ElementsAre(0, 2, 3, 4, 5, 6, 7))) << seed;
    EXPECT_THAT(found.exact, IsEmpty());
  }
}

// 12 bits in 16, which are nearly black at full scale.
TEST(DuplicatesTest, DarkImagesOfManyBitsAreSeen) {
  std::vector<cv::Mat> images;
  for (const int seed : {1, 2, 3}) {
    cv::Mat dark;
    TestPicture(seed).convertTo(dark, CV_32F, 1 / 255.0 / 16, 0.003);
    images.push_back(dark);
  }
  cv::Mat smaller;
  cv::resize(images[1], smaller, cv::Size(80, 60), 0, 0, cv::INTER_AREA);
  images.push_back(smaller);
  cv::Mat noise(120, 160, CV_32FC3);
  base::Rng rng(1, base::Purpose::kTest);
  for (float& value : cv::Mat_<float>(noise.reshape(1))) {
    value = static_cast<float>(rng.Uniform(0.0030, 0.0034));
  }
  const auto fingerprints = Fingerprints(images);
  for (const Fingerprint& fingerprint : fingerprints) EXPECT_FALSE(IsBlank(fingerprint));
  EXPECT_TRUE(IsBlank(FingerprintOf(noise)));
  EXPECT_THAT(FindDuplicates(fingerprints, 1).near, ElementsAre(ElementsAre(1, 3)));
}

TEST(DuplicatesTest, BlankImagesAreOnlyEqual) {
  std::vector<cv::Mat> images;
  for (int i = 0; i < 4; ++i) {
    images.emplace_back(64, 64, CV_8UC3, cv::Scalar::all(100 + 5 * (i / 2)));
  }
  const auto fingerprints = Fingerprints(images);
  EXPECT_TRUE(IsBlank(fingerprints[0]));
  EXPECT_FALSE(IsBlank(FingerprintOf(TestPicture(1))));
  const Duplicates found = FindDuplicates(fingerprints, 1);
  EXPECT_THAT(found.exact, ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3)));
  EXPECT_THAT(found.near, IsEmpty());
}

TEST(DuplicatesTest, NoOtherPicturesAreNear) {
  std::vector<Fingerprint> fingerprints;
  for (int seed = 0; seed < 3000; ++seed) {
    fingerprints.push_back(FingerprintOf(TestPicture(seed, 32, 32)));
  }
  const Duplicates found = FindDuplicates(fingerprints, 2);
  EXPECT_THAT(found.near, IsEmpty());
  EXPECT_THAT(found.exact, IsEmpty());
}

// The index against a comparison of all pairs.
TEST(DuplicatesTest, EveryPairOfHashesIsFound) {
  base::Rng rng(1, base::Purpose::kTest);
  const Fingerprint picture = FingerprintOf(TestPicture(1));
  std::vector<Fingerprint> fingerprints;
  for (int i = 0; i < 400; ++i) {
    Fingerprint one = picture;  // so that the hash alone decides
    one.pixels = {static_cast<uint64_t>(i), 0};
    one.perceptual = 0;
    for (int bit = 0; bit < 64; ++bit) {
      one.perceptual |= static_cast<uint64_t>(rng.UniformInt(0, 1)) << bit;
    }
    fingerprints.push_back(one);
    for (int flip = rng.UniformInt(1, 10); flip > 0; --flip) {
      one.perceptual ^= uint64_t{1} << rng.UniformInt(0, 63);
    }
    one.pixels[1] = 1;
    fingerprints.push_back(one);
  }
  std::set<std::vector<int64_t>> expected;
  for (int64_t i = 0; i < 800; ++i) {
    for (int64_t j = i + 1; j < 800; ++j) {
      if (std::popcount(fingerprints[i].perceptual ^ fingerprints[j].perceptual) <= kNearBits) {
        expected.insert({i, j});
      }
    }
  }
  ASSERT_GT(expected.size(), 200u);
  for (const int threads : {1, 3}) {
    const Duplicates found = FindDuplicates(fingerprints, threads);
    EXPECT_EQ(std::set(found.near.begin(), found.near.end()), expected);
  }
}

TEST(DuplicatesTest, ManyImagesOfOneHash) {
  std::vector<Fingerprint> fingerprints;
  base::Rng rng(1, base::Purpose::kTest);
  for (int i = 0; i < 5000; ++i) {
    Fingerprint one;
    one.pixels = {static_cast<uint64_t>(i), 0};
    for (uint8_t& value : one.thumbnail) value = rng.UniformInt(0, 255);
    fingerprints.push_back(one);
  }
  EXPECT_THAT(FindDuplicates(fingerprints, 1).near, IsEmpty());
}

}  // namespace
}  // namespace doctor
