#include "benchmarks/device_trace.h"

#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <sys/resource.h>
#include <torch/csrc/autograd/profiler_kineto.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"

namespace benchmarks {
namespace {

namespace profiler = torch::autograd::profiler;

bool IsWait(const std::string& name) {
  return name == "cudaStreamSynchronize" || name == "cudaEventSynchronize" || name == "cudaMemcpy";
}

// The length of the union of intervals.
double Union(std::vector<std::pair<uint64_t, uint64_t>> intervals) {
  std::sort(intervals.begin(), intervals.end());
  uint64_t length = 0, end = 0;
  for (const auto& [from, to] : intervals) {
    if (to <= end) continue;
    length += to - std::max(from, end);
    end = to;
  }
  return 1e-9 * length;
}

}  // namespace

DeviceTrace Trace(c10::Device device, const std::function<void()>& work) {
  std::set<profiler::ActivityType> activities = {profiler::ActivityType::CPU};
  if (device.is_cuda()) activities.insert(profiler::ActivityType::CUDA);
  const profiler::ProfilerConfig config(profiler::ProfilerState::KINETO);
  Synchronize(device);
  profiler::prepareProfiler(config, activities);
  profiler::enableProfiler(config, activities);
  work();
  Synchronize(device);
  const std::unique_ptr<profiler::ProfilerResult> result = profiler::disableProfiler();

  DeviceTrace trace;
  std::vector<std::pair<uint64_t, uint64_t>> intervals;
  for (const profiler::KinetoEvent& event : result->events()) {
    const std::string name = event.name();
    if (IsWait(name)) ++trace.waits;
    if (event.deviceType() != device.type()) continue;
    const bool copies = absl::StartsWith(name, "Memcpy") || absl::StartsWith(name, "Memset");
    ++(copies ? trace.copies : trace.kernels);
    intervals.emplace_back(event.startNs(), event.startNs() + event.durationNs());
  }
  if (intervals.empty()) return trace;
  trace.busy = Union(intervals);
  uint64_t first = intervals[0].first, last = 0;
  for (const auto& [from, to] : intervals) {
    first = std::min(first, from);
    last = std::max(last, to);
  }
  trace.span = 1e-9 * (last - first);
  return trace;
}

void Synchronize(c10::Device device) {
  if (device.is_cpu()) return;
  const auto* const guard = c10::impl::getDeviceGuardImpl(device.type());
  guard->synchronizeDevice(device.has_index() ? device.index() : guard->getDevice().index());
}

int64_t PeakBytes(c10::Device device) {
  if (device.is_cpu()) {
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    return int64_t{1024} * usage.ru_maxrss;
  }
  const c10::DeviceIndex index = device.has_index() ? device.index() : c10::DeviceIndex{0};
  return c10::getDeviceAllocator(device.type())->getDeviceStats(index).allocated_bytes[0].peak;
}

}  // namespace benchmarks
