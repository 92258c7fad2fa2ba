// The views of a batch on the device that trains.
#ifndef MOCO_TRAINING_DEVICE_VIEWS_H_
#define MOCO_TRAINING_DEVICE_VIEWS_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>
#include <c10/core/Stream.h>

#include <optional>
#include <utility>
#include <vector>

#include "augment/augmentation.h"
#include "data/loader.h"

namespace moco {

// Images travel to a device as the loader holds them, mostly as bytes, on a stream of their own:
// while the device computes a step, the host, which does not wait for it, sends the next batch.
// They become normalized floats there, with the bits that the CPU would compute.
class DeviceViews {
 public:
  // `pipeline` must outlive the object.
  DeviceViews(const augment::Pipeline& pipeline, at::Device device, at::ScalarType dtype);

  // Returns the views of a batch that LoaderOf(pipeline, views, device) made: N x C x H x W,
  // channels_last, `dtype`.
  std::vector<at::Tensor> operator()(const data::Batch& batch);

  // Returns when the device has read the memory of the last batch, so that the loader may fill it
  // again. Called after the step has been given to the device, it finds the copy done: this waits
  // for copies alone, and not for what the device computes.
  void Release();

 private:
  at::Tensor Normalized(const at::Tensor& pixels) const;

  const augment::Pipeline& pipeline_;
  const at::Device device_;
  const at::ScalarType dtype_;

  // Of devices other than the CPU.
  std::optional<c10::Stream> copying_;
  std::optional<c10::Event> copied_;
  at::Tensor white_;                                          // 255
  std::vector<std::pair<at::Tensor, at::Tensor>> constants_;  // mean, deviation: 1 x C x 1 x 1
};

}  // namespace moco

#endif  // MOCO_TRAINING_DEVICE_VIEWS_H_
