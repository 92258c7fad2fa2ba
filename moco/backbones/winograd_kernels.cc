#include "moco/backbones/winograd_kernels.h"

#include <algorithm>
#include <vector>

#include "base/for_each_cpu.h"

namespace moco {
namespace {

// A row of a matrix whose entries are zero but for two at the most, and their columns.
struct Row {
  int first, second;
  float of_first, of_second;

  INLINED float Times(float at_first, float at_second) const {
    return of_first * at_first + of_second * at_second;
  }
};

template <int kFrom>
INLINED void Multiply(const Row (&rows)[4], const float (&from)[kFrom], float (&to)[4]) {
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) to[i] = rows[i].Times(from[rows[i].first], from[rows[i].second]);
}

// Each is a matrix of the paper, as a function of a column.

struct WindowToNumbers {  // B'
  static constexpr int kFrom = 4, kTo = 4;
  static constexpr Row kRows[] = {{0, 2, 1, -1}, {1, 2, 1, 1}, {2, 1, 1, -1}, {1, 3, 1, -1}};
  INLINED static void Do(const float (&d)[4], float (&to)[4]) { Multiply(kRows, d, to); }
};

struct NumbersToTile {  // A'
  static constexpr int kFrom = 4, kTo = 2;
  INLINED static void Do(const float (&m)[4], float (&to)[2]) {
    to[0] = m[0] + m[1] + m[2];
    to[1] = m[1] - m[2] - m[3];
  }
};

struct TileToNumbers {  // A
  static constexpr int kFrom = 2, kTo = 4;
  static constexpr Row kRows[] = {{0, 1, 1, 0}, {0, 1, 1, 1}, {0, 1, 1, -1}, {0, 1, 0, -1}};
  INLINED static void Do(const float (&t)[2], float (&to)[4]) { Multiply(kRows, t, to); }
};

struct KernelToNumbers {  // G
  static constexpr int kFrom = 3, kTo = 4;
  INLINED static void Do(const float (&g)[3], float (&to)[4]) {
    const float outer = 0.5f * (g[0] + g[2]), middle = 0.5f * g[1];
    to[0] = g[0];
    to[1] = outer + middle;
    to[2] = outer - middle;
    to[3] = g[2];
  }
};

struct NumbersToKernel {  // G'
  static constexpr int kFrom = 4, kTo = 3;
  INLINED static void Do(const float (&d)[4], float (&to)[3]) {
    const float outer = 0.5f * (d[1] + d[2]);
    to[0] = d[0] + outer;
    to[1] = 0.5f * (d[1] - d[2]);
    to[2] = d[3] + outer;
  }
};

// Computes to = M from M', where M is the matrix.
template <class Matrix>
INLINED void OnBothSides(const float (&from)[Matrix::kFrom][Matrix::kFrom],
                         float (&to)[Matrix::kTo][Matrix::kTo]) {
  float half[Matrix::kTo][Matrix::kFrom];
#pragma GCC unroll 4
  for (int j = 0; j < Matrix::kFrom; ++j) {
    float column[Matrix::kFrom], product[Matrix::kTo];
#pragma GCC unroll 4
    for (int i = 0; i < Matrix::kFrom; ++i) column[i] = from[i][j];
    Matrix::Do(column, product);
#pragma GCC unroll 4
    for (int i = 0; i < Matrix::kTo; ++i) half[i][j] = product[i];
  }
#pragma GCC unroll 4
  for (int i = 0; i < Matrix::kTo; ++i) Matrix::Do(half[i], to[i]);
}

// Where a channel's values lie: in from[i][j][c] and to[i][j][c].
template <class Matrix>
INLINED void ForChannels(const float* const (&from)[Matrix::kFrom][Matrix::kFrom],
                         float* const (&to)[Matrix::kTo][Matrix::kTo], int64_t channels) {
  INDEPENDENT_STEPS
  for (int64_t c = 0; c < channels; ++c) {
    float x[Matrix::kFrom][Matrix::kFrom], y[Matrix::kTo][Matrix::kTo];
#pragma GCC unroll 4
    for (int i = 0; i < Matrix::kFrom; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < Matrix::kFrom; ++j) x[i][j] = from[i][j][c];
    }
    OnBothSides<Matrix>(x, y);
#pragma GCC unroll 4
    for (int i = 0; i < Matrix::kTo; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < Matrix::kTo; ++j) to[i][j][c] = y[i][j];
    }
  }
}

