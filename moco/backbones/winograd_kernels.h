// The transforms of Winograd's convolution F(2 x 2, 3 x 3) (Lavin and Gray, Fast Algorithms for
// Convolutional Neural Networks, 2015, section 4.1), on images in channels_last.
//
// The output is cut into tiles of 2 x 2 pixels. A tile depends on a window of 4 x 4 pixels of the
// input, one pixel larger on each side; what lies outside the image is zero. A transform changes
// a window, a tile or a kernel of 3 x 3 weights into 16 numbers a channel, in whose space the
// convolution is 16 matrix products.
#ifndef MOCO_BACKBONES_WINOGRAD_KERNELS_H_
#define MOCO_BACKBONES_WINOGRAD_KERNELS_H_

#include <cstdint>

namespace moco {

// How images of rows x cols x channels are cut into tiles. Tiles are numbered along the rows of an
// image, then down, then image by image; those at the lower and right edge may be cut off.
struct Tiles {
  int64_t rows, cols, channels;

  int64_t down() const { return (rows + 1) / 2; }
  int64_t across() const { return (cols + 1) / 2; }
};

// Each of the following takes the tiles `begin` to `end` - 1 of `images`, N x rows x cols x
// channels. `numbers` are matrices of (end - begin) x channels, one after another: 16, or the four
// of one `row` of the 4 x 4 numbers.

// Computes B' d B of each tile's window d.
void TransformWindows(const float* images, const Tiles& tiles, int64_t begin, int64_t end,
                      float* numbers);
void TransformWindowsRow(const float* images, const Tiles& tiles, int64_t begin, int64_t end,
                         int row, float* numbers);

// Computes A t A' of each tile t: the gradient of its 16 numbers, where t is that of the tile.
void TransformTilesRow(const float* images, const Tiles& tiles, int64_t begin, int64_t end, int row,
                       float* numbers);

// Sets each tile to A' m A, where m are its 16 numbers.
void TilesOfProducts(const float* numbers, const Tiles& tiles, int64_t begin, int64_t end,
                     float* images);

// The weights of outs x channels kernels lie as outs x 3 x 3 x channels.
struct Kernels {
  int64_t outs, channels;
};

// Computes G g G' of each kernel g of the channels `begin` to `end` - 1: 16 matrices of channels x
// outs, with which windows are multiplied.
void TransformKernels(const float* weights, const Kernels& kernels, int64_t begin, int64_t end,
                      float* numbers);

// Computes G g G' of each kernel g of the outs `begin` to `end` - 1, turned by 180 degrees: 16
// matrices of outs x channels, with which the windows of the output's gradient are multiplied.
void TransformTurnedKernels(const float* weights, const Kernels& kernels, int64_t begin,
                            int64_t end, float* numbers);

// Computes G' d G of each kernel of the outs `begin` to `end` - 1, where d is the gradient of G g
// G', in 16 matrices of outs x channels: the gradient of the weights.
void KernelGradients(const float* numbers, const Kernels& kernels, int64_t begin, int64_t end,
                     float* weights);

}  // namespace moco

#endif  // MOCO_BACKBONES_WINOGRAD_KERNELS_H_
