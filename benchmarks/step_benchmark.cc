// Times training steps on prepared batches, so that compare_steps.py, and the kit for GPUs, can
// compare them with the reference's. The batches are on the device. Each line of standard input is
// a number of steps; the program computes them, and answers with a line of JSON:
//   losses, seconds: of each step; on a device that computes asynchronously, what the host took
//   turn:            seconds from the first step to the end of the last, on the device, too
//   peak:            bytes of the tensors on the device, at most (on the CPU: of the process)
// "trace N" computes N steps under the profiler, and adds what device_trace.h has for one step.
#include <ATen/Parallel.h>
#include <gflags/gflags.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/exit_code.h"
#include "base/flags.h"
#include "base/short_spins.h"
#include "benchmarks/device_trace.h"
#include "moco/moco.h"
#include "moco/training/cuda_devices.h"
#include "tensors/memory.h"
#include "tests/parity/golden.h"

DEFINE_string(arch, "resnet18", "backbone");
DEFINE_int32(size, 32, "rows and columns of an image");
DEFINE_int32(batch_size, 64, "images in a batch");
DEFINE_int32(bn_splits, 1, "parts of a batch, each with its own batch statistics");
DEFINE_string(head, "mlp", "head of the encoder");
DEFINE_int32(moco_k, 65536, "keys in the queue");
DEFINE_double(moco_m, 0.999, "momentum of the key encoder");
DEFINE_double(moco_t, 0.2, "temperature of the loss");
DEFINE_string(precision, "fp32", "fp64, fp32 or bf16");
DEFINE_int32(batches, 4, "number of prepared batches; step i uses batch i modulo this");
DEFINE_int32(threads, 2, "compute threads");
DEFINE_string(device, "cpu", "cpu or cuda");
DEFINE_bool(tf32, false, "TF32 in products and convolutions, as pretrain --tf32");
DEFINE_bool(cudnn_benchmark, false, "as pretrain --cudnn-benchmark");

namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

struct Batch {
  at::Tensor x_q, x_k;
};

nlohmann::json ToJson(const benchmarks::DeviceTrace& trace, int steps) {
  nlohmann::json json = {{"kernels", 1.0 * trace.kernels / steps},
                         {"copies", 1.0 * trace.copies / steps},
                         {"waits", 1.0 * trace.waits / steps}};
  if (trace.span > 0) json["busy"] = trace.busy / trace.span;
  return json;
}

// Computes `count` steps, from step number `step` on, and answers.
absl::Status Answer(moco::MoCo& run, const std::vector<Batch>& batches, at::Device device,
                    int count, bool trace, int64_t& step) {
  nlohmann::json losses = nlohmann::json::array(), seconds = losses;
  const auto steps = [&] {
    for (int i = 0; i < count; ++i, ++step) {
      const Batch& batch = batches[step % batches.size()];
      const auto begin = Clock::now();
      run.StepAhead(batch.x_q, batch.x_k, /*lr=*/0.03, step);
      seconds.push_back(SecondsSince(begin));
    }
  };
  benchmarks::Synchronize(device);
  const auto begin = Clock::now();
  nlohmann::json answer = nlohmann::json::object();
  if (trace) {
    answer = ToJson(benchmarks::Trace(device, steps), count);
  } else {
    steps();
    benchmarks::Synchronize(device);
  }
  answer["turn"] = SecondsSince(begin);
  const auto metrics = run.Read();
  if (!metrics.ok()) return metrics.status();
  for (const moco::StepMetrics& of_step : *metrics) losses.push_back(of_step.loss);
  answer["losses"] = losses;
  answer["seconds"] = seconds;
  answer["peak"] = benchmarks::PeakBytes(device);
  std::cout << answer.dump() << std::endl;
  return absl::OkStatus();
}

absl::Status Run(int argc, char** argv) {
  if (auto line = base::ParseCommandLine(argc, argv, {}); !line.ok()) return line.status();
  at::set_num_threads(FLAGS_threads);
  const auto device = moco::ChooseDevice(FLAGS_device, /*number=*/0);
  if (!device.ok()) return device.status();
  moco::UseFasterArithmetic(FLAGS_tf32, /*trials=*/FLAGS_cudnn_benchmark);
  moco::MoCoOptions options;
  options.encoder = {.backbone = FLAGS_arch, .head = FLAGS_head, .bn_splits = FLAGS_bn_splits};
  options.loss = absl::StrCat("info_nce:temperature=", FLAGS_moco_t);
  options.queue_size = FLAGS_moco_k;
  options.momentum = FLAGS_moco_m;
  options.dtype = FLAGS_precision == "fp64" ? at::kDouble : at::kFloat;
  options.bf16 = FLAGS_precision == "bf16";
  options.device = *device;
  auto communicator = moco::Communicators().Create("single");
  if (!communicator.ok()) return communicator.status();
  parity::Seed(options.seed);
  auto moco = moco::MoCo::Create(options, **communicator);
  if (!moco.ok()) return moco.status();

  std::vector<Batch> batches;
  for (int i = 0; i < FLAGS_batches; ++i) {
    auto [x_q, x_k] = parity::Views(i, FLAGS_batch_size, FLAGS_size);
    batches.push_back({x_q.to(*device, options.dtype), x_k.to(*device, options.dtype)});
  }
  int64_t step = 0;
  for (std::string word; std::cin >> word;) {
    const bool trace = word == "trace";
    if (trace) std::cin >> word;
    int count = 0;
    if (!absl::SimpleAtoi(word, &count)) {
      return absl::InvalidArgumentError(absl::StrCat("'", word, "' is not a number of steps"));
    }
    absl::Status s = Answer(**moco, batches, *device, count, trace, step);
    if (!s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  tensors::KeepFreedMemory();  // as pretrain does
  const base::ShortSpins spins;
  return base::RunMain(Run, argc, argv);
}
