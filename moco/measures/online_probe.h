// A linear probe in addition to the kNN monitor of pretraining, which measures the encoder during
// training.
//
// Each evaluation trains a new probe on the features that the monitor has just computed, instead of
// one that is trained along with the encoder on its batches. The images of pretraining usually have
// no labels, and a probe of this kind needs no state in checkpoints. No gradient reaches the
// encoder.
#ifndef MOCO_MEASURES_ONLINE_PROBE_H_
#define MOCO_MEASURES_ONLINE_PROBE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace moco {

// Returns the accuracy on the queries, 0 to 1, of a classifier trained on the bank. The features
// are standardised by the mean and standard deviation of the bank. Training takes 20 epochs of
// gradient descent with batches of 256, momentum 0.9, and a rate that falls along half a cosine
// from an initial value of 0.001 to 0.1. Nine tenths of the bank are for training, and the rest
// chooses the initial rate. The queries influence no choice.
//   bank: M x D, M at least 2; bank_labels: M int64 in [0, classes); queries: N x D.
// The result depends only on the arguments; LibTorch's own generator is not used.
double OnlineProbeAccuracy(const at::Tensor& bank, const at::Tensor& bank_labels,
                           const at::Tensor& queries, const at::Tensor& query_labels,
                           int64_t classes, uint64_t seed);

}  // namespace moco

#endif  // MOCO_MEASURES_ONLINE_PROBE_H_
