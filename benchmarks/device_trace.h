// What a device does while code runs, as LibTorch's profiler records it.
#ifndef BENCHMARKS_DEVICE_TRACE_H_
#define BENCHMARKS_DEVICE_TRACE_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <functional>

namespace benchmarks {

struct DeviceTrace {
  int64_t kernels = 0;  // kernels that the device has run; on the CPU: operations
  int64_t copies = 0;   // copies to, from and on the device, and fills
  int64_t waits = 0;    // calls in which the host waits for a stream or an event
  double busy = 0;      // seconds in which the device did any of these
  double span = 0;      // seconds from the start of the first to the end of the last
};

// Runs `work` and waits for the device. The profiler makes the host slower, so `busy / span` is a
// lower bound of the share that the device is busy without it.
DeviceTrace Trace(c10::Device device, const std::function<void()>& work);

// Waits until the device has done all that it was given.
void Synchronize(c10::Device device);

// Returns the largest number of bytes that tensors on the device have taken together; on the CPU,
// the largest resident size of this process.
int64_t PeakBytes(c10::Device device);

}  // namespace benchmarks

#endif  // BENCHMARKS_DEVICE_TRACE_H_
