#include "moco/backbones/batch_norm_kernels.h"

#include <c10/util/BFloat16.h>

#include <bit>

#include "base/for_each_cpu.h"

namespace moco {
namespace {

// A bfloat16 is the upper half of a float. The compiler does not vectorise c10's own conversions in
// every loop.
template <class T>
INLINED Wide<T> Load(const T& from) {
  if constexpr (std::is_same_v<T, c10::BFloat16>) {
    return std::bit_cast<float>(static_cast<uint32_t>(from.x) << 16);
  } else {
    return from;
  }
}

// Rounds to nearest, ties to even.
template <class T>
INLINED void Store(Wide<T> value, T& to) {
  if constexpr (std::is_same_v<T, c10::BFloat16>) {
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    to.x = value == value ? (bits + 0x7FFF + (bits >> 16 & 1)) >> 16 : 0x7FC0;
  } else {
    to = value;
  }
}

// Sums over rows are kept for this many channels at a time, so that they fit into registers.
constexpr int kWide = 64, kNarrow = 16;

// Calls run.Do<n>(c) for each run of n channels from c, where n is kWide, kNarrow or 1.
template <class Run>
INLINED void ForRuns(int64_t channels, const Run& run) {
  int64_t c = 0;
  for (; c + kWide <= channels; c += kWide) run.template Do<kWide>(c);
  for (; c + kNarrow <= channels; c += kNarrow) run.template Do<kNarrow>(c);
  for (; c < channels; ++c) run.template Do<1>(c);
}

// Sums are taken of differences from the first row, so that a mean which is large compared with the
// deviation costs no precision.
template <class T>
struct MomentsOfRun {
  const T* x;
  const int64_t rows, channels;
  Wide<T>*mean, *squares;

  template <int n>
  INLINED void Do(int64_t c) const {
    Wide<T> first[n], sums[n] = {}, sums_of_squares[n] = {};
    for (int i = 0; i < n; ++i) first[i] = Load(x[c + i]);
    for (int64_t r = 1; r < rows; ++r) {
      for (int i = 0; i < n; ++i) {
        const Wide<T> distance = Load(x[r * channels + c + i]) - first[i];
        sums[i] += distance;
        sums_of_squares[i] += distance * distance;
      }
    }
    for (int i = 0; i < n; ++i) {
      const Wide<T> distance = sums[i] / rows;
      mean[c + i] = first[i] + distance;
      squares[c + i] = sums_of_squares[i] - sums[i] * distance;
    }
  }
};

template <bool kRelu, class T>
struct SumsOfRun {
  const T *dy, *y, *x;
  const int64_t rows, channels;
  const Wide<T>* mean;
  Wide<T>*sum, *product;

  template <int n>
  INLINED void Do(int64_t c) const {
    Wide<T> center[n], sums[n] = {}, products[n] = {};
    for (int i = 0; i < n; ++i) center[i] = mean[c + i];
    for (int64_t r = 0; r < rows; ++r) {
      for (int i = 0; i < n; ++i) {
        const int64_t at = r * channels + c + i;
        Wide<T> z = Load(dy[at]);
        if constexpr (kRelu) z = Load(y[at]) > 0 ? z : 0;
        sums[i] += z;
        products[i] += z * (Load(x[at]) - center[i]);
      }
    }
    for (int i = 0; i < n; ++i) {
      sum[c + i] = sums[i];
      product[c + i] = products[i];
    }
  }
};

template <Then then, class T>
INLINED void NormalizeRows(const T* x, const T* residual, int64_t rows, int64_t channels,
                           const Wide<T>* mean, const Wide<T>* scale, const Wide<T>* bias, T* y) {
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t row = r * channels;
    INDEPENDENT_STEPS  // y may be x, of which each value is read before it is overwritten
    for (int64_t c = 0; c < channels; ++c) {
      Wide<T> z = (Load(x[row + c]) - mean[c]) * scale[c] + bias[c];
      if constexpr (then == Then::kAddRelu) z += Load(residual[row + c]);
      if constexpr (then != Then::kNothing) z = z < 0 ? 0 : z;  // NaN stays NaN
      Store(z, y[row + c]);
    }
  }
}

template <Then then, class T>
INLINED void InputGradientRows(const T* dy, const T* y, const T* x, int64_t rows, int64_t channels,
                               const Wide<T>* mean, const Wide<T>* scale, const Wide<T>* a,
                               const Wide<T>* b, T* __restrict dz, T* __restrict dx) {
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t row = r * channels;
    for (int64_t c = 0; c < channels; ++c) {
      Wide<T> z = Load(dy[row + c]);
      if constexpr (then != Then::kNothing) z = Load(y[row + c]) > 0 ? z : 0;
      if constexpr (then == Then::kAddRelu) Store(z, dz[row + c]);
      Store(scale[c] * (z - a[c] - (Load(x[row + c]) - mean[c]) * b[c]), dx[row + c]);
    }
  }
}

}  // namespace

