// InfoNCE, equation 1 of the MoCo paper.
#include <ATen/TensorOperators.h>
#include <ATen/ops/logaddexp.h>
#include <ATen/ops/logsumexp.h>

#include <cmath>

#include "moco/losses/loss.h"

namespace moco {
namespace {

struct InfoNceOptions {
  double temperature = 0.07;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("temperature", temperature,
      "divisor of the similarities; the smaller it is, the more weight hard negatives have",
      registry::Positive());
  }
};

class InfoNce : public Loss {
 public:
  explicit InfoNce(double temperature) : temperature_(temperature) {}

  // -log( exp(q.k+ / T) / sum_i exp(q.k_i / T) ), the sum over the positive and the K negatives;
  // the log of the sum is computed from two parts, so that no N x (1 + K) matrix is needed beside
  // the N x K one.
  at::Tensor operator()(const at::Tensor& positive, const at::Tensor& negative) const override {
    const at::Tensor l_pos = positive / temperature_;
    const at::Tensor l_neg = at::logsumexp(negative / temperature_, /*dim=*/1);
    return (at::logaddexp(l_pos, l_neg) - l_pos).mean();
  }

  std::optional<double> Chance(int64_t negatives) const override { return std::log1p(negatives); }

 private:
  const double temperature_;
};

absl::StatusOr<std::unique_ptr<Loss>> MakeInfoNce(const InfoNceOptions& options) {
  return std::make_unique<InfoNce>(options.temperature);
}

REGISTER_PLUGIN(Losses, "info_nce", "cross entropy of finding a query's own key among 1 + K keys",
                InfoNceOptions, MakeInfoNce);

}  // namespace
}  // namespace moco
