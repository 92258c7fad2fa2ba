// The loops of batch normalisation, over blocks of rows of a matrix rows x channels. An image batch
// in channels_last is such a matrix, with N H W rows. Each loop reads its operands once.
//
// T, the element type of the matrix, is float, double or c10::BFloat16; statistics and parameters
// are Wide<T>.
#ifndef MOCO_BACKBONES_BATCH_NORM_KERNELS_H_
#define MOCO_BACKBONES_BATCH_NORM_KERNELS_H_

#include <cstdint>
#include <type_traits>

namespace moco {

template <class T>
using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;

// Computes the mean of each channel, and the sum of the squared differences from it.
template <class T>
void ComputeMoments(const T* x, int64_t rows, int64_t channels, Wide<T>* mean, Wide<T>* squares);

// What follows the norm: nothing, relu(z), or relu(z + residual).
enum class Then { kNothing, kRelu, kAddRelu };

// Computes z = (x - mean) scale + bias and sets y to z, or to the result of the operation that
// follows. residual is read for kAddRelu only. y may be x.
template <class T>
void Normalize(Then then, const T* x, const T* residual, int64_t rows, int64_t channels,
               const Wide<T>* mean, const Wide<T>* scale, const Wide<T>* bias, T* y);

// The gradient dz at the output of the normalisation is dy where y > 0; for kNothing it is dy
// everywhere. Computes the sums of dz and of dz (x - mean) for each channel.
template <class T>
void SumGradients(Then then, const T* dy, const T* y, const T* x, int64_t rows, int64_t channels,
                  const Wide<T>* mean, Wide<T>* sum, Wide<T>* product);

// Computes dx = scale (dz - a - (x - mean) b), and for kAddRelu also dz, the gradient of the
// residual.
template <class T>
void InputGradient(Then then, const T* dy, const T* y, const T* x, int64_t rows, int64_t channels,
                   const Wide<T>* mean, const Wide<T>* scale, const Wide<T>* a, const Wide<T>* b,
                   T* dz, T* dx);

}  // namespace moco

#endif  // MOCO_BACKBONES_BATCH_NORM_KERNELS_H_
