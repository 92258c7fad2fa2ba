#include "moco/backbones/batch_norm.h"

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace moco {
namespace {

at::Tensor Buffer(const BatchNorm2d& bn, const std::string& name) {
  return *bn.named_buffers().find(name);
}

at::Tensor Input() {
  at::manual_seed(7);
  return at::randn({8, 5, 3, 3}, at::kDouble) * 2 + 1;
}

// The formula of Ioffe and Szegedy, and torch.nn.BatchNorm2d's running statistics: momentum 0.1,
// the variance's being unbiased.
TEST(BatchNormTest, IsTheFormula) {
  at::NoGradGuard no_grad;
  BatchNorm2d bn(5, /*splits=*/1);
  bn.to(at::kDouble);
  const at::Tensor x = Input(), mean = x.mean({0, 2, 3}), var = x.var({0, 2, 3}, false);
  const auto column = [](const at::Tensor& t) { return t.view({1, 5, 1, 1}); };
  EXPECT_TRUE(at::allclose(bn.forward(x), (x - column(mean)) / (column(var) + 1e-5).sqrt(), 1e-10));
  const double n = 8 * 3 * 3;
  EXPECT_TRUE(at::allclose(Buffer(bn, "running_mean"), mean * 0.1, 1e-10));
  EXPECT_TRUE(at::allclose(Buffer(bn, "running_var"), 0.9 + 0.1 * var * (n / (n - 1)), 1e-10));
  EXPECT_EQ(Buffer(bn, "num_batches_tracked").item<int64_t>(), 1);
  bn.eval();
  const at::Tensor running =
      (x - column(Buffer(bn, "running_mean"))) / (column(Buffer(bn, "running_var")) + 1e-5).sqrt();
  EXPECT_TRUE(at::allclose(bn.forward(x), running, 1e-10));
}

TEST(BatchNormTest, SplitsAreSeparateNormsWhoseRunningStatisticsAreAveraged) {
  for (const int64_t splits : {2, 4}) {
    BatchNorm2d split(5, splits);
    split.to(at::kDouble);
    at::Tensor x = Input().requires_grad_(), y = Input().requires_grad_();
    std::vector<at::Tensor> outputs, means, vars;
    for (const at::Tensor& part : y.chunk(splits)) {
      BatchNorm2d bn(5, 1);
      bn.to(at::kDouble);
      outputs.push_back(bn.forward(part));
      means.push_back(Buffer(bn, "running_mean"));
      vars.push_back(Buffer(bn, "running_var"));
    }
    const at::Tensor out = split.forward(x), expected = at::cat(outputs);
    EXPECT_TRUE(at::allclose(out, expected, 1e-10));
    EXPECT_TRUE(at::allclose(Buffer(split, "running_mean"), at::stack(means).mean(0), 1e-10));
    EXPECT_TRUE(at::allclose(Buffer(split, "running_var"), at::stack(vars).mean(0), 1e-10));
    out.pow(3).sum().backward();
    expected.pow(3).sum().backward();
    EXPECT_TRUE(at::allclose(x.grad(), y.grad(), 1e-10, 1e-12));
    split.eval();  // one norm, with the averaged statistics
    EXPECT_TRUE(
        at::allclose(split.forward(x).slice(0, 0, 1), split.forward(x.slice(0, 0, 1)), 1e-10));
  }
}

TEST(BatchNormTest, ABatchThatCannotBeSplitIsRefused) {
  BatchNorm2d bn(5, /*splits=*/3);
  EXPECT_THROW(bn.forward(at::randn({8, 5, 3, 3})), c10::Error);
  bn.eval();
  EXPECT_NO_THROW(bn.forward(at::randn({8, 5, 3, 3})));
}

TEST(BatchNormTest, FusedActivations) {
  BatchNorm2d bn(5, 1);
  bn.to(at::kDouble);
  bn.eval();
  const at::Tensor x = Input(), residual = x.flip(0);
  const at::Tensor y = bn.forward(x);
  EXPECT_TRUE(bn.Relu(x).equal(y.relu()));
  EXPECT_TRUE(bn.AddRelu(x, residual).equal((y + residual).relu()));
}

}  // namespace
}  // namespace moco
