// Features and energies on the fake device: the same numbers as on the CPU.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/dataset.h"
#include "data/test_images.h"
#include "lincls/encoders/feature_network.h"
#include "lincls/tables/columns.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/encoder.h"
#include "tests/device/fake_device.h"

namespace tests {
namespace {

class FourImages : public data::Dataset {
 public:
  int64_t size() const override { return 4; }
  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    return data::TestImage(static_cast<int>(index), 20, 20);
  }
  std::string Name(int64_t index) const override { return absl::StrCat(index); }
  int Label(int64_t index) const override { return -1; }
  const std::vector<std::string>& classes() const override { return classes_; }

 private:
  const std::vector<std::string> classes_ = {};
};

moco::Checkpoint Pretrained() {
  const std::string arch = "resnet_small:width=4,blocks=1,stages=2,stem=cifar,channels=3";
  const std::string head = "mlp:dim=5";
  moco::Checkpoint checkpoint;
  at::manual_seed(1);
  for (const std::string prefix : {"module.encoder_q.", "module.encoder_k."}) {
    const auto encoder = moco::Encoder::Create({.backbone = arch, .head = head}).value();
    encoder->Initialize();
    for (const auto& [name, tensor] : encoder->State()) {
      checkpoint.state.emplace_back(prefix + name, tensor);
    }
  }
  const at::Tensor queue = at::randn({5, 7});
  checkpoint.state.emplace_back("module.queue",
                                queue / at::linalg_vector_norm(queue, 2, 0, /*keepdim=*/true));
  checkpoint.facts.settings = {{"arch", arch},
                               {"head", head},
                               {"views", "random_resized_crop:size=12|flip|to_tensor|normalize"},
                               {"loss", "info_nce:temperature=0.2"}};
  return checkpoint;
}

TEST(FeaturesTest, AreThoseOfTheCpu) {
  const moco::Checkpoint checkpoint = Pretrained();
  const FourImages dataset;
  const at::Tensor images = at::randn({3, 3, 16, 16}).contiguous(at::MemoryFormat::ChannelsLast);
  std::vector<std::vector<at::Tensor>> outputs;
  std::vector<std::vector<std::vector<float>>> columns;
  for (const at::Device device : {at::Device(at::kCPU), kFakeDevice}) {
    const auto network = lincls::FeatureNetwork::Create(checkpoint, {}).value();
    network->To(device);
    ASSERT_TRUE(network->Choose("all", 16, 16).ok());
    outputs.push_back((*network)(images));
    for (const at::Tensor& output : outputs.back()) EXPECT_EQ(output.device(), device);
    lincls::ImageColumnsOptions options;
    options.columns = {lincls::kDisagreementColumn, lincls::kMocoLossColumn};
    options.batch_size = 4;
    const auto energies = lincls::ImageColumns::Create(options, checkpoint, network->backbone(),
                                                       network->head(), dataset)
                              .value();
    ASSERT_TRUE(energies->Start(0).ok());
    columns.push_back(energies->Next().value());
  }
  for (size_t i = 0; i < outputs[0].size(); ++i) {
    EXPECT_TRUE(at::allclose(outputs[1][i].cpu(), outputs[0][i], 1e-4, 1e-5)) << "output " << i;
  }
  for (size_t c = 0; c < 2; ++c) {
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(columns[1][c][i], columns[0][c][i], 1e-4) << "column " << c << ", image " << i;
    }
  }
}

}  // namespace
}  // namespace tests
