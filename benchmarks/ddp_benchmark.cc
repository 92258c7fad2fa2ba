// Times the training steps of one rank, one by one, on prepared batches, for compare_ddp.py. Each
// line of standard input is a number of steps and "average" or "own", which says whether gradients
// are averaged. The program answers with a line of JSON with the loss and the seconds of each step:
// in total, in collectives that the step waits for, and in the backward pass including averaging.
#include <ATen/Parallel.h>
#include <ATen/ops/tensor.h>
#include <gflags/gflags.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/exit_code.h"
#include "base/flags.h"
#include "moco/moco.h"
#include "tensors/memory.h"
#include "tests/parity/golden.h"

DEFINE_string(arch, "resnet18", "backbone");
DEFINE_int32(size, 64, "rows and columns of an image");
DEFINE_int32(batch_size, 64, "batch size of all ranks together");
DEFINE_int32(moco_k, 65536, "keys in the queue");
DEFINE_int32(rank, 0, "rank of this process");
DEFINE_int32(ranks, 2, "number of ranks");
DEFINE_string(store, "", "file for the rendezvous");
DEFINE_bool(deal, false, "the keys' images are already shuffled; otherwise ranks exchange them");

namespace {

constexpr int kBatches = 4;  // number of prepared batches; step i uses batch i modulo this

class Stopwatch {
 public:
  explicit Stopwatch(double& seconds) : seconds_(seconds) {}
  ~Stopwatch() {
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  double& seconds_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

// A communicator that measures the time of another one.
class Timed : public moco::Communicator {
 public:
  explicit Timed(std::unique_ptr<moco::Communicator> inner) : inner_(std::move(inner)) {}

  int64_t rank() const override { return inner_->rank(); }
  int64_t size() const override { return inner_->size(); }
  at::Tensor AllGather(const at::Tensor& rows) override {
    Stopwatch watch(waited);
    return inner_->AllGather(rows);
  }
  at::Tensor Permute(const at::Tensor& rows, const at::Tensor& order) override {
    Stopwatch watch(waited);
    return inner_->Permute(rows, order);
  }
  void Broadcast(const std::vector<at::Tensor>& tensors) override { inner_->Broadcast(tensors); }
  void AverageGradientsOf(const std::vector<at::Tensor>& parameters) override {
    inner_->AverageGradientsOf(parameters);
  }
  void Backward(const at::Tensor& loss) override {
    Stopwatch watch(backward);
    average ? inner_->Backward(loss) : loss.backward();
  }
  bool Leave(const absl::Status& why) override { return inner_->Leave(why); }

  bool average = true;
  double waited = 0, backward = 0;

 private:
  const std::unique_ptr<moco::Communicator> inner_;
};

absl::Status Run(int argc, char** argv) {
  if (auto line = base::ParseCommandLine(argc, argv, {}); !line.ok()) return line.status();
  at::set_num_threads(1);
  auto joined = moco::Communicators().Create(
      absl::StrCat("gloo:rank=", FLAGS_rank, ",size=", FLAGS_ranks, ",store_file=", FLAGS_store));
  if (!joined.ok()) return joined.status();
  Timed communicator(*std::move(joined));
  moco::MoCoOptions options;
  options.encoder = {.backbone = FLAGS_arch, .head = "mlp"};
  options.loss = "info_nce:temperature=0.2";
  options.queue_size = FLAGS_moco_k;
  options.keys_dealt = FLAGS_deal;
  parity::Seed(options.seed);
  auto moco = moco::MoCo::Create(options, communicator);
  if (!moco.ok()) return moco.status();

  std::vector<std::pair<at::Tensor, at::Tensor>> batches;
  for (int i = 0; i < kBatches; ++i) {
    auto [x_q, x_k] = parity::Views(i, FLAGS_batch_size, FLAGS_size);
    batches.emplace_back(x_q.to(options.dtype), x_k.to(options.dtype));
  }
  int64_t step = 0;
  std::string gradients;
  for (int count = 0; std::cin >> count >> gradients;) {
    communicator.average = gradients == "average";
    nlohmann::json answer;
    for (int i = 0; i < count; ++i, ++step) {
      auto [x_q, x_k] = batches[step % kBatches];
      if (FLAGS_deal) {
        const auto order = moco::ShuffleOrder(options.seed, step, 0, FLAGS_batch_size);
        x_k = x_k.index_select(0, at::tensor(order));
      }
      const auto own = [&](const at::Tensor& x) {
        return communicator.Own(x).contiguous(at::MemoryFormat::ChannelsLast);
      };
      x_q = own(x_q);
      x_k = own(x_k);
      double seconds = 0;
      communicator.waited = communicator.backward = 0;
      absl::StatusOr<moco::StepMetrics> metrics;
      {
        Stopwatch watch(seconds);
        metrics = (*moco)->Step(x_q, x_k, /*lr=*/0.03, step);
      }
      if (!metrics.ok()) return metrics.status();
      answer["losses"].push_back(metrics->loss);
      answer["seconds"].push_back(seconds);
      answer["waited"].push_back(communicator.waited);
      answer["backward"].push_back(communicator.backward);
    }
    std::cout << answer.dump() << std::endl;
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  tensors::KeepFreedMemory();  // as pretrain does
  return base::RunMain(Run, argc, argv);
}
