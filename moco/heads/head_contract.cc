// What every registered head keeps.
#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "moco/checkpoints/state_dict.h"
#include "moco/heads/head.h"

namespace moco {
namespace {

constexpr int64_t kFeatureDim = 24;

at::Tensor Features(int64_t n) {
  at::manual_seed(7);
  return at::randn({n, kFeatureDim});
}

class HeadContract : public testing::TestWithParam<std::string> {
 protected:
  static std::shared_ptr<Head> Make(const std::string& spec = GetParam()) {
    at::manual_seed(3);
    std::shared_ptr<Head> head = Heads().Create(spec, kFeatureDim).value();
    head->Initialize();
    return head;
  }
};

TEST_P(HeadContract, GivesAVectorForEachRowAndBackwardReachesEveryParameter) {
  const auto head = Make();
  const at::Tensor features = Features(4).requires_grad_(), before = features.detach().clone();
  const at::Tensor vectors = head->forward(features);
  EXPECT_EQ(vectors.sizes(), std::vector<int64_t>({4, head->dim()}));
  EXPECT_EQ(vectors.scalar_type(), at::kFloat);
  vectors.mul(at::randn(vectors.sizes())).sum().backward();
  EXPECT_TRUE(features.equal(before)) << "the features were written to";
  EXPECT_GT(features.grad().abs().sum().item<double>(), 0);
  for (const auto& p : head->named_parameters()) {
    const at::Tensor& gradient = p.value().grad();
    ASSERT_TRUE(gradient.defined()) << p.key();
    EXPECT_TRUE(gradient.isfinite().all().item<bool>()) << p.key();
  }
}

TEST_P(HeadContract, EvaluationIsAFunctionOfTheRowAloneInFloatAndDouble) {
  at::NoGradGuard no_grad;
  const auto head = Make();
  head->eval();
  const at::Tensor features = Features(3), in_float = head->forward(features);
  head->to(at::kDouble);
  const at::Tensor vectors = head->forward(features.to(at::kDouble));
  EXPECT_TRUE(at::allclose(vectors, in_float.to(at::kDouble), 1e-4, 1e-5));
  for (int64_t i = 0; i < features.size(0); ++i) {
    const at::Tensor alone = head->forward(features.slice(0, i, i + 1).to(at::kDouble));
    EXPECT_TRUE(at::allclose(vectors[i], alone[0], 1e-9, 1e-9)) << "row " << i;
  }
}

TEST_P(HeadContract, SeedAndCanonicalSpecDecideTheWeights) {
  const auto head = Make(), again = Make(Heads().Canonical(GetParam()).value());
  const StateDict state = GetState(*head);
  EXPECT_TRUE(CheckEqual(state, GetState(*again)).ok()) << CheckEqual(state, GetState(*again));
  std::set<std::string> names;
  for (const auto& [name, tensor] : state) names.insert(name);
  EXPECT_EQ(names.size(), state.size()) << "two tensors have one name";
}

INSTANTIATE_TEST_SUITE_P(All, HeadContract, testing::ValuesIn(Heads().Names()),
                         [](const auto& info) { return info.param; });

TEST(HeadContractTest, IsOfSomething) { EXPECT_FALSE(Heads().Names().empty()); }

}  // namespace
}  // namespace moco
