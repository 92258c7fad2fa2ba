// Times training steps, one by one, on prepared batches, so that compare_steps.py can compare them
// with the reference's. Each line of standard input is a number of steps; the program computes
// them, and answers with a line of JSON with their losses and seconds.
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
#include "base/allocator.h"
#include "base/exit_code.h"
#include "base/flags.h"
#include "moco/moco.h"
#include "tests/parity/golden.h"

DEFINE_string(arch, "resnet18", "backbone");
DEFINE_int32(size, 32, "rows and columns of an image");
DEFINE_int32(batch_size, 64, "images in a batch");
DEFINE_int32(bn_splits, 1, "parts of a batch, each with its own batch statistics");
DEFINE_int32(moco_k, 65536, "keys in the queue");
DEFINE_string(precision, "fp32", "fp64, fp32 or bf16");
DEFINE_int32(threads, 2, "compute threads");

namespace {

constexpr int kBatches = 4;  // number of prepared batches; step i uses batch i modulo this

absl::Status Run(int argc, char** argv) {
  if (auto line = base::ParseCommandLine(argc, argv, {}); !line.ok()) return line.status();
  at::set_num_threads(FLAGS_threads);
  moco::MoCoOptions options;
  options.encoder = {.backbone = FLAGS_arch, .head = "mlp", .bn_splits = FLAGS_bn_splits};
  options.loss = "info_nce:temperature=0.2";
  options.queue_size = FLAGS_moco_k;
  options.dtype = FLAGS_precision == "fp64" ? at::kDouble : at::kFloat;
  options.bf16 = FLAGS_precision == "bf16";
  auto communicator = moco::Communicators().Create("single");
  if (!communicator.ok()) return communicator.status();
  parity::Seed(options.seed);
  auto moco = moco::MoCo::Create(options, **communicator);
  if (!moco.ok()) return moco.status();

  std::vector<std::pair<at::Tensor, at::Tensor>> batches;
  for (int i = 0; i < kBatches; ++i) {
    auto [x_q, x_k] = parity::Views(i, FLAGS_batch_size, FLAGS_size);
    batches.emplace_back(x_q.to(options.dtype), x_k.to(options.dtype));
  }
  int64_t step = 0;
  for (int count = 0; std::cin >> count;) {
    nlohmann::json answer = {{"losses", nlohmann::json::array()},
                             {"seconds", nlohmann::json::array()}};
    for (int i = 0; i < count; ++i, ++step) {
      const auto& [x_q, x_k] = batches[step % kBatches];
      const auto begin = std::chrono::steady_clock::now();
      auto metrics = (*moco)->Step(x_q, x_k, /*lr=*/0.03, step);
      if (!metrics.ok()) return metrics.status();
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
      answer["seconds"].push_back(seconds.count());
      answer["losses"].push_back(metrics->loss);
    }
    std::cout << answer.dump() << std::endl;
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  base::KeepFreedMemory();  // as pretrain does
  return base::RunMain(Run, argc, argv);
}