// Does so for the numbers to[j] of one row.
template <class Matrix>
INLINED void ForChannelsOfRow(int row, const float* const (&from)[Matrix::kFrom][Matrix::kFrom],
                              float* const (&to)[Matrix::kTo], int64_t channels) {
  const Row of_row = Matrix::kRows[row];
  const float *first[Matrix::kFrom], *second[Matrix::kFrom];
  for (int j = 0; j < Matrix::kFrom; ++j) {
    first[j] = from[of_row.first][j];
    second[j] = from[of_row.second][j];
  }
  INDEPENDENT_STEPS
  for (int64_t c = 0; c < channels; ++c) {
    float half[Matrix::kFrom], y[Matrix::kTo];
#pragma GCC unroll 4
    for (int j = 0; j < Matrix::kFrom; ++j) half[j] = of_row.Times(first[j][c], second[j][c]);
    Matrix::Do(half, y);
#pragma GCC unroll 4
    for (int j = 0; j < Matrix::kTo; ++j) to[j][c] = y[j];
  }
}

// Sets at[i][j] to row `row` of the matrix of number (i, j); a matrix has `rows` rows.
template <class T, int kHigh>
INLINED void NumbersAt(T* numbers, int64_t rows, int64_t channels, int64_t row,
                       T* (&at)[kHigh][4]) {
  for (int i = 0; i < kHigh; ++i) {
    for (int j = 0; j < 4; ++j) at[i][j] = numbers + ((i * 4 + j) * rows + row) * channels;
  }
}

// Sets at[i][j] to the pixels of tile `t`, `margin` pixels larger on each side; to `outside` where
// there is none.
template <class T, class Pointers>
INLINED void PixelsAt(T* images, const Tiles& tiles, int64_t t, int margin, T* outside,
                      Pointers& at) {
  const int64_t across = tiles.across(), in_image = tiles.down() * across;
  const int64_t image = t / in_image, row = t % in_image / across * 2 - margin,
                col = t % across * 2 - margin;
  for (int i = 0; i < 2 + 2 * margin; ++i) {
    for (int j = 0; j < 2 + 2 * margin; ++j) {
      const int64_t r = row + i, c = col + j;
      const bool inside = r >= 0 && r < tiles.rows && c >= 0 && c < tiles.cols;
      at[i][j] =
          inside ? images + ((image * tiles.rows + r) * tiles.cols + c) * tiles.channels : outside;
    }
  }
}

// Sets at[i][j] to the weights (i, j) of the kernels `k`.
template <class T, class Pointers>
INLINED void WeightsAt(T* weights, const Kernels& kernels, int64_t k, bool turned, Pointers& at) {
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      const int number = 3 * i + j;
      at[i][j] = weights + (k * 9 + (turned ? 8 - number : number)) * kernels.channels;
    }
  }
}

}  // namespace

FOR_EACH_CPU void TransformWindows(const float* images, const Tiles& tiles, int64_t begin,
                                   int64_t end, float* numbers) {
  const std::vector<float> zeros(tiles.channels);
  for (int64_t t = begin; t < end; ++t) {
    const float* pixels[4][4];
    float* to[4][4];
    PixelsAt(images, tiles, t, /*margin=*/1, zeros.data(), pixels);
    NumbersAt(numbers, end - begin, tiles.channels, t - begin, to);
    ForChannels<WindowToNumbers>(pixels, to, tiles.channels);
  }
}

