#include "augment/ops.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <opencv2/core.hpp>
#include <vector>

namespace augment {
namespace {

uint8_t Clip8(int value) { return static_cast<uint8_t>(std::clamp(value, 0, 255)); }

// ---- Resize -------------------------------------------------------------------------------------

constexpr int kWeightBits =
    22;  // of the fraction: 8 bits of pixel and a few of overshoot fit beside

// For each output position: the first input position that has weight, and the weights from there
// on.
struct Taps {
  int width = 0;  // weights kept of each output; those beyond the support are 0
  std::vector<int> first;
  std::vector<int32_t> weights;
};

Taps TriangleTaps(int in, int out) {
  const double scale = static_cast<double>(in) / out;
  const double support = std::max(scale, 1.0);
  Taps taps;
  taps.width = std::min(in, static_cast<int>(std::ceil(support)) * 2 + 1);
  taps.first.resize(out);
  taps.weights.assign(static_cast<size_t>(out) * taps.width, 0);
  std::vector<double> weights(taps.width);
  for (int x = 0; x < out; ++x) {
    const double centre = (x + 0.5) * scale;
    const int low = std::max(static_cast<int>(centre - support + 0.5), 0);
    const int high = std::min(static_cast<int>(centre + support + 0.5), in);
    double sum = 0;
    for (int i = low; i < high; ++i) {
      const double distance = std::fabs((i - centre + 0.5) * (1 / support));
      weights[i - low] = distance < 1 ? 1 - distance : 0;
      sum += weights[i - low];
    }
    // The window starts early enough to end inside of the input.
    taps.first[x] = std::min(low, in - taps.width);
    int32_t* row = &taps.weights[static_cast<size_t>(x) * taps.width + low - taps.first[x]];
    for (int i = 0; i < high - low; ++i) {
      row[i] = static_cast<int32_t>(0.5 + weights[i] / sum * (1 << kWeightBits));
    }
  }
  return taps;
}

cv::Mat ResizeColumns(const cv::Mat& image, int cols) {
  const Taps taps = TriangleTaps(image.cols, cols);
  cv::Mat out(image.rows, cols, CV_8UC3);
  for (int y = 0; y < image.rows; ++y) {
    const uint8_t* from = image.ptr(y);
    uint8_t* to = out.ptr(y);
    const int32_t* w = taps.weights.data();
    for (int x = 0; x < cols; ++x, to += 3, w += taps.width) {
      const uint8_t* p = from + 3 * taps.first[x];
      int32_t r = 1 << (kWeightBits - 1), g = r, b = r;
      for (int i = 0; i < taps.width; ++i, p += 3) {
        r += w[i] * p[0];
        g += w[i] * p[1];
        b += w[i] * p[2];
      }
      to[0] = Clip8(r >> kWeightBits);
      to[1] = Clip8(g >> kWeightBits);
      to[2] = Clip8(b >> kWeightBits);
    }
  }
  return out;
}

cv::Mat ResizeRows(const cv::Mat& image, int rows) {
  const Taps taps = TriangleTaps(image.rows, rows);
  cv::Mat out(rows, image.cols, CV_8UC3);
  const int n = 3 * image.cols;
  std::vector<int32_t> sums(n);
  for (int y = 0; y < rows; ++y) {
    std::fill(sums.begin(), sums.end(), 1 << (kWeightBits - 1));
    for (int i = 0; i < taps.width; ++i) {
      const int32_t w = taps.weights[static_cast<size_t>(y) * taps.width + i];
      const uint8_t* from = image.ptr(taps.first[y] + i);
      for (int x = 0; x < n; ++x) sums[x] += w * from[x];
    }
    uint8_t* to = out.ptr(y);
    for (int x = 0; x < n; ++x) to[x] = Clip8(sums[x] >> kWeightBits);
  }
  return out;
}

// ---- Colour -------------------------------------------------------------------------------------

uint8_t Luma(const uint8_t* p) {
  return static_cast<uint8_t>((p[0] * 19595 + p[1] * 38470 + p[2] * 7471 + 0x8000) >> 16);
}

// other + factor (value - other), in float, cut off towards 0.
uint8_t Blend(int other, int value, float factor) {
  const float blended = static_cast<float>(other) + factor * static_cast<float>(value - other);
  return static_cast<uint8_t>(std::clamp(blended, 0.0f, 255.0f));
}

// Every pixel p of the image becomes change(p, its place in the result).
template <class Change>
cv::Mat ForEachPixel(const cv::Mat& image, Change change) {
  cv::Mat out(image.rows, image.cols, CV_8UC3);
  for (int y = 0; y < image.rows; ++y) {
    const uint8_t* from = image.ptr(y);
    uint8_t* to = out.ptr(y);
    for (int x = 0; x < image.cols; ++x, from += 3, to += 3) change(from, to);
  }
  return out;
}

// The blend of every value with one other value, by table.
cv::Mat BlendWith(const cv::Mat& image, int other, float factor) {
  std::array<uint8_t, 256> table;
  for (int v = 0; v < 256; ++v) table[v] = Blend(other, v, factor);
  return ForEachPixel(image, [&](const uint8_t* from, uint8_t* to) {
    for (int c = 0; c < 3; ++c) to[c] = table[from[c]];
  });
}

struct Hsv {
  uint8_t h, s, v;
};

// Float and double as Pillow mixes them: the last bit decides how a hue is cut to 8 bits.
Hsv ToHsv(const uint8_t* p) {
  const int r = p[0], g = p[1], b = p[2];
  const int high = std::max({r, g, b}), low = std::min({r, g, b});
  if (high == low) return {0, 0, static_cast<uint8_t>(high)};
  const float range = static_cast<float>(high - low);
  const float s = range / static_cast<float>(high);
  const float rc = static_cast<float>(high - r) / range;
  const float gc = static_cast<float>(high - g) / range;
  const float bc = static_cast<float>(high - b) / range;
  float h;
  if (r == high) {
    h = bc - gc;
  } else if (g == high) {
    h = static_cast<float>(2.0 + rc - bc);
  } else {
    h = static_cast<float>(4.0 + gc - rc);
  }
  const double turned = h / 6.0 + 1.0;  // 5/6 to 11/6
  h = static_cast<float>(turned >= 1 ? turned - 1 : turned);
  return {Clip8(static_cast<int>(h * 255.0)), Clip8(static_cast<int>(s * 255.0)),
          static_cast<uint8_t>(high)};
}

// Of each hue: the sixth of the circle that it is in, and how far into it.
struct Sector {
  int index;
  float fraction;
};

std::array<Sector, 256> MakeSectors() {
  std::array<Sector, 256> sectors;
  for (int h = 0; h < 256; ++h) {
    const double sixths = h * 6.0 / 255.0;
    const int index = static_cast<int>(sixths);
    sectors[h] = {index % 6, static_cast<float>(sixths - index)};
  }
  return sectors;
}

void FromHsv(const Hsv& hsv, uint8_t* p) {
  static const std::array<Sector, 256> sectors = MakeSectors();
  if (hsv.s == 0) {
    p[0] = p[1] = p[2] = hsv.v;
    return;
  }
  const auto [index, f] = sectors[hsv.h];
  const float high = hsv.v;
  const float s = static_cast<float>(hsv.s / 255.0);
  const auto round = [](double x) { return static_cast<uint8_t>(x + 0.5); };  // 0 to 255
  const uint8_t v = hsv.v;
  const uint8_t low = round(high * (1.0 - s));
  const uint8_t falling = round(high * (1.0 - s * f));
  const uint8_t rising = round(high * (1.0 - s * (1.0 - f)));
  const uint8_t colours[6][3] = {{v, rising, low},  {falling, v, low}, {low, v, rising},
                                 {low, falling, v}, {rising, low, v},  {v, low, falling}};
  std::memcpy(p, colours[index], 3);
}

// ---- Blur ---------------------------------------------------------------------------------------

constexpr int kBlurPasses = 3;

// The radius of a box with soft edges that, applied three times, has the variance radius^2.
float BoxRadius(float radius) {
  const float variance = radius * radius / kBlurPasses;
  const float length = static_cast<float>(std::sqrt(12.0 * variance + 1.0));
  const float whole = static_cast<float>(std::floor((length - 1.0) / 2.0));
  float edge = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
  edge /= 6 * (variance - (whole + 1) * (whole + 1));
  return whole + edge;
}

// One box along the columns: each value becomes the mean of those up to `radius` rows away, the
// rows just beyond counting in part; rows outside of the image are like the outermost.
cv::Mat BoxBlurColumns(const cv::Mat& image, float radius) {
  const int whole = static_cast<int>(radius);
  const uint32_t inner = static_cast<uint32_t>((1 << 24) / (radius * 2 + 1));  // weights, of 2^24
  const uint32_t outer = ((1 << 24) - (whole * 2 + 1) * inner) / 2;
  const int n = 3 * image.cols, last = image.rows - 1;
  const auto row = [&](int y) { return image.ptr(std::clamp(y, 0, last)); };
  std::vector<uint32_t> sums(n, 0);  // over the whole rows of the box around y
  for (int y = -whole - 1; y < whole; ++y) {
    const uint8_t* p = row(y);
    for (int x = 0; x < n; ++x) sums[x] += p[x];
  }
  cv::Mat out(image.rows, image.cols, CV_8UC3);
  for (int y = 0; y <= last; ++y) {
    const uint8_t* leaves = row(y - whole - 1);
    const uint8_t* enters = row(y + whole);
    const uint8_t* beyond = row(y + whole + 1);
    uint8_t* to = out.ptr(y);
    for (int x = 0; x < n; ++x) {
      sums[x] += enters[x] - leaves[x];
      const uint32_t edges = static_cast<uint32_t>(leaves[x]) + beyond[x];
      to[x] = static_cast<uint8_t>((sums[x] * inner + edges * outer + (1 << 23)) >> 24);
    }
  }
  return out;
}

cv::Mat Transposed(const cv::Mat& image) {
  cv::Mat out(image.cols, image.rows, CV_8UC3);
  for (int y = 0; y < image.rows; ++y) {
    const uint8_t* from = image.ptr(y);
    for (int x = 0; x < image.cols; ++x) std::memcpy(out.ptr(x) + 3 * y, from + 3 * x, 3);
  }
  return out;
}

}  // namespace

cv::Mat ResizedCrop(const cv::Mat& image, const cv::Rect& box, const cv::Size& size) {
  const cv::Mat crop = image(box);
  // A pass that keeps its length has weights of 1 and 0: nothing to do.
  const cv::Mat wide = size.width == crop.cols ? crop : ResizeColumns(crop, size.width);
  return size.height == crop.rows ? wide.clone() : ResizeRows(wide, size.height);
}

cv::Mat AdjustBrightness(const cv::Mat& image, float factor) { return BlendWith(image, 0, factor); }

cv::Mat AdjustContrast(const cv::Mat& image, float factor) {
  int64_t sum = 0;
  for (int y = 0; y < image.rows; ++y) {
    const uint8_t* p = image.ptr(y);
    for (int x = 0; x < image.cols; ++x) sum += Luma(p + 3 * x);
  }
  const int mean = static_cast<int>(static_cast<double>(sum) / image.total() + 0.5);
  return BlendWith(image, mean, factor);
}

cv::Mat AdjustSaturation(const cv::Mat& image, float factor) {
  return ForEachPixel(image, [&](const uint8_t* from, uint8_t* to) {
    const int grey = Luma(from);
    for (int c = 0; c < 3; ++c) to[c] = Blend(grey, from[c], factor);
  });
}

cv::Mat AdjustHue(const cv::Mat& image, double turn) {
  const auto shift = static_cast<uint8_t>(static_cast<int>(turn * 255));
  return ForEachPixel(image, [&](const uint8_t* from, uint8_t* to) {
    Hsv hsv = ToHsv(from);
    hsv.h += shift;  // around the circle
    FromHsv(hsv, to);
  });
}

cv::Mat Grayscale(const cv::Mat& image) {
  return ForEachPixel(image,
                      [](const uint8_t* from, uint8_t* to) { to[0] = to[1] = to[2] = Luma(from); });
}

cv::Mat GaussianBlur(const cv::Mat& image, float radius) {
  const float box = BoxRadius(radius);
  cv::Mat result = Transposed(image);
  for (int i = 0; i < kBlurPasses; ++i) result = BoxBlurColumns(result, box);
  result = Transposed(result);
  for (int i = 0; i < kBlurPasses; ++i) result = BoxBlurColumns(result, box);
  return result;
}

cv::Mat Flip(const cv::Mat& image) {
  cv::Mat out;
  cv::flip(image, out, /*flipCode=*/1);
  return out;
}

}  // namespace augment
