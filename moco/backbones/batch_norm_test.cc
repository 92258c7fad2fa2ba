#include "moco/backbones/batch_norm.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <c10/util/Exception.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <string>
#include <utility>
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

// PyTorch refuses it, too: the variance of one value would be NaN in the running statistics for
// ever.
TEST(BatchNormTest, OneValuePerChannelIsRefusedAndLeavesTheStatistics) {
  BatchNorm2d bn(5, /*splits=*/2);
  EXPECT_THROW(bn.forward(at::ones({2, 5, 1, 1})), c10::ValueError);
  EXPECT_TRUE(Buffer(bn, "running_var").equal(at::ones({5})));
  EXPECT_EQ(Buffer(bn, "num_batches_tracked").item<int64_t>(), 0);
  EXPECT_NO_THROW(bn.forward(at::ones({2, 5, 1, 2})));
  bn.eval();
  EXPECT_NO_THROW(bn.forward(at::ones({2, 5, 1, 1})));
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

// What follows the norm, by the operations one after the other.
at::Tensor Reference(const std::string& then, const at::Tensor& x, const at::Tensor& residual,
                     const BatchNorm2d& bn, bool training) {
  const at::Tensor z =
      at::batch_norm(x, bn.parameters()[0], bn.parameters()[1], Buffer(bn, "running_mean").clone(),
                     Buffer(bn, "running_var").clone(), training, 0.1, 1e-5, true);
  return then == "nothing" ? z : then == "relu" ? z.relu() : (z + residual).relu();
}

at::Tensor Fused(const std::string& then, at::Tensor x, const at::Tensor& residual,
                 BatchNorm2d& bn) {
  return then == "nothing" ? bn.forward(std::move(x))
         : then == "relu"  ? bn.Relu(std::move(x))
                           : bn.AddRelu(std::move(x), residual);
}

// Sizes that end in the middle of what the loops take at a time, and types: 2 x 11 x 13 rows of 1,
// 5, 16, 83 = 64 + 16 + 3 and 128 channels.
TEST(BatchNormTest, IsPyTorchsWithWhatFollows) {
  for (const std::string then : {"nothing", "relu", "add_relu"}) {
    for (const int64_t channels : {1, 5, 16, 83, 128}) {
      for (const auto& [type, bound] : {std::pair(at::kDouble, 1e-12), std::pair(at::kFloat, 2e-5),
                                        std::pair(at::kBFloat16, 2e-2)}) {
        SCOPED_TRACE(then + ", " + std::to_string(channels) + " channels, " + c10::toString(type));
        BatchNorm2d bn(channels, 1);
        bn.to(at::kDouble);
        at::manual_seed(channels);
        {
          at::NoGradGuard no_grad;
          for (at::Tensor p : bn.parameters()) p.copy_(at::randn({channels}));
        }
        // Values that the narrow type has, so that both sides start from the same.
        const auto draw = [&, type = type](double shift) {
          return (at::randn({2, channels, 11, 13}) + shift)
              .to(type)
              .to(at::kDouble)
              .contiguous(at::MemoryFormat::ChannelsLast)
              .requires_grad_();
        };
        const at::Tensor x = draw(3), residual = draw(0), dy = draw(0);
        const at::Tensor expected = Reference(then, x, residual, bn, /*training=*/true);
        std::vector<at::Tensor> inputs = {x, bn.parameters()[0], bn.parameters()[1]};
        if (then == "add_relu") inputs.push_back(residual);
        const auto gradients = torch::autograd::grad({expected}, inputs, {dy});

        if (type != at::kDouble) bn.to(at::kFloat);
        std::vector<at::Tensor> ours = {x.detach().to(type).requires_grad_(), bn.parameters()[0],
                                        bn.parameters()[1],
                                        residual.detach().to(type).requires_grad_()};
        const at::Tensor y = Fused(then, ours[0], ours[3], bn);
        EXPECT_EQ(y.scalar_type(), type);
        if (then != "add_relu") ours.pop_back();
        const auto computed = torch::autograd::grad({y}, ours, {dy.to(type)});
        const auto compare = [&, bound = bound](const char* what, const at::Tensor& a,
                                                const at::Tensor& b) {
          const double difference = ((a.to(at::kDouble) - b).norm() / b.norm()).item<double>();
          EXPECT_LE(difference, bound) << what;
        };
        compare("output", y, expected);
        for (size_t i = 0; i < computed.size(); ++i) {
          compare(i == 0   ? "input's gradient"
                  : i == 1 ? "weight's gradient"
                  : i == 2 ? "bias's gradient"
                           : "residual's gradient",
                  computed[i], gradients[i]);
        }
      }
    }
  }
}

TEST(BatchNormTest, IsTheSameWithAnyNumberOfThreads) {
  at::manual_seed(1);
  const at::Tensor x = at::randn({8, 80, 16, 16}), residual = at::randn({8, 80, 16, 16});
  const int before = at::get_num_threads();
  std::vector<std::vector<at::Tensor>> results;
  for (const int threads : {1, 2, 5}) {
    at::set_num_threads(threads);
    BatchNorm2d bn(80, 2);
    const at::Tensor input = x.clone().requires_grad_();
    const at::Tensor y = bn.AddRelu(input, residual);
    y.square().sum().backward();
    results.push_back({y, input.grad(), bn.parameters()[0].grad(), bn.parameters()[1].grad(),
                       Buffer(bn, "running_mean"), Buffer(bn, "running_var")});
  }
  at::set_num_threads(before);
  for (size_t i = 0; i < results[0].size(); ++i) {
    EXPECT_TRUE(results[0][i].equal(results[1][i])) << i;
    EXPECT_TRUE(results[0][i].equal(results[2][i])) << i;
  }
}

TEST(BatchNormTest, ALargeMeanCostsNoDigits) {
  at::NoGradGuard no_grad;
  BatchNorm2d bn(64, 1);
  at::manual_seed(1);
  const at::Tensor x = (at::randn({8, 64, 16, 16}) + 1000).to(at::kDouble);
  BatchNorm2d wide(64, 1);
  wide.to(at::kDouble);
  const at::Tensor expected = Reference("nothing", x, {}, wide, /*training=*/true);
  EXPECT_LE((bn.forward(x.to(at::kFloat)) - expected).abs().max().item<double>(), 1e-3);
}

TEST(BatchNormTest, ValuesThatAreNotNumbersStayVisible) {
  BatchNorm2d bn(4, 1);
  at::Tensor x = at::randn({2, 4, 3, 3});
  x[0][1][2][2] = NAN;
  EXPECT_TRUE(bn.Relu(x).select(1, 1).isnan().all().item<bool>());
  EXPECT_FALSE(bn.Relu(x).select(1, 2).isnan().any().item<bool>());
}

TEST(BatchNormTest, EvaluationModeWithWhatFollows) {
  BatchNorm2d bn(5, 1);
  bn.to(at::kDouble);
  bn.eval();
  const at::Tensor x = Input(), residual = x.flip(0);
  const at::Tensor y = bn.forward(x);
  EXPECT_TRUE(bn.Relu(x).equal(y.relu()));
  EXPECT_TRUE(bn.AddRelu(x, residual).equal((y + residual).relu()));
}

// Without gradients another loop computes it. It takes the memory of an input that only it holds.
TEST(BatchNormTest, EvaluationWithoutGradientsIsPyTorchs) {
  at::NoGradGuard no_grad;
  for (const std::string then : {"nothing", "relu", "add_relu"}) {
    for (const int64_t channels : {1, 5, 16, 83, 128}) {
      for (const auto& [type, bound] : {std::pair(at::kDouble, 1e-12), std::pair(at::kFloat, 1e-6),
                                        std::pair(at::kBFloat16, 1e-2)}) {
        SCOPED_TRACE(then + ", " + std::to_string(channels) + " channels, " + c10::toString(type));
        BatchNorm2d bn(channels, 1);
        bn.to(at::kDouble);
        bn.eval();
        at::manual_seed(channels);
        for (at::Tensor p : bn.parameters()) p.copy_(at::randn({channels}));
        Buffer(bn, "running_mean").copy_(at::randn({channels}));
        Buffer(bn, "running_var").copy_(at::randn({channels}).square());
        const at::Tensor x = at::randn({2, channels, 11, 13}).to(type),
                         residual = at::randn({2, channels, 11, 13}).to(type);
        const at::Tensor expected =
            Reference(then, x.to(at::kDouble), residual.to(at::kDouble), bn, /*training=*/false);
        if (type != at::kDouble) bn.to(at::kFloat);
        for (const at::Tensor& input : {x, x.contiguous(at::MemoryFormat::ChannelsLast)}) {
          const at::Tensor before = input.clone(), y = Fused(then, input, residual, bn);
          EXPECT_TRUE(input.equal(before));
          EXPECT_EQ(y.scalar_type(), type);
          EXPECT_LE(((y.to(at::kDouble) - expected).norm() / expected.norm()).item<double>(),
                    bound);
          at::Tensor alone = x.clone(at::MemoryFormat::ChannelsLast);
          const void* const memory = alone.const_data_ptr();
          const at::Tensor in_place = Fused(then, std::move(alone), residual, bn);
          EXPECT_TRUE(in_place.equal(y));
          EXPECT_EQ(in_place.const_data_ptr(), memory);
        }
      }
    }
  }
}

}  // namespace
}  // namespace moco
