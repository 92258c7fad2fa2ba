#include "moco/training/device_views.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cstdint>

#include "moco/training/images.h"

namespace moco {
namespace {

// N x H x W x C, bytes or floats, on the memory of the loader.
at::Tensor Pixels(const cv::Mat& view, const augment::ImageType& type) {
  return at::from_blob(view.data, {view.rows / type.rows, type.rows, type.cols, type.channels},
                       at::TensorOptions(view.depth() == CV_8U ? at::kByte : at::kFloat));
}

}  // namespace

DeviceViews::DeviceViews(const augment::Pipeline& pipeline, at::Device device, at::ScalarType dtype)
    : pipeline_(pipeline), device_(device), dtype_(dtype) {
  if (device_.is_cpu()) return;
  copying_.emplace(c10::impl::VirtualGuardImpl(device_.type()).getNewStream(device_));
  copied_.emplace(device_.type());
  white_ = at::full({}, 255.0f, at::TensorOptions(at::kFloat).device(device_));
  const auto of_channels = [&](const std::vector<float>& constants) {
    return at::tensor(constants, at::kFloat).view({1, -1, 1, 1}).to(device_);
  };
  for (const augment::ChannelConstants& constants : pipeline_.normalizations()) {
    constants_.emplace_back(of_channels(constants.mean), of_channels(constants.deviation));
  }
}

std::vector<at::Tensor> DeviceViews::operator()(const data::Batch& batch) {
  std::vector<at::Tensor> views;
  if (device_.is_cpu()) {
    for (size_t v = 0; v < batch.views.size(); ++v) {
      views.push_back(ViewTensor(batch, v, pipeline_).to(dtype_));
    }
    return views;
  }
  const c10::impl::VirtualGuardImpl device(device_.type());
  const c10::Stream computing = device.getStream(device_);
  {
    const c10::StreamGuard on(*copying_);
    for (const cv::Mat& view : batch.views) {
      views.push_back(Pixels(view, pipeline_.output()).to(device_, /*non_blocking=*/true));
    }
    copied_->record(*copying_);
  }
  copied_->block(computing);
  for (at::Tensor& view : views) {
    // Allocated for one stream and used on another.
    device.recordDataPtrOnStream(view.storage().data_ptr(), computing);
    view = Normalized(view);
  }
  return views;
}

// Divisions by tensors, because a GPU multiplies by the reciprocal of a number.
at::Tensor DeviceViews::Normalized(const at::Tensor& pixels) const {
  at::Tensor x = pixels.permute({0, 3, 1, 2}).to(at::kFloat);
  if (pixels.scalar_type() == at::kByte) x.div_(white_);
  for (const auto& [mean, deviation] : constants_) x.sub_(mean).div_(deviation);
  return x.to(dtype_);
}

void DeviceViews::Release() {
  if (copied_ && !copied_->query()) copied_->synchronize();
}

}  // namespace moco