FOR_EACH_CPU void TransformWindowsRow(const float* images, const Tiles& tiles, int64_t begin,
                                      int64_t end, int row, float* numbers) {
  const std::vector<float> zeros(tiles.channels);
  for (int64_t t = begin; t < end; ++t) {
    const float* pixels[4][4];
    float* to[1][4];
    PixelsAt(images, tiles, t, /*margin=*/1, zeros.data(), pixels);
    NumbersAt(numbers, end - begin, tiles.channels, t - begin, to);
    ForChannelsOfRow<WindowToNumbers>(row, pixels, to[0], tiles.channels);
  }
}

FOR_EACH_CPU void TransformTilesRow(const float* images, const Tiles& tiles, int64_t begin,
                                    int64_t end, int row, float* numbers) {
  const std::vector<float> zeros(tiles.channels);
  for (int64_t t = begin; t < end; ++t) {
    const float* pixels[2][2];
    float* to[1][4];
    PixelsAt(images, tiles, t, /*margin=*/0, zeros.data(), pixels);
    NumbersAt(numbers, end - begin, tiles.channels, t - begin, to);
    ForChannelsOfRow<TileToNumbers>(row, pixels, to[0], tiles.channels);
  }
}

FOR_EACH_CPU void TilesOfProducts(const float* numbers, const Tiles& tiles, int64_t begin,
                                  int64_t end, float* images) {
  std::vector<float> unused(tiles.channels);
  for (int64_t t = begin; t < end; ++t) {
    const float* from[4][4];
    float* pixels[2][2];
    NumbersAt(numbers, end - begin, tiles.channels, t - begin, from);
    PixelsAt(images, tiles, t, /*margin=*/0, unused.data(), pixels);
    ForChannels<NumbersToTile>(from, pixels, tiles.channels);
  }
}

FOR_EACH_CPU void TransformKernels(const float* weights, const Kernels& kernels, int64_t begin,
                                   int64_t end, float* numbers) {
  // Blocks that fit into the nearest cache are transposed.
  constexpr int64_t kBlock = 16;
  float block[16][kBlock][kBlock];
  for (int64_t c = begin; c < end; c += kBlock) {
    const int64_t wide = std::min(kBlock, end - c);
    for (int64_t k = 0; k < kernels.outs; k += kBlock) {
      const int64_t high = std::min(kBlock, kernels.outs - k);
      for (int64_t row = 0; row < high; ++row) {
        const float* from[3][3];
        float* to[4][4];
        WeightsAt(weights + c, kernels, k + row, /*turned=*/false, from);
        for (int n = 0; n < 16; ++n) to[n / 4][n % 4] = block[n][row];
        ForChannels<KernelToNumbers>(from, to, wide);
      }
      for (int n = 0; n < 16; ++n) {
        float* to = numbers + (n * kernels.channels + c) * kernels.outs + k;
        for (int64_t i = 0; i < wide; ++i) {
          for (int64_t row = 0; row < high; ++row) to[i * kernels.outs + row] = block[n][row][i];
        }
      }
    }
  }
}

FOR_EACH_CPU void TransformTurnedKernels(const float* weights, const Kernels& kernels,
                                         int64_t begin, int64_t end, float* numbers) {
  for (int64_t k = begin; k < end; ++k) {
    const float* from[3][3];
    float* to[4][4];
    WeightsAt(weights, kernels, k, /*turned=*/true, from);
    NumbersAt(numbers, kernels.outs, kernels.channels, k, to);
    ForChannels<KernelToNumbers>(from, to, kernels.channels);
  }
}

FOR_EACH_CPU void KernelGradients(const float* numbers, const Kernels& kernels, int64_t begin,
                                  int64_t end, float* weights) {
  for (int64_t k = begin; k < end; ++k) {
    const float* from[4][4];
    float* to[3][3];
    NumbersAt(numbers, kernels.outs, kernels.channels, k, from);
    WeightsAt(weights, kernels, k, /*turned=*/false, to);
    ForChannels<NumbersToKernel>(from, to, kernels.channels);
  }
}

}  // namespace moco
