#include "tools/doctor/fingerprint.h"

#include <isa-l/crc64.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "data/decode.h"

namespace doctor {
namespace {

constexpr int kSide = 32;    // of the image whose frequencies are taken
constexpr int kLowest = 8;   // frequencies in each direction
constexpr float kNoise = 8;  // of a coefficient; an even image has up to 255 * 32

// Images of more than 8 bits are brightened if no value is above kDark, such as those of a camera
// that uses 12 of 16 bits: up to kMostGain times, so that noise alone stays unseen.
constexpr double kDark = 0.25;
constexpr double kMostGain = 64;

std::array<uint64_t, 2> PixelChecksums(const cv::Mat& image) {
  const int64_t shape[] = {image.rows, image.cols, image.channels()};
  const auto* bytes = reinterpret_cast<const unsigned char*>(shape);
  uint64_t a = crc64_ecma_refl(0, bytes, sizeof(shape)),
           b = crc64_iso_refl(0, bytes, sizeof(shape));
  const int rows = image.isContinuous() ? 1 : image.rows;
  const uint64_t length = image.total() * image.elemSize() / std::max(rows, 1);
  for (int y = 0; y < rows; ++y) {
    a = crc64_ecma_refl(a, image.ptr(y), length);
    b = crc64_iso_refl(b, image.ptr(y), length);
  }
  return {a, b};
}

// What can be seen of an image: its first channels, as 1 to 4 of them.
cv::Mat Visible(const cv::Mat& image) {
  if (image.channels() <= 4) return image;
  cv::Mat first(image.rows, image.cols, CV_MAKETYPE(image.depth(), 3));
  const int same[] = {0, 0, 1, 1, 2, 2};
  cv::mixChannels(&image, 1, &first, 1, same, 3);
  return first;
}

// An image of kSide x kSide, of which each pixel is the mean of an area: RGB, 8 bits.
cv::Mat Shrink(const cv::Mat& image) {
  cv::Mat small;
  const bool smaller = image.rows < kSide || image.cols < kSide;
  cv::resize(Visible(image), small, cv::Size(kSide, kSide), 0, 0,
             smaller ? cv::INTER_LINEAR : cv::INTER_AREA);
  if (small.depth() != CV_8U) {
    double largest;
    cv::minMaxLoc(small.reshape(1), nullptr, &largest);
    const double gain = largest > kDark ? 1 : std::min(kMostGain, 1 / std::max(largest, 1e-9));
    small.convertTo(small, CV_8U, 255 * gain);
  }
  return data::ToChannels(small, 3);
}

// A bit for each of the lowest frequencies but the mean: whether it is above their median.
uint64_t PerceptualHash(const cv::Mat& small) {
  cv::Mat grey, frequencies;
  data::ToChannels(small, 1).convertTo(grey, CV_32F);
  cv::dct(grey, frequencies);
  std::vector<float> values;
  for (int i = 1; i < kLowest * kLowest; ++i) {
    values.push_back(frequencies.at<float>(i / kLowest, i % kLowest));
  }
  std::vector<float> sorted = values;
  std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
  const float median = sorted[sorted.size() / 2];
  uint64_t hash = 0;
  // What is as small as noise must not be 1 in one copy and 0 in another.
  for (const float value : values) hash = hash << 1 | (value > median + kNoise ? 1 : 0);
  return hash;
}

std::array<double, 3> Means(const Fingerprint& fingerprint) {
  std::array<double, 3> means = {};
  const auto& t = fingerprint.thumbnail;
  for (size_t i = 0; i < t.size(); ++i) means[i % 3] += t[i] * 3.0 / t.size();
  return means;
}

// The mean distance of the thumbnail's values from their means.
double Contrast(const Fingerprint& fingerprint) {
  const std::array<double, 3> means = Means(fingerprint);
  double sum = 0;
  const auto& t = fingerprint.thumbnail;
  for (size_t i = 0; i < t.size(); ++i) sum += std::abs(t[i] - means[i % 3]);
  return sum / t.size();
}

}  // namespace

Fingerprint FingerprintOf(const cv::Mat& image) {
  Fingerprint fingerprint;
  fingerprint.pixels = PixelChecksums(image);
  const cv::Mat small = Shrink(image);
  fingerprint.perceptual = PerceptualHash(small);
  cv::Mat thumbnail(kThumbnail, kThumbnail, CV_8UC3, fingerprint.thumbnail.data());
  cv::resize(small, thumbnail, thumbnail.size(), 0, 0, cv::INTER_AREA);
  return fingerprint;
}

bool IsBlank(const Fingerprint& fingerprint) { return Contrast(fingerprint) < 1.5; }

bool IsNear(const Fingerprint& a, const Fingerprint& b) {
  constexpr double kBrightness = 24;  // levels of 255
  constexpr double kShare = 0.12;     // of the contrast
  const double contrast = std::min(Contrast(a), Contrast(b));
  if (contrast < 1.5) return false;
  const std::array<double, 3> mean_a = Means(a), mean_b = Means(b);
  double shift[3];
  for (int c = 0; c < 3; ++c) {
    shift[c] = mean_b[c] - mean_a[c];
    if (std::abs(shift[c]) > kBrightness) return false;
  }
  double distance = 0;
  for (size_t i = 0; i < a.thumbnail.size(); ++i) {
    distance += std::abs(a.thumbnail[i] + shift[i % 3] - b.thumbnail[i]);
  }
  return distance / a.thumbnail.size() < std::max(1.0, kShare * contrast);
}

}  // namespace doctor
