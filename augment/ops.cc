#include "augment/ops.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <opencv2/core.hpp>
#include <vector>

#include "augment/blocks.h"
#include "augment/float_ops.h"
#include "augment/resize_taps.h"
#include "augment/transpose.h"
#include "base/for_each_cpu.h"

namespace augment {
namespace {

// The innermost loops are simple and run over independent values, so that FOR_EACH_CPU can
// vectorise them.

uint8_t Clip8(int value) { return static_cast<uint8_t>(std::clamp(value, 0, 255)); }

// ---- Resize -------------------------------------------------------------------------------------

constexpr int kWeightBits = 22;  // of the fraction; 8 of the pixel and some of overshoot fit, too

// One row of the result: `taps` rows of n values, `stride` apart, weighted. `sums` is scratch
// memory.
FOR_EACH_CPU void WeightedRow(const uint8_t* from, size_t stride, const int32_t* weights, int taps,
                              int n, int32_t* __restrict sums, uint8_t* __restrict to) {
  for (int x = 0; x < n; ++x) sums[x] = 1 << (kWeightBits - 1);
  for (int i = 0; i < taps; ++i, from += stride) {
    const int32_t weight = weights[i];
    for (int x = 0; x < n; ++x) sums[x] += weight * from[x];
  }
  for (int x = 0; x < n; ++x) to[x] = Clip8(sums[x] >> kWeightBits);
}

cv::Mat ResizeRows(const cv::Mat& image, int rows) {
  const auto taps = TriangleTaps<int32_t>(image.rows, rows, [](double share) {
    return static_cast<int32_t>(0.5 + share * (1 << kWeightBits));
  });
  cv::Mat out(rows, image.cols, image.type());
  const int n = image.channels() * image.cols;
  std::vector<int32_t> sums(n);
  for (int y = 0; y < rows; ++y) {
    const int32_t *begin = &taps.weights[size_t{1} * y * taps.width], *end = begin + taps.width;
    int first = taps.first[y];
    for (; *begin == 0; ++begin) ++first;
    while (end[-1] == 0) --end;
    const uint8_t* from = image.ptr(first);
    const int count = end - begin;
    if (WeightedBlocks(from, image.step, begin, count, n, out.ptr(y))) continue;
    WeightedRow(from, image.step, begin, count, n, sums.data(), out.ptr(y));
  }
  return out;
}

// Along a row, neighbours are not independent, but along a column they are, so the image is
// transposed.
cv::Mat ResizeColumns(const cv::Mat& image, int cols) {
  return Transposed(ResizeRows(Transposed(image), cols));
}

// ---- Colour -------------------------------------------------------------------------------------

// The channels of some pixels, each by itself: loops over them vectorise well, whatever types they
// mix. Of whole rows, they would leave the fastest cache.
constexpr int kChunk = 256;
struct Planes {
  int32_t r[kChunk], g[kChunk], b[kChunk];
};

INLINED void Split(const uint8_t* from, int n, Planes& planes) {
  for (int i = 0; i < n; ++i) {
    planes.r[i] = from[3 * i];
    planes.g[i] = from[3 * i + 1];
    planes.b[i] = from[3 * i + 2];
  }
}

INLINED void Join(const Planes& planes, int n, uint8_t* __restrict to) {
  for (int i = 0; i < n; ++i) {
    to[3 * i] = static_cast<uint8_t>(planes.r[i]);
    to[3 * i + 1] = static_cast<uint8_t>(planes.g[i]);
    to[3 * i + 2] = static_cast<uint8_t>(planes.b[i]);
  }
}

INLINED int Luma(int r, int g, int b) { return (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16; }

// Computes other + factor (value - other), in float, truncated towards 0.
uint8_t Blend(int other, int value, float factor) {
  const float blended = static_cast<float>(other) + factor * static_cast<float>(value - other);
  return Clip8(static_cast<int>(blended));
}

// Calls work(from, to, pixels) for each row, or once for all rows if they are contiguous.
template <class Work>
cv::Mat ForEachRow(const cv::Mat& image, Work work) {
  cv::Mat out(image.rows, image.cols, CV_8UC3);
  if (image.isContinuous()) {
    work(image.ptr(), out.ptr(), static_cast<int>(image.total()));
  } else {
    for (int y = 0; y < image.rows; ++y) work(image.ptr(y), out.ptr(y), image.cols);
  }
  return out;
}

FOR_EACH_CPU void BlendRow(const uint8_t* from, int n, int other, float factor,
                           uint8_t* __restrict to) {
  for (int i = 0; i < n; ++i) to[i] = Blend(other, from[i], factor);
}

FOR_EACH_CPU void SaturateRow(const uint8_t* from, int pixels, float factor,
                              uint8_t* __restrict to) {
  Planes p;
  for (int done = 0; done < pixels; done += kChunk) {
    const int n = std::min(kChunk, pixels - done);
    Split(from + 3 * done, n, p);
    for (int i = 0; i < n; ++i) {
      const int grey = Luma(p.r[i], p.g[i], p.b[i]);
      p.r[i] = Blend(grey, p.r[i], factor);
      p.g[i] = Blend(grey, p.g[i], factor);
      p.b[i] = Blend(grey, p.b[i], factor);
    }
    Join(p, n, to + 3 * done);
  }
}

FOR_EACH_CPU void GreyRow(const uint8_t* from, int pixels, uint8_t* __restrict to) {
  for (int i = 0; i < 3 * pixels; i += 3) {
    to[i] = to[i + 1] = to[i + 2] = static_cast<uint8_t>(Luma(from[i], from[i + 1], from[i + 2]));
  }
}

FOR_EACH_CPU int64_t LumaSum(const uint8_t* from, int pixels) {
  int64_t sum = 0;
  for (int done = 0; done < pixels; done += kChunk) {
    const int n = std::min(kChunk, pixels - done);
    int32_t of_chunk = 0;
    for (int i = 3 * done; i < 3 * (done + n); i += 3) {
      of_chunk += Luma(from[i], from[i + 1], from[i + 2]);
    }
    sum += of_chunk;
  }
  return sum;
}

// Converts to 8-bit HSV, shifts the hue by `shift` of 256, and converts back. Grey is not a special
// case: without saturation, no hue is seen. Two of the divisions by constants are multiplications,
// which round otherwise, but give the same result for every colour and shift.
FOR_EACH_CPU void HueRow(const uint8_t* from, int pixels, int shift, uint8_t* __restrict to) {
  for (int i = 0; i < 3 * pixels; i += 3) {
    const int r = from[i], g = from[i + 1], b = from[i + 2];
    const int high = std::max(std::max(r, g), b), low = std::min(std::min(r, g), b);
    const int middle = r + g + b - high - low, range = high - low;
    // On the circle, red, green and blue are at 0, 2 and 4. The hue lies between the highest
    // channel and the middle one, which is the next or the one before: starting from the point
    // halfway between them (1, 3 or 5) back towards the highest. Pillow adds three numbers in
    // double, one of which is 1; adding the other two in float gives the same.
    const bool is_next = (r == high ? b : g == high ? r : g) == low;
    const int halfway = (r == high ? 0 : g == high ? 2 : 4) + (is_next ? 1 : -1);
    const float back = static_cast<float>(is_next ? middle - high : high - middle) /
                       static_cast<float>(std::max(range, 1));
    const float turn = (static_cast<float>(halfway) + back) / 6.0f;
    const int hue = ((static_cast<int>((turn < 0 ? turn + 1 : turn) * 255.0f) + shift) & 255) * 6;

    const float v = static_cast<float>(high);
    const float saturation = static_cast<float>(range) / static_cast<float>(std::max(high, 1));
    const float s = static_cast<float>(static_cast<int>(saturation * 255.0f)) * (1 / 255.0f);
    const int sixth = hue / 255;
    const float f = static_cast<float>(hue - sixth * 255) * (1 / 255.0f);
    const int base = static_cast<int>(v * (1.0f - s) + 0.5f);
    const float share = s * ((sixth & 1) != 0 ? f : 1.0f - f);  // falling or rising
    const int edge = static_cast<int>(v * (1.0f - share) + 0.5f);
    // A channel is high in two sixths, `edge` beside them, and `base` in the others. The last hue
    // is in a sixth of its own, where `edge` is equal to `base`.
    const int to_red = std::abs(2 * sixth - 5), to_green = std::abs(2 * sixth - 3),
              to_blue = std::abs(2 * sixth - 7);
    to[i] = static_cast<uint8_t>(to_red > 4 ? high : to_red > 2 ? edge : base);
    to[i + 1] = static_cast<uint8_t>(to_green < 2 ? high : to_green < 4 ? edge : base);
    to[i + 2] = static_cast<uint8_t>(to_blue < 2 ? high : to_blue < 4 ? edge : base);
  }
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

// The weights of a box, of 2^24: `inner` of each value that it contains completely, `outer` of the
// two at its edges.
struct Box {
  explicit Box(float radius)
      : whole(static_cast<int>(radius)),
        inner(static_cast<uint32_t>((1 << 24) / (radius * 2 + 1))),
        outer(((1 << 24) - (whole * 2 + 1) * inner) / 2) {}

  INLINED uint8_t Mean(uint32_t sum, uint32_t edges) const {
    return static_cast<uint8_t>((sum * inner + edges * outer + (1 << 23)) >> 24);
  }

  int whole;  // values on each side that the box contains completely
  uint32_t inner, outer;
};

// ---- Narrow boxes, of at most kMargin values on each side: each mean is summed by itself.

constexpr int kMargin = 2;

// Writes the means of n values with their neighbours, which are `step` values away.
template <int kWhole>
INLINED void BlurNear(const uint8_t* from, ptrdiff_t step, int n, Box box, uint8_t* __restrict to) {
  for (int x = 0; x < n; ++x) {
    uint32_t sum = from[x];
    if constexpr (kWhole == 1) sum += uint32_t{from[x - step]} + from[x + step];
    constexpr int kEdge = kWhole + 1;
    to[x] = box.Mean(sum, uint32_t{from[x - kEdge * step]} + from[x + kEdge * step]);
  }
}
FOR_EACH_CPU void BlurRow(const uint8_t* from, ptrdiff_t step, int n, const Box& box, uint8_t* to) {
  if (box.whole == 0) {
    BlurNear<0>(from, step, n, box, to);
  } else {
    BlurNear<1>(from, step, n, box, to);
  }
}
void BlurValues(const uint8_t* from, ptrdiff_t step, int n, const Box& box, uint8_t* to) {
  if (BlurBlocks(from, step, n, box.whole, box.inner, box.outer, to)) return;
  BlurRow(from, step, n, box, to);
}

// Rows, then columns, with the outermost values continued beyond the borders before each pass.
cv::Mat BlurNear(const cv::Mat& image, const Box& box) {
  const int channels = image.channels(), n = channels * image.cols, margin = channels * kMargin;
  cv::Mat columns(image.rows + 2 * kMargin, image.cols, image.type());
  std::vector<uint8_t> row(n + 2 * margin), next(n + 2 * margin);
  for (int y = 0; y < image.rows; ++y) {
    std::memcpy(&row[margin], image.ptr(y), n);
    for (int i = 0; i < kBlurPasses; ++i) {
      for (int x = 0; x < margin; ++x) {
        row[x] = row[margin + x % channels];
        row[margin + n + x] = row[margin + n - channels + x % channels];
      }
      BlurValues(&row[margin], channels, n, box, &next[margin]);
      std::swap(row, next);
    }
    std::memcpy(columns.ptr(kMargin + y), &row[margin], n);
  }

  cv::Mat blurred(columns.size(), image.type());
  const int begin = kMargin, end = kMargin + image.rows;
  for (int i = 0; i < kBlurPasses; ++i) {
    for (int y = 0; y < kMargin; ++y) {
      std::memcpy(columns.ptr(y), columns.ptr(begin), n);
      std::memcpy(columns.ptr(end + y), columns.ptr(end - 1), n);
    }
    for (int y = begin; y < end; ++y) BlurValues(columns.ptr(y), n, n, box, blurred.ptr(y));
    std::swap(columns, blurred);
  }
  return columns.rowRange(begin, end).clone();
}

// ---- Wide boxes: sums that slide along the columns.

// One row. `sums` are over the rows that the box contains completely; one row enters, one leaves,
// and the latter and the one `beyond` are at the edges.
FOR_EACH_CPU void SlideRow(const uint8_t* enters, const uint8_t* leaves, const uint8_t* beyond,
                           int n, const Box& box, uint32_t* __restrict sums,
                           uint8_t* __restrict to) {
  const Box b = box;
  for (int x = 0; x < n; ++x) {
    sums[x] += enters[x] - leaves[x];
    to[x] = b.Mean(sums[x], static_cast<uint32_t>(leaves[x]) + beyond[x]);
  }
}

// Rows outside the image equal the outermost ones.
cv::Mat BlurColumns(const cv::Mat& image, const Box& box) {
  const int n = image.channels() * image.cols, last = image.rows - 1;
  const auto row = [&](int y) { return image.ptr(std::clamp(y, 0, last)); };
  std::vector<uint32_t> sums(n, 0);  // of the box around row -1
  for (int y = -box.whole - 1; y < box.whole; ++y) {
    const uint8_t* p = row(y);
    for (int x = 0; x < n; ++x) sums[x] += p[x];
  }
  cv::Mat out(image.rows, image.cols, image.type());
  for (int y = 0; y <= last; ++y) {
    SlideRow(row(y + box.whole), row(y - box.whole - 1), row(y + box.whole + 1), n, box,
             sums.data(), out.ptr(y));
  }
  return out;
}

// ---- Floats -------------------------------------------------------------------------------------

FOR_EACH_CPU void FloatRow(const uint8_t* from, int n, float* __restrict to) {
  for (int i = 0; i < n; ++i) to[i] = static_cast<float>(from[i]) / 255.0f;
}

template <class Value>
INLINED void Solarized(const Value* from, int n, float threshold, float white,
                       Value* __restrict to) {
  for (int i = 0; i < n; ++i) {
    const auto value = static_cast<float>(from[i]);
    to[i] = static_cast<Value>(value >= threshold ? white - value : value);
  }
}
FOR_EACH_CPU void SolarizeRow(const float* from, int n, float threshold, float white, float* to) {
  Solarized(from, n, threshold, white, to);
}
FOR_EACH_CPU void SolarizeRow(const uint8_t* from, int n, float threshold, float white,
                              uint8_t* to) {
  Solarized(from, n, threshold, white, to);
}

FOR_EACH_CPU void ScaleRow(const float* from, int n, const float* gain, const float* offset,
                           float* __restrict to) {
  for (int i = 0; i < n; ++i) {
    to[i] = std::min(std::max(from[i] * gain[i] + offset[i], 0.0f), 1.0f);
  }
}
FOR_EACH_CPU void ScaleRow(const uint8_t* from, int n, const float* gain, const float* offset,
                           uint8_t* __restrict to) {
  for (int i = 0; i < n; ++i) {
    const float value = static_cast<float>(from[i]) * gain[i] + offset[i] + 0.5f;
    to[i] = static_cast<uint8_t>(std::min(std::max(value, 0.0f), 255.0f));
  }
}

// The constants of every value of a row, so that loops do not depend on the number of channels.
ChannelConstants ForRow(const ChannelConstants& constants, const cv::Mat& image) {
  const int channels = image.channels(), n = channels * image.cols;
  ChannelConstants row{std::vector<float>(n), std::vector<float>(n)};
  for (int i = 0; i < n; ++i) {
    row.mean[i] = constants.mean[i % channels];
    row.deviation[i] = constants.deviation[i % channels];
  }
  return row;
}

FOR_EACH_CPU void NormalizeRow(float* row, int n, const float* __restrict mean,
                               const float* __restrict deviation) {
  for (int i = 0; i < n; ++i) row[i] = (row[i] - mean[i]) / deviation[i];
}

}  // namespace

cv::Mat ResizedCrop(const cv::Mat& image, const cv::Rect& box, const cv::Size& size) {
  if (image.depth() == CV_32F) return floats::ResizedCrop(image, box, size);
  cv::Mat result = image(box);
  if (size == box.size()) return result.clone();
  // A pass that does not change the length has weights of 1 and 0, so there is nothing to do.
  const auto resize_columns = [&] {
    if (size.width != box.width) result = ResizeColumns(result, size.width);
  };
  const auto resize_rows = [&] {
    if (size.height != box.height) result = ResizeRows(result, size.height);
  };
  // The order affects the result, because intermediate values are rounded. Pillow chooses the
  // faster order by this rule.
  const int shrinks = box.height - size.height;
  if (shrinks > 0 && shrinks > 2 * (box.width - size.width)) {
    resize_rows();
    resize_columns();
  } else {
    resize_columns();
    resize_rows();
  }
  return result;
}

cv::Mat AdjustBrightness(const cv::Mat& image, float factor) {
  if (image.depth() == CV_32F) return floats::AdjustBrightness(image, factor);
  return ForEachRow(image, [=](const uint8_t* from, uint8_t* to, int pixels) {
    BlendRow(from, 3 * pixels, 0, factor, to);
  });
}

cv::Mat AdjustContrast(const cv::Mat& image, float factor) {
  if (image.depth() == CV_32F) return floats::AdjustContrast(image, factor);
  int64_t sum = 0;
  for (int y = 0; y < image.rows; ++y) sum += LumaSum(image.ptr(y), image.cols);
  const int mean = static_cast<int>(static_cast<double>(sum) / image.total() + 0.5);
  return ForEachRow(image, [=](const uint8_t* from, uint8_t* to, int pixels) {
    BlendRow(from, 3 * pixels, mean, factor, to);
  });
}

cv::Mat AdjustSaturation(const cv::Mat& image, float factor) {
  if (image.depth() == CV_32F) return floats::AdjustSaturation(image, factor);
  return ForEachRow(image, [=](const uint8_t* from, uint8_t* to, int pixels) {
    SaturateRow(from, pixels, factor, to);
  });
}

cv::Mat AdjustHue(const cv::Mat& image, double turn) {
  if (image.depth() == CV_32F) return floats::AdjustHue(image, turn);
  const int shift = static_cast<int>(turn * 255);
  return ForEachRow(image, [=](const uint8_t* from, uint8_t* to, int pixels) {
    HueRow(from, pixels, shift, to);
  });
}

cv::Mat Grayscale(const cv::Mat& image) {
  if (image.depth() == CV_32F) return floats::Grayscale(image);
  return ForEachRow(
      image, [](const uint8_t* from, uint8_t* to, int pixels) { GreyRow(from, pixels, to); });
}

cv::Mat GaussianBlur(const cv::Mat& image, float radius) {
  if (image.depth() == CV_32F) return floats::GaussianBlur(image, radius);
  const Box box(BoxRadius(radius));
  if (box.whole < kMargin) return BlurNear(image, box);
  cv::Mat result = Transposed(image);
  for (int i = 0; i < kBlurPasses; ++i) result = BlurColumns(result, box);
  result = Transposed(result);
  for (int i = 0; i < kBlurPasses; ++i) result = BlurColumns(result, box);
  return result;
}

cv::Mat Flip(const cv::Mat& image) { return Mirrored(image); }

cv::Mat VerticalFlip(const cv::Mat& image) {
  cv::Mat out;
  cv::flip(image, out, /*flipCode=*/0);
  return out;
}

cv::Mat Rotate90(const cv::Mat& image, int turns) {
  switch (turns % 4) {
    case 1:
      return VerticalFlip(Transposed(image));
    case 2:
      return VerticalFlip(Flip(image));
    case 3:
      return Flip(Transposed(image));
    default:
      return image.clone();
  }
}

cv::Mat Solarize(const cv::Mat& image, float threshold) {
  cv::Mat out(image.rows, image.cols, image.type());
  const int n = image.channels() * image.cols;
  for (int y = 0; y < image.rows; ++y) {
    if (image.depth() == CV_32F) {
      SolarizeRow(image.ptr<float>(y), n, threshold, 1.0f, out.ptr<float>(y));
    } else {
      SolarizeRow(image.ptr(y), n, std::ceil(threshold * 255), 255, out.ptr(y));
    }
  }
  return out;
}

cv::Mat ScaleChannels(const cv::Mat& image, const std::vector<float>& gain,
                      const std::vector<float>& offset) {
  cv::Mat out(image.rows, image.cols, image.type());
  // Constants for a whole row, so that the loop does not depend on the number of channels.
  const int channels = image.channels(), n = channels * image.cols;
  const bool floats = image.depth() == CV_32F;
  std::vector<float> gains(n), offsets(n);
  for (int i = 0; i < n; ++i) {
    gains[i] = gain[i % channels];
    offsets[i] = floats ? offset[i % channels] : 255 * offset[i % channels];
  }
  for (int y = 0; y < image.rows; ++y) {
    if (floats) {
      ScaleRow(image.ptr<float>(y), n, gains.data(), offsets.data(), out.ptr<float>(y));
    } else {
      ScaleRow(image.ptr(y), n, gains.data(), offsets.data(), out.ptr(y));
    }
  }
  return out;
}

cv::Mat ToFloat(const cv::Mat& image) {
  if (image.depth() == CV_32F) return image.clone();
  cv::Mat out(image.rows, image.cols, CV_32FC(image.channels()));
  const int n = image.channels() * image.cols;
  for (int y = 0; y < image.rows; ++y) FloatRow(image.ptr(y), n, out.ptr<float>(y));
  return out;
}

void NormalizeChannels(cv::Mat& image, const std::vector<float>& mean,
                       const std::vector<float>& deviation) {
  const ChannelConstants row = ForRow({mean, deviation}, image);
  const int n = image.channels() * image.cols;
  for (int y = 0; y < image.rows; ++y) {
    NormalizeRow(image.ptr<float>(y), n, row.mean.data(), row.deviation.data());
  }
}

void WriteFloats(const cv::Mat& image, const std::vector<ChannelConstants>& normalizations,
                 float* out) {
  std::vector<ChannelConstants> rows;
  rows.reserve(normalizations.size());
  for (const ChannelConstants& constants : normalizations) {
    rows.push_back(ForRow(constants, image));
  }
  const int n = image.channels() * image.cols;
  for (int y = 0; y < image.rows; ++y, out += n) {
    if (image.depth() == CV_8U) {
      FloatRow(image.ptr(y), n, out);
    } else {
      std::copy_n(image.ptr<float>(y), n, out);
    }
    for (const ChannelConstants& row : rows) {
      NormalizeRow(out, n, row.mean.data(), row.deviation.data());
    }
  }
}

}  // namespace augment
