// What every registered optimizer keeps.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "moco/optimizers/optimizer.h"

namespace moco {
namespace {

// Parameters of several shapes, and the least squares that pull them to a target.
class Problem {
 public:
  explicit Problem(at::ScalarType type) {
    at::manual_seed(1);
    for (const std::vector<int64_t>& shape :
         std::vector<std::vector<int64_t>>{{4, 3, 2, 2}, {5, 7}, {3}, {}}) {
      parameters.push_back(at::randn(shape, type).requires_grad_());
      targets_.push_back(at::randn(shape, type));
    }
  }

  // The sum of squares; leaves its gradients at the parameters.
  double Loss() {
    double sum = 0;
    for (size_t i = 0; i < parameters.size(); ++i) {
      parameters[i].mutable_grad() = at::Tensor();
      const at::Tensor loss = (parameters[i] - targets_[i]).square().sum() / 2;
      loss.backward();
      sum += loss.item<double>();
    }
    return sum;
  }

  void Run(Optimizer& optimizer, int steps, double lr) {
    for (int i = 0; i < steps; ++i) {
      Loss();
      optimizer.Step(lr);
    }
  }

  std::vector<at::Tensor> Values() const {
    std::vector<at::Tensor> values;
    for (const at::Tensor& p : parameters) values.push_back(p.detach().clone());
    return values;
  }

  std::vector<at::Tensor> parameters;

 private:
  std::vector<at::Tensor> targets_;
};

void ExpectEqual(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i].equal(b[i])) << "parameter " << i;
}

class OptimizerContract : public testing::TestWithParam<std::string> {
 protected:
  static std::unique_ptr<Optimizer> Make(const Problem& problem) {
    return Optimizers().Create(GetParam(), problem.parameters).value();
  }
};

// At one of several rates: they differ in what a rate means.
TEST_P(OptimizerContract, LowersALoss) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    double best = 1;
    for (const double lr : {0.01, 1.0, 10.0}) {
      Problem problem(type);
      const auto optimizer = Make(problem);
      const double before = problem.Loss();
      problem.Run(*optimizer, 30, lr);
      best = std::min(best, problem.Loss() / before);
      for (const at::Tensor& p : problem.parameters) EXPECT_EQ(p.scalar_type(), type);
    }
    EXPECT_LT(best, 0.9);
  }
}

TEST_P(OptimizerContract, ARateOfZeroChangesNothing) {
  Problem problem(at::kFloat);
  const auto optimizer = Make(problem);
  const std::vector<at::Tensor> before = problem.Values();
  problem.Run(*optimizer, 2, 0);
  ExpectEqual(problem.Values(), before);
}

TEST_P(OptimizerContract, StateIsWhatGoingOnNeeds) {
  Problem whole(at::kFloat), resumed(at::kFloat);
  const auto optimizer = Make(whole), early = Make(resumed);
  whole.Run(*optimizer, 5, 0.05);
  resumed.Run(*early, 2, 0.05);
  const auto late = Make(resumed);
  const auto from = early->State(), to = late->State();
  ASSERT_EQ(from.size(), to.size());
  for (size_t s = 0; s < from.size(); ++s) {
    EXPECT_EQ(from[s].name, to[s].name);
    ASSERT_EQ(from[s].tensors.size(), resumed.parameters.size());
    for (size_t i = 0; i < from[s].tensors.size(); ++i) to[s].tensors[i].copy_(from[s].tensors[i]);
  }
  resumed.Run(*late, 3, 0.05);
  ExpectEqual(resumed.Values(), whole.Values());
}

TEST_P(OptimizerContract, ASkippedStepChangesNoBit) {
  Problem problem(at::kFloat), other(at::kFloat);
  const auto optimizer = Make(problem), unasked = Make(other);
  const at::Tensor skip = at::zeros({}, at::kFloat);
  for (int step = 0; step < 3; ++step) {  // 0: as if there were no such number
    problem.Loss();
    other.Loss();
    optimizer->Step(0.05, skip);
    unasked->Step(0.05);
  }
  for (size_t i = 0; i < problem.parameters.size(); ++i) {
    EXPECT_TRUE(problem.parameters[i].allclose(other.parameters[i], 1e-5, 1e-6)) << i;
  }
  std::vector<at::Tensor> before = problem.Values(), state;
  for (const auto& slot : optimizer->State()) {
    for (const at::Tensor& tensor : slot.tensors) {
      state.push_back(tensor);
      before.push_back(tensor.clone());
    }
  }
  for (at::Tensor& p : problem.parameters) {
    p.mutable_grad() = at::full_like(p, std::numeric_limits<float>::quiet_NaN());
  }
  skip.fill_(1);
  optimizer->Step(0.05, skip);
  std::vector<at::Tensor> after = problem.Values();
  after.insert(after.end(), state.begin(), state.end());
  ExpectEqual(after, before);
}

TEST_P(OptimizerContract, CanonicalSpecMakesTheSameOptimizer) {
  Problem one(at::kFloat), two(at::kFloat);
  const std::string spec = Optimizers().Canonical(GetParam()).value();
  const auto optimizer = Make(one), again = Optimizers().Create(spec, two.parameters).value();
  one.Run(*optimizer, 3, 0.05);
  two.Run(*again, 3, 0.05);
  ExpectEqual(one.Values(), two.Values());
  EXPECT_EQ(optimizer->Constants(), again->Constants());
}

TEST_P(OptimizerContract, NamesOfConstantsAndSlotsAreUnique) {
  const Problem problem(at::kFloat);
  const auto optimizer = Make(problem);
  std::set<std::string> constants, slots;
  for (const auto& [name, value] : optimizer->Constants()) {
    EXPECT_TRUE(constants.insert(name).second) << name;
  }
  for (const auto& slot : optimizer->State()) EXPECT_TRUE(slots.insert(slot.name).second);
}

INSTANTIATE_TEST_SUITE_P(All, OptimizerContract, testing::ValuesIn(Optimizers().Names()),
                         [](const auto& info) { return info.param; });

TEST(OptimizerContractTest, IsOfSomething) { EXPECT_FALSE(Optimizers().Names().empty()); }

}  // namespace
}  // namespace moco