template <class T>
FOR_EACH_CPU void ComputeMoments(const T* x, int64_t rows, int64_t channels, Wide<T>* mean,
                                 Wide<T>* squares) {
  ForRuns(channels, MomentsOfRun<T>{x, rows, channels, mean, squares});
}

template <class T>
FOR_EACH_CPU void Normalize(Then then, const T* x, const T* residual, int64_t rows,
                            int64_t channels, const Wide<T>* mean, const Wide<T>* scale,
                            const Wide<T>* bias, T* y) {
  switch (then) {
    case Then::kNothing:
      return NormalizeRows<Then::kNothing>(x, residual, rows, channels, mean, scale, bias, y);
    case Then::kRelu:
      return NormalizeRows<Then::kRelu>(x, residual, rows, channels, mean, scale, bias, y);
    case Then::kAddRelu:
      return NormalizeRows<Then::kAddRelu>(x, residual, rows, channels, mean, scale, bias, y);
  }
}

template <class T>
FOR_EACH_CPU void SumGradients(Then then, const T* dy, const T* y, const T* x, int64_t rows,
                               int64_t channels, const Wide<T>* mean, Wide<T>* sum,
                               Wide<T>* product) {
  if (then == Then::kNothing) {
    ForRuns(channels, SumsOfRun<false, T>{dy, y, x, rows, channels, mean, sum, product});
  } else {
    ForRuns(channels, SumsOfRun<true, T>{dy, y, x, rows, channels, mean, sum, product});
  }
}

template <class T>
FOR_EACH_CPU void InputGradient(Then then, const T* dy, const T* y, const T* x, int64_t rows,
                                int64_t channels, const Wide<T>* mean, const Wide<T>* scale,
                                const Wide<T>* a, const Wide<T>* b, T* dz, T* dx) {
  switch (then) {
    case Then::kNothing:
      return InputGradientRows<Then::kNothing>(dy, y, x, rows, channels, mean, scale, a, b, dz, dx);
    case Then::kRelu:
      return InputGradientRows<Then::kRelu>(dy, y, x, rows, channels, mean, scale, a, b, dz, dx);
    case Then::kAddRelu:
      return InputGradientRows<Then::kAddRelu>(dy, y, x, rows, channels, mean, scale, a, b, dz, dx);
  }
}

#define INSTANTIATE(T)                                                                             \
  template void ComputeMoments(const T*, int64_t, int64_t, Wide<T>*, Wide<T>*);                    \
  template void Normalize(Then, const T*, const T*, int64_t, int64_t, const Wide<T>*,              \
                          const Wide<T>*, const Wide<T>*, T*);                                     \
  template void SumGradients(Then, const T*, const T*, const T*, int64_t, int64_t, const Wide<T>*, \
                             Wide<T>*, Wide<T>*);                                                  \
  template void InputGradient(Then, const T*, const T*, const T*, int64_t, int64_t,                \
                              const Wide<T>*, const Wide<T>*, const Wide<T>*, const Wide<T>*, T*,  \
                              T*);
INSTANTIATE(float)
INSTANTIATE(double)
INSTANTIATE(c10::BFloat16)

}  // namespace moco
