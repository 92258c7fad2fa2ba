#include "moco/communicators/agreement.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full_like.h>
#include <gtest/gtest.h>

#include <csignal>
#include <vector>

#include "absl/status/status.h"
#include "base/signals.h"
#include "moco/communicators/communicator.h"

namespace moco {
namespace {

// The first of two ranks. While they gather, the other gives `other`, and this one gets `arrives`,
// a signal.
class Rank : public Communicator {
 public:
  int64_t rank() const override { return 0; }
  int64_t size() const override { return 2; }
  at::Tensor AllGather(const at::Tensor& rows) override {
    const at::Tensor all = at::cat({rows, at::full_like(rows, other)});
    if (arrives != 0) std::raise(arrives);
    return all;
  }
  at::Tensor Permute(const at::Tensor& rows, const at::Tensor&) override { return rows; }
  void Broadcast(const std::vector<at::Tensor>&) override {}
  void AverageGradientsOf(const std::vector<at::Tensor>&) override {}
  void Backward(const at::Tensor&) override {}
  bool Leave(const absl::Status&) override { return false; }

  int arrives = 0, other = 0;
};

TEST(AgreementTest, ASignalToOneRankIsForAll) {
  base::CatchStopSignals();
  Rank ranks;
  EXPECT_EQ(StopRequested(ranks), absl::OkStatus());
  ranks.other = SIGUSR1;
  EXPECT_EQ(StopRequested(ranks), absl::CancelledError("stopped by SIGUSR1"));
  EXPECT_EQ(base::StopSignal(), SIGUSR1);
}

// The others have not heard of it, and would go on to the step without this rank.
TEST(AgreementTest, ASignalWhileTheRanksAskIsForTheNextTime) {
  base::CatchStopSignals();
  Rank ranks;
  ranks.arrives = SIGUSR1;
  EXPECT_EQ(StopRequested(ranks), absl::OkStatus());
  ranks.arrives = 0;
  EXPECT_EQ(StopRequested(ranks), absl::CancelledError("stopped by SIGUSR1"));
}

}  // namespace
}  // namespace moco
