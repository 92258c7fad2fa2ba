// A linear classifier beside the kNN monitor of pretraining: what a linear probe would say of the
// encoder, as training goes on.
//
// It is fitted anew at each evaluation, on the features that the monitor has just computed, and not
// trained along with the encoder on its batches: those images have no labels where people pretrain
// for lack of them, and so it has no state that a resumed run would need. Its features are
// values, which no gradient leads back from.
#ifndef MOCO_MEASURES_ONLINE_PROBE_H_
#define MOCO_MEASURES_ONLINE_PROBE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace moco {

// Share of queries that are given their own class, 0 to 1, by a classifier that is fitted to the
// bank: features standardised by the bank's mean and deviation, 20 epochs of gradient descent in
// batches of 256, momentum 0.9, a rate that follows half a cosine from one of 0.001 to 0.1. Nine
// tenths of the bank are trained on; the rest choose the rate. The queries choose nothing.
//   bank: M x D, M at least 2; bank_labels: M int64 in [0, classes); queries: N x D.
// A function of its arguments: LibTorch's own generator is not touched.
double OnlineProbeAccuracy(const at::Tensor& bank, const at::Tensor& bank_labels,
                           const at::Tensor& queries, const at::Tensor& query_labels,
                           int64_t classes, uint64_t seed);

}  // namespace moco

#endif  // MOCO_MEASURES_ONLINE_PROBE_H_
