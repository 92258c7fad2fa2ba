#include "augment/float_ops.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "augment/resize_taps.h"
#include "augment/transpose.h"
#include "base/for_each_cpu.h"

namespace augment::floats {
namespace {

INLINED float Clip(float value) { return std::min(std::max(value, 0.0f), 1.0f); }

INLINED float Luma(const float* p) { return 0.2989f * p[0] + 0.587f * p[1] + 0.114f * p[2]; }

// Adds a row of n values, weighted, to the sums.
FOR_EACH_CPU void AddRow(const float* from, float weight, int n, float* __restrict sums) {
  for (int i = 0; i < n; ++i) sums[i] += weight * from[i];
}

cv::Mat ResizeRows(const cv::Mat& image, int rows) {
  const auto taps =
      TriangleTaps<float>(image.rows, rows, [](double share) { return static_cast<float>(share); });
  cv::Mat out = cv::Mat::zeros(rows, image.cols, image.type());
  const int n = image.cols * image.channels();
  for (int y = 0; y < rows; ++y) {
    for (int i = 0; i < taps.width; ++i) {
      const float weight = taps.weights[size_t{1} * y * taps.width + i];
      if (weight != 0) AddRow(image.ptr<float>(taps.first[y] + i), weight, n, out.ptr<float>(y));
    }
  }
  return out;
}

// Calls work(from, to, values) for each row.
template <class Work>
cv::Mat ForEachRow(const cv::Mat& image, Work work) {
  cv::Mat out(image.rows, image.cols, image.type());
  const int n = image.cols * image.channels();
  for (int y = 0; y < image.rows; ++y) work(image.ptr<float>(y), out.ptr<float>(y), n);
  return out;
}

// other + factor (value - other)
FOR_EACH_CPU void BlendRow(const float* from, int n, float other, float factor,
                           float* __restrict to) {
  for (int i = 0; i < n; ++i) to[i] = Clip(factor * from[i] + (1 - factor) * other);
}

FOR_EACH_CPU void SaturateRow(const float* from, int n, float factor, float* __restrict to) {
  for (int i = 0; i < n; i += 3) {
    const float grey = (1 - factor) * Luma(from + i);
    for (int c = 0; c < 3; ++c) to[i + c] = Clip(factor * from[i + c] + grey);
  }
}

FOR_EACH_CPU void GreyRow(const float* from, int n, float* __restrict to) {
  for (int i = 0; i < n; i += 3) to[i] = to[i + 1] = to[i + 2] = Luma(from + i);
}

// Converts to HSV, turns the hue, and converts back.
void HuePixel(const float* from, float turn, float* to) {
  const float r = from[0], g = from[1], b = from[2];
  const float high = std::max({r, g, b}), low = std::min({r, g, b}), range = high - low;
  if (range == 0) {
    std::copy_n(from, 3, to);
    return;
  }
  float hue = high == r ? (g - b) / range : high == g ? 2 + (b - r) / range : 4 + (r - g) / range;
  hue = hue / 6 + 1 + turn;
  hue -= std::floor(hue);
  const float sixths = hue * 6, sector = std::floor(sixths), f = sixths - sector;
  const float saturation = range / high;
  const float p = Clip(high * (1 - saturation)), q = Clip(high * (1 - saturation * f)),
              t = Clip(high * (1 - saturation * (1 - f)));
  const float colours[6][3] = {{high, t, p}, {q, high, p}, {p, high, t},
                               {p, q, high}, {t, p, high}, {high, p, q}};
  std::copy_n(colours[static_cast<int>(sector) % 6], 3, to);
}

// The weights of a Gaussian for the offsets -half to half, with the sum 1.
std::vector<float> GaussianWeights(float sigma, int half) {
  std::vector<double> weights(2 * half + 1);
  double sum = 0;
  for (int i = -half; i <= half; ++i) {
    const double z = i / static_cast<double>(sigma);
    sum += weights[i + half] = std::exp(-0.5 * z * z);
  }
  std::vector<float> result;
  for (const double weight : weights) result.push_back(static_cast<float>(weight / sum));
  return result;
}

cv::Mat BlurRows(const cv::Mat& image, float sigma) {
  const int last = image.rows - 1;
  const int half = std::min(static_cast<int>(std::ceil(3 * sigma)), last);
  if (half == 0) return image;
  const std::vector<float> weights = GaussianWeights(sigma, half);
  cv::Mat out = cv::Mat::zeros(image.rows, image.cols, image.type());
  const int n = image.cols * image.channels();
  for (int y = 0; y <= last; ++y) {
    for (int i = -half; i <= half; ++i) {
      const int reflected = std::abs(y + i);
      const float* from = image.ptr<float>(reflected > last ? 2 * last - reflected : reflected);
      AddRow(from, weights[i + half], n, out.ptr<float>(y));
    }
  }
  return out;
}

}  // namespace

cv::Mat ResizedCrop(const cv::Mat& image, const cv::Rect& box, const cv::Size& size) {
  cv::Mat result = image(box);
  if (size == box.size()) return result.clone();
  if (size.height != box.height) result = ResizeRows(result, size.height);
  if (size.width != box.width) {
    result = Transposed(ResizeRows(Transposed(result), size.width));
  }
  return result;
}

cv::Mat AdjustBrightness(const cv::Mat& image, float factor) {
  return ForEachRow(image,
                    [=](const float* from, float* to, int n) { BlendRow(from, n, 0, factor, to); });
}

cv::Mat AdjustContrast(const cv::Mat& image, float factor) {
  double sum = 0;
  for (int y = 0; y < image.rows; ++y) {
    for (int x = 0; x < image.cols; ++x) sum += Luma(image.ptr<float>(y) + 3 * x);
  }
  const auto mean = static_cast<float>(sum / static_cast<double>(image.total()));
  return ForEachRow(
      image, [=](const float* from, float* to, int n) { BlendRow(from, n, mean, factor, to); });
}

cv::Mat AdjustSaturation(const cv::Mat& image, float factor) {
  return ForEachRow(image,
                    [=](const float* from, float* to, int n) { SaturateRow(from, n, factor, to); });
}

cv::Mat AdjustHue(const cv::Mat& image, double turn) {
  return ForEachRow(image, [=](const float* from, float* to, int n) {
    for (int i = 0; i < n; i += 3) HuePixel(from + i, static_cast<float>(turn), to + i);
  });
}

cv::Mat Grayscale(const cv::Mat& image) {
  return ForEachRow(image, [](const float* from, float* to, int n) { GreyRow(from, n, to); });
}

cv::Mat GaussianBlur(const cv::Mat& image, float radius) {
  if (radius <= 0) return image.clone();
  const cv::Mat blurred = Transposed(BlurRows(Transposed(image), radius));
  return BlurRows(blurred, radius);
}

}  // namespace augment::floats
