// Compares Winograd's convolution with LibTorch's, which is oneDNN's, in time and in rounding
// error: bazel run //benchmarks:convolution_benchmark -- --threads=2
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/randn.h>
#include <gflags/gflags.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "base/exit_code.h"
#include "base/flags.h"
#include "moco/backbones/winograd.h"
#include "tensors/memory.h"

DEFINE_int32(threads, 1, "threads of each side");
DEFINE_int64(turns, 7, "repetitions; both sides take turns");

namespace {

struct Shape {
  int64_t images, channels, size;
};
// Those of stride 1 in ResNet-18 with the CIFAR stem at 32 pixels, batch 64; in ResNet-50 at 96,
// batch 32; and at 224, batch 8.
constexpr Shape kShapes[] = {{64, 64, 32}, {64, 128, 16}, {64, 256, 8}, {64, 512, 4},
                             {32, 64, 24}, {32, 128, 12}, {32, 256, 6}, {32, 512, 3},
                             {8, 64, 56},  {8, 128, 28},  {8, 256, 14}, {8, 512, 7}};

using Work = std::function<at::Tensor()>;

double Seconds(const Work& work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

// The largest difference, over the largest value.
double Error(const at::Tensor& result, const at::Tensor& exact) {
  return ((result.to(at::kDouble) - exact).abs().max() / exact.abs().max()).item<double>();
}

void Compare(const char* what, const Work& theirs, const Work& ours, const Work& exact) {
  const at::Tensor right = exact();
  const double their_error = Error(theirs(), right), our_error = Error(ours(), right);
  std::vector<double> ratios, milliseconds;
  for (int64_t turn = 0; turn < FLAGS_turns; ++turn) {
    const double their_time = Seconds(theirs), our_time = Seconds(ours);
    ratios.push_back(their_time / our_time);
    milliseconds.push_back(their_time * 1e3);
  }
  std::sort(ratios.begin(), ratios.end());
  std::sort(milliseconds.begin(), milliseconds.end());
  std::printf(" %s %.2f ms, %.2f (%.2f to %.2f), errors %.1e %.1e |", what,
              milliseconds[milliseconds.size() / 2], ratios[ratios.size() / 2], ratios.front(),
              ratios.back(), their_error, our_error);
}

absl::Status Run(int argc, char** argv) {
  if (auto line = base::ParseCommandLine(argc, argv, {}); !line.ok()) return line.status();
  at::set_num_threads(FLAGS_threads);
  for (const auto& [images, channels, size] : kShapes) {
    const auto random = [](at::IntArrayRef sizes) {
      return at::randn(sizes).contiguous(at::MemoryFormat::ChannelsLast);
    };
    const at::Tensor x = random({images, channels, size, size}),
                     w = random({channels, channels, 3, 3}),
                     dy = random({images, channels, size, size});
    const auto convolution = [&](at::ScalarType dtype) {
      return at::conv2d(x.to(dtype), w.to(dtype), {}, /*stride=*/1, /*padding=*/1);
    };
    const auto gradient = [&](at::ScalarType dtype, bool of_weights) {
      const auto [dx, dw, unused] = at::convolution_backward(
          dy.to(dtype), x.to(dtype), w.to(dtype), at::OptionalIntArrayRef(), {1, 1}, {1, 1}, {1, 1},
          false, {0, 0}, 1, {!of_weights, of_weights, false});
      return of_weights ? dw : dx;
    };
    std::printf("%ld images, %ld channels, %ld x %ld |", images, channels, size, size);
    Compare(
        "output", [&] { return convolution(at::kFloat); },
        [&] { return moco::WinogradConvolution(x, w); }, [&] { return convolution(at::kDouble); });
    Compare(
        "input gradient", [&] { return gradient(at::kFloat, false); },
        [&] { return moco::WinogradInputGradient(dy, w); },
        [&] { return gradient(at::kDouble, false); });
    Compare(
        "weight gradient", [&] { return gradient(at::kFloat, true); },
        [&] { return moco::WinogradWeightGradient(x, dy); },
        [&] { return gradient(at::kDouble, true); });
    std::printf("\n");
    std::fflush(stdout);
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  tensors::KeepFreedMemory();
  return base::RunMain(Run, argc, argv);
}
