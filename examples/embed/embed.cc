// Prints the features of an image, a number per line: embed CHECKPOINT IMAGE
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include <cstdint>
#include <cstdio>
#include <opencv2/core/mat.hpp>

#include "absl/status/status.h"
#include "augment/augmentation.h"
#include "base/rng.h"
#include "data/decode.h"
#include "lincls/encoders/frozen_backbone.h"
#include "lincls/encoders/pretrained.h"
#include "moco/checkpoints/checkpoint.h"

absl::Status Embed(const char* checkpoint_path, const char* image_path) {
  const auto checkpoint = moco::ReadCheckpoint(checkpoint_path);
  if (!checkpoint.ok()) return checkpoint.status();
  const auto encoder = lincls::FrozenBackbone::Create(*checkpoint, {});
  if (!encoder.ok()) return encoder.status();
  // The views in which the encoder saw the test images: resized, cropped and normalised.
  const auto views =
      augment::Pipeline::Create(lincls::EvaluationViews("", *checkpoint, {}, /*channels=*/3));
  if (!views.ok()) return views.status();
  const auto image = data::ReadImage(image_path, {});
  if (!image.ok()) return image.status();
  base::Rng unused(0, base::Purpose::kView);
  const cv::Mat view = (*views)(*image, unused);  // rows x cols x 3, float
  const at::Tensor pixels = at::from_blob(view.data, {1, view.rows, view.cols, 3}, at::kFloat);
  const at::Tensor features = (**encoder)(pixels.permute({0, 3, 1, 2})).contiguous();
  for (int64_t i = 0; i < features.numel(); ++i) {
    std::printf("%g\n", features.const_data_ptr<float>()[i]);
  }
  return absl::OkStatus();
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: embed CHECKPOINT IMAGE\n", stderr);
    return 2;
  }
  const absl::Status status = Embed(argv[1], argv[2]);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
