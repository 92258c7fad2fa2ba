// Compares the time of 30 linear probes trained side by side with that of separate runs: bazel run
// //benchmarks:sweep_benchmark
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gflags/gflags.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "base/exit_code.h"
#include "base/flags.h"
#include "data/loader.h"
#include "moco/measures/linear_probe.h"
#include "moco/measures/linear_sweep.h"
#include "tensors/memory.h"

DEFINE_int64(images, 50000, "rows of features to train on");
DEFINE_int64(validation, 10000, "rows of features to validate with");
DEFINE_int64(features, 512, "length of a feature vector");
DEFINE_int64(classes, 10, "classes");
DEFINE_int64(probes, 30, "number of probes");
DEFINE_int64(batch_size, 256, "batch size");
DEFINE_int64(turns, 5, "repetitions, each an epoch of the sweep and one of a single probe");

namespace {

// CPU time of the process; with one thread, it equals the wall time on an idle machine.
template <typename Work>
double Seconds(Work work) {
  const std::clock_t began = std::clock();
  work();
  return static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
}

void Print(const char* what, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::printf("%-44s %8.3f (%.3f to %.3f)\n", what, values[values.size() / 2], values.front(),
              values.back());
}

absl::Status Run(int argc, char** argv) {
  if (auto line = base::ParseCommandLine(argc, argv, {}); !line.ok()) return line.status();
  at::set_num_threads(1);
  const at::Generator generator = at::detail::createCPUGenerator(1);
  const at::Tensor labels =
      at::randint(FLAGS_classes, {FLAGS_images}, generator, at::TensorOptions(at::kLong));
  const at::Tensor features =
      at::randn({FLAGS_images, FLAGS_features}, generator, at::TensorOptions(at::kFloat)) +
      at::randn({FLAGS_classes, FLAGS_features}, generator, at::TensorOptions(at::kFloat))
          .index_select(0, labels);

  moco::SweepOptions options;
  for (int64_t p = 0; p < FLAGS_probes; ++p) options.grid.push_back({0.001 * (p + 1), 1e-4});
  options.classes = FLAGS_classes;
  options.batch_size = FLAGS_batch_size;
  options.schedule = [](int64_t) { return 1; };
  const moco::SweepData data{{moco::InMemory(features)}, labels};
  const at::Tensor some = features.narrow(0, 0, FLAGS_validation),
                   their_labels = labels.narrow(0, 0, FLAGS_validation);
  const moco::SweepData validation{{moco::InMemory(some)}, their_labels};
  moco::LinearSweep sweep(options, data);

  auto communicator = moco::Communicators().Create("single");
  if (!communicator.ok()) return communicator.status();
  auto probe = moco::LinearProbe::Create(
      {.features = FLAGS_features, .classes = FLAGS_classes, .weight_decay = 1e-4}, **communicator);
  if (!probe.ok()) return probe.status();
  // Trains an epoch as //lincls:lincls does, with features in memory.
  absl::Status status;
  const auto epoch_of_probe = [&](int64_t epoch) {
    const at::Tensor order = at::tensor(data::EpochOrder(FLAGS_images, 0, epoch));
    for (int64_t from = 0; from < FLAGS_images && status.ok(); from += FLAGS_batch_size) {
      const at::Tensor batch =
          order.narrow(0, from, std::min(FLAGS_batch_size, FLAGS_images - from));
      status = (*probe)
                   ->Step(features.index_select(0, batch), labels.index_select(0, batch),
                          batch.size(0), 0.001)
                   .status();
    }
    (*probe)->Evaluate(some, their_labels);
  };

  std::vector<double> side_by_side, own, ratio;
  for (int64_t turn = 0; turn <= FLAGS_turns; ++turn) {
    const double a = Seconds([&] {
      sweep.TrainEpoch();
      sweep.Evaluate(validation);
    });
    const double b = Seconds([&] { epoch_of_probe(turn); });
    if (!status.ok()) return status;
    if (turn == 0) continue;  // lets libraries choose algorithms
    side_by_side.push_back(a);
    own.push_back(b);
    ratio.push_back(FLAGS_probes * b / a);
  }
  std::printf(
      "%lld images x %lld features, %lld classes, batch %lld; median (least to most) of %lld\n",
      static_cast<long long>(FLAGS_images), static_cast<long long>(FLAGS_features),
      static_cast<long long>(FLAGS_classes), static_cast<long long>(FLAGS_batch_size),
      static_cast<long long>(FLAGS_turns));
  Print("an epoch of the sweep, s", side_by_side);
  Print("an epoch of one probe, s", own);
  Print("ratio of as many separate runs to the sweep", ratio);
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  tensors::KeepFreedMemory();
  return base::RunMain(Run, argc, argv);
}
