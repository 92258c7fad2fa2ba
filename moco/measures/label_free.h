// Measures of an encoder that need no labels, on the features of held-out images. docs/health.md
// says what they mean, and docs/recipes/choosing_a_run.md what they are good for.
//
// All are computed in float64 on the CPU, whatever the type and device of the features.
#ifndef MOCO_MEASURES_LABEL_FREE_H_
#define MOCO_MEASURES_LABEL_FREE_H_

#include <ATen/core/Tensor.h>

#include <vector>

namespace moco {

// The effective rank of the features (Garrido et al., "RankMe: assessing the downstream performance
// of pretrained self-supervised representations by their rank", ICML 2023, equation 1): exp(-sum p
// log p) with p = s / |s|_1 + 1e-7 for the singular values s of `features`. 1 to min(N, D), and a
// little more because of the constant.
//   features: N x D, not normalised.
// NaN if there is no row, or if a value is not finite. As of one direction if all values are 0.
double RankMe(const at::Tensor& features);

// The rank of the linear discriminant analysis that tells images apart by their views (Thilak et
// al., "LiDAR: sensing linear probing performance in joint embedding SSL architectures", ICLR 2024,
// equations 2 to 4). With the mean m_i of the views of image i, and their mean m:
//   B = mean over i of (m_i - m)(m_i - m)^T
//   W = mean over i and v of (x_iv - m_i)(x_iv - m_i)^T + 1e-4 I
// it is exp(-sum p log p) with p = l / |l|_1 + 1e-7 for the D eigenvalues l of W^-1/2 B W^-1/2. 1
// to min(N - 1, D), and a little more because of the constant.
//   views: N x V x D: V views of each image, not normalised.
// NaN if there are not two images with two views, or if a value is not finite. As of one direction
// if all images have the same mean.
double Lidar(const at::Tensor& views);

// The mean squared distance between two views of the same image on the unit sphere, 0 to 4, for
// each image (Wang and Isola, "Understanding contrastive representation learning through alignment
// and uniformity on the hypersphere", ICML 2020, section 4.1, alpha = 2). It is 2 (1 - c) for the
// mean cosine similarity c of two views.
//   views: N x V x D, V at least 2. N float64.
at::Tensor Alignments(const at::Tensor& views);

// The mean of Alignments. NaN if there is no image with two views.
double Alignment(const at::Tensor& views);

// How evenly images are spread over the unit sphere (Wang and Isola, section 4.1, t = 2): the log
// of the mean of exp(-2 |x - y|^2) over all pairs of different images; 0 if all are equal, to -8.
// The authors use augmented views here.
//   features: N x D, need not be normalised.
// NaN if there are not two images.
double Uniformity(const at::Tensor& features);

// Features of N images by one part of an encoder.
struct ViewFeatures {
  at::Tensor plain;  // N x D: of each image as in the evaluation; for RankMe and Uniformity
  at::Tensor views;  // N x V x D: of its augmented views; for Lidar and Alignment
};

// Returns every measure, in the order of MeasureNames(). NaN, too, where a decomposition does not
// converge.
std::vector<double> MeasureAll(const ViewFeatures& features);

}  // namespace moco

#endif  // MOCO_MEASURES_LABEL_FREE_H_
