// MoCo: momentum contrast for unsupervised representation learning (He et al., CVPR 2020), and its
// second version (Chen et al., "Improved baselines with momentum contrastive learning", 2020).
#ifndef MOCO_MOCO_H_
#define MOCO_MOCO_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "moco/communicators/communicator.h"
#include "moco/encoder.h"
#include "moco/health.h"
#include "moco/key_queue.h"
#include "moco/losses/loss.h"
#include "moco/optimizers/optimizer.h"

namespace moco {

struct MoCoOptions {
  EncoderSpec encoder;
  std::string loss = "info_nce";
  std::string optimizer = "sgd";
  int64_t queue_size = 65536;         // K
  double momentum = 0.999;            // m of equation 2
  at::ScalarType dtype = at::kFloat;  // of parameters and queue: kFloat or kDouble
  bool bf16 = false;                  // the encoders' passes under bfloat16 autocast
  at::Device device = at::kCPU;       // that computes; initial values are the CPU's, on any
  // The keys' views come shuffled over the ranks already, dealt so by the loader (ShuffleOrder);
  // otherwise they are, here.
  bool keys_dealt = false;
  bool symmetric = false;  // each view is query once and key once; the losses are added
  // Micro-batches that a step's batch is computed in, one after the other, as that many GPUs would
  // side by side: each has batch statistics of its own, and keys are shuffled over all of them; the
  // gradient is the mean of theirs. They share one momentum update before them and one queue, which
  // all of their keys enter after them. What differs: the running statistics follow each of them.
  int64_t accumulate = 1;
  uint64_t seed = 0;  // of the shuffles
};

// What a step found, of the (1 + K)-way task: which of all keys is the query's own.
struct StepMetrics {  // means over the ranks
  double loss = 0;    // of both directions together when symmetric
  double top1 = 0,
         top5 = 0;  // share of queries whose own key is the most, or one of five most, similar
  Similarities similarities;  // sums over the directions

  std::vector<double*> Numbers() {
    return {&loss, &top1, &top5, &similarities.own, &similarities.batch, &similarities.earlier};
  }
};

// How a step's keys are shuffled: of the whole batch's `n` rows, place i has row [i].
std::vector<int64_t> ShuffleOrder(uint64_t seed, int64_t step, int64_t direction, int64_t n);

class MoCo {
 public:
  // Draws the initial values from LibTorch's default generator, in the reference's order.
  static absl::StatusOr<std::unique_ptr<MoCo>> Create(const MoCoOptions& options,
                                                      Communicator& communicator);

  // One iteration of Algorithm 1.
  //   x_q, x_k: N x 3 x H x W, channels_last, on the device, two views of the same N images, this
  //             rank's of the whole batch; N is divisible by accumulate x bn_splits.
  //   step:     the run's number of this step, which with the seed decides the shuffle.
  // Aborted on every rank, before anything but running statistics and the key encoder has changed,
  // when the loss of one is not finite.
  absl::StatusOr<StepMetrics> Step(const at::Tensor& x_q, const at::Tensor& x_k, double lr,
                                   int64_t step);

  // What is the same on every rank after each step: both encoders' parameters, and the queue.
  std::vector<at::Tensor> SharedState() const;

  Encoder& query_encoder() { return *f_q_; }
  Encoder& key_encoder() { return *f_k_; }
  KeyQueue& queue() { return queue_; }
  const Loss& loss() const { return *loss_; }
  Optimizer& optimizer() { return *optimizer_; }

 private:
  MoCo(const MoCoOptions& options, Communicator& communicator, std::unique_ptr<Encoder> f_q,
       std::unique_ptr<Encoder> f_k);

  at::Tensor Encode(const Encoder& f, const at::Tensor& images) const;
  at::Tensor EncodeShuffled(const at::Tensor& x_k, int64_t step, int64_t direction) const;
  void UpdateKeyEncoder();
  at::Tensor CompareToQueue(const at::Tensor& q, const at::Tensor& k) const;
  absl::StatusOr<StepMetrics> AverageMetrics(const at::Tensor& own, int64_t step) const;

  const MoCoOptions options_;
  Communicator& communicator_;
  const std::unique_ptr<Encoder> f_q_, f_k_;
  const std::vector<at::Tensor> parameters_q_, parameters_k_;
  KeyQueue queue_;
  std::unique_ptr<Loss> loss_;
  std::unique_ptr<Optimizer> optimizer_;
};

}  // namespace moco

#endif  // MOCO_MOCO_H_
