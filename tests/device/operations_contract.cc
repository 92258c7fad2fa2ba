// Every operation on every device, in every arithmetic, beside the CPU in float64. The device is
// that of tests/device/devices.h.
#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/device/devices.h"
#include "tests/device/operations.h"

namespace tests {
namespace {

using Tensors = std::vector<at::Tensor>;

// The tensors on the CPU, as they are.
Tensors Compute(const Operation& operation, const Place& place) {
  Tensors results;
  for (const at::Tensor& t : operation.compute(place)) results.push_back(t.detach().cpu());
  return results;
}

// Computed once for each operation.
const Tensors& Expected(const Operation& operation) {
  static std::map<std::string, Tensors>& known = *new std::map<std::string, Tensors>;
  auto [found, added] = known.try_emplace(operation.name);
  if (added) found->second = Compute(operation, {at::kCPU, Precision::kFp64});
  return found->second;
}

// ||result - expected|| / ||expected||; NaN if a number is not finite in one of them.
double Error(const at::Tensor& result, const at::Tensor& expected) {
  const at::Tensor difference = result.to(at::kDouble) - expected.to(at::kDouble);
  const double norm = at::linalg_vector_norm(expected.to(at::kDouble)).item<double>();
  return at::linalg_vector_norm(difference).item<double>() / (norm > 0 ? norm : 1);
}

struct Case {
  size_t operation;
  Place place;
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (size_t i = 0; i < Operations().size(); ++i) {
    for (const c10::Device device : DevicesUnderTest()) {
      for (const Precision precision : kPrecisions) {
        if (Operations()[i].Bound(precision) == 0) continue;
        // LibTorch has no autocast rules for the fake device.
        if (precision == Precision::kBf16 && NameOf(device) == "fake") continue;
        cases.push_back({i, {device, precision}});
      }
    }
  }
  return cases;
}

class OperationTest : public testing::TestWithParam<Case> {
 protected:
  const Operation& operation() const { return Operations()[GetParam().operation]; }
  const Place& place() const { return GetParam().place; }
};

TEST_P(OperationTest, IsTheCpusInFloat64) {
  const Tensors& expected = Expected(operation());
  const Tensors results = Compute(operation(), place());
  ASSERT_EQ(results.size(), expected.size());
  const double bound = operation().Bound(place().precision);
  double largest = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    ASSERT_EQ(results[i].sizes(), expected[i].sizes()) << "result " << i;
    const double error = Error(results[i], expected[i]);
    EXPECT_LE(error, bound) << "result " << i;
    if (!std::isnan(largest) && !(error <= largest)) largest = error;
  }
  RecordProperty("error", absl::StrFormat("%.2e", largest));
  RecordProperty("bound", absl::StrFormat("%.0e", bound));
}

// On a GPU, an operation that does not repeat is not a fault of this test: `run.sh check` lists
// those operations beside a run that did not repeat (docs/cuda.md).
TEST_P(OperationTest, RepeatsToTheBit) {
  const Tensors first = Compute(operation(), place());
  bool same = true;
  for (int i = 0; i < 2; ++i) {
    const Tensors again = Compute(operation(), place());
    for (size_t r = 0; r < first.size(); ++r) same = same && again[r].equal(first[r]);
  }
  RecordProperty("repeats", same ? "yes" : "no");
  if (!place().device.is_cuda()) {
    EXPECT_TRUE(same);
  }
}

std::string CaseName(const testing::TestParamInfo<Case>& info) {
  const auto& [operation, place] = info.param;
  return absl::StrCat(Operations()[operation].name, "_", NameOf(place.device), "_",
                      NameOf(place.precision));
}

INSTANTIATE_TEST_SUITE_P(All, OperationTest, testing::ValuesIn(Cases()),
                         [](const auto& info) { return CaseName(info); });

TEST(OperationsTest, AreEveryPluginsAndHaveBounds) {
  EXPECT_GT(Operations().size(), 30);
  for (const Operation& operation : Operations()) {
    EXPECT_GT(operation.fp32, 0) << operation.name;
    const bool gradients = operation.name.find("_gradients") != std::string::npos;
    EXPECT_LE(operation.fp32, gradients ? 0.1 : 1e-3)
        << operation.name << ": a bound that holds anything";
    EXPECT_LE(operation.bf16, 0.3) << operation.name << ": a bound that holds anything";
  }
}

// A wrong result is above every bound, and so is one that is not a number.
TEST(OperationsTest, AnErrorIsSeen) {
  for (const Operation& operation : Operations()) {
    const at::Tensor expected = Expected(operation)[0].to(at::kDouble);
    for (const Precision precision : kPrecisions) {
      const double bound = operation.Bound(precision);
      EXPECT_FALSE(Error(expected * 1.4, expected) <= bound) << operation.name;
      EXPECT_FALSE(Error(expected * std::nan(""), expected) <= bound) << operation.name;
    }
  }
}

}  // namespace
}  // namespace tests
