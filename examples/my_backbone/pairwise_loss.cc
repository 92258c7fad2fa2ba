// A loss on pairs: each negative is compared with the positive by itself.
#include <ATen/TensorOperators.h>
#include <ATen/ops/softplus.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "moco/losses/loss.h"
#include "registry/registry.h"

namespace my {
namespace {

struct PairwiseOptions {
  double temperature = 0.1;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("temperature", temperature, "divisor of the differences of similarities",
      registry::Positive());
  }
};

class Pairwise : public moco::Loss {
 public:
  explicit Pairwise(double temperature) : temperature_(temperature) {}

  // The mean of log(1 + exp((q.k- - q.k+) / T)) over queries and negatives.
  at::Tensor operator()(const at::Tensor& positive, const at::Tensor& negative) const override {
    return at::softplus((negative - positive.unsqueeze(1)) / temperature_).mean();
  }

  std::optional<double> Chance(int64_t) const override { return std::log(2.0); }

 private:
  const double temperature_;
};

absl::StatusOr<std::unique_ptr<moco::Loss>> MakePairwise(const PairwiseOptions& options) {
  return std::make_unique<Pairwise>(options.temperature);
}

REGISTER_PLUGIN(moco::Losses, "pairwise", "logistic loss of a positive beside each negative",
                PairwiseOptions, MakePairwise);

}  // namespace
}  // namespace my
