// MoCo: momentum contrast for unsupervised representation learning (He et al., CVPR 2020), and its
// second version (Chen et al., "Improved baselines with momentum contrastive learning", 2020).
#ifndef MOCO_MOCO_H_
#define MOCO_MOCO_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
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
  at::Device device = at::kCPU;       // computes; initial values are drawn on the CPU
  // Whether the loader has already shuffled the keys' views over the ranks (ShuffleOrder). If not,
  // Step shuffles them.
  bool keys_dealt = false;
  bool symmetric = false;  // each view serves once as query and once as key; losses are added
  // Number of micro-batches of a step. They are computed one after the other, as that many GPUs
  // would compute them side by side: each has batch statistics of its own, keys are shuffled over
  // all of them, and the gradient is the mean of theirs. The momentum update comes before all of
  // them, and their keys enter the queue after all of them. One thing differs from GPUs: the
  // running statistics follow every micro-batch.
  int64_t accumulate = 1;
  uint64_t seed = 0;  // of the shuffles
};

// The results of a step in the (1 + K)-way task of finding a query's own key among all keys; means
// over the ranks.
struct StepMetrics {
  double loss = 0;            // the sum of both directions if symmetric
  double top1 = 0;            // share of queries whose own key is the most similar key
  double top5 = 0;            // share of queries whose own key is one of the five most similar keys
  Similarities similarities;  // sums over the directions

  std::vector<double*> Numbers() {
    return {&loss, &top1, &top5, &similarities.own, &similarities.batch, &similarities.earlier};
  }
};

// Returns how a step's keys are shuffled: place i gets row [i] of the whole batch's `n` rows.
std::vector<int64_t> ShuffleOrder(uint64_t seed, int64_t step, int64_t direction, int64_t n);

class MoCo {
 public:
  // Draws the initial values from LibTorch's default generator, in the reference's order.
  static absl::StatusOr<std::unique_ptr<MoCo>> Create(const MoCoOptions& options,
                                                      Communicator& communicator);

  // One iteration of Algorithm 1. It does not wait for the device; the results stay there until
  // Read().
  //   x_q, x_k: N x channels x H x W, channels_last, on the device: two views of the same N images,
  //             which are this rank's part of the batch; 1 to 64 channels; N is divisible by
  //             accumulate x bn_splits.
  //   step:     the number of this step in the run; with the seed it determines the shuffle.
  // If the loss of a rank is not finite, this step and all later ones leave every bit of the query
  // encoder's parameters, the optimizer's state and the queue, on all ranks. What comes before the
  // loss has happened: the key encoder has made its momentum update, the last one, and running
  // statistics have changed.
  void StepAhead(const at::Tensor& x_q, const at::Tensor& x_k, double lr, int64_t step);

  // Waits for the steps since the last Read(), and returns their results in order. Aborted on every
  // rank, with the first such step, if a loss is not finite; later calls return the same. The
  // results are known on each rank, so that ranks need not call it together.
  absl::StatusOr<std::vector<StepMetrics>> Read();

  // StepAhead() and Read(); no results may be unread before.
  absl::StatusOr<StepMetrics> Step(const at::Tensor& x_q, const at::Tensor& x_k, double lr,
                                   int64_t step);

  // Returns the tensors that are equal on all ranks after each step: the parameters of both
  // encoders, and the queue.
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
  void Keep(const at::Tensor& own, int64_t step);
  absl::StatusOr<StepMetrics> AverageMetrics(const at::Tensor& all, int64_t step) const;
  bool KnownToHaveDiverged() const;

  const MoCoOptions options_;
  Communicator& communicator_;
  const std::unique_ptr<Encoder> f_q_, f_k_;
  const std::vector<at::Tensor> parameters_q_, parameters_k_;
  KeyQueue queue_;
  std::unique_ptr<Loss> loss_;
  std::unique_ptr<Optimizer> optimizer_;

  // 0; 1 from the first step on whose loss is not finite. A single float32 on the device, which
  // only the CPU's own steps read on the host.
  at::Tensor diverged_;
  struct Unread {
    int64_t step;
    int64_t position;    // of the queue before the step
    at::Tensor numbers;  // ranks x 6: those of StepMetrics of each rank, on the device
  };
  std::vector<Unread> unread_;
  absl::Status failure_;  // that Read() has returned
};

}  // namespace moco

#endif  // MOCO_MOCO_H_
