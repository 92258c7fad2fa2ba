// The linear classifier and the nearest neighbours, on given features.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/remainder.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "moco/measures/knn.h"
#include "moco/measures/linear_probe.h"
#include "tests/parity/golden.h"

namespace parity {
namespace {

// Features around a centre for each class, and labels.
std::pair<at::Tensor, at::Tensor> Labelled(int64_t stream, int64_t n, int64_t dim,
                                           int64_t classes) {
  const at::Tensor labels = at::remainder((Noise(stream, {n}) * 0x1p20).to(at::kLong), classes);
  return {0.3 * Noise(99, {classes, dim}).index_select(0, labels) + Noise(stream + 1, {n, dim}),
          labels};
}

TEST(Lincls, ProbeIsTheReferences) {
  const auto golden = Golden("lincls")["probe"];
  const int64_t dim = golden["features"], classes = golden["classes"], batch = golden["batch"];
  const auto communicator = moco::Communicators().Create("single").value();
  const auto probe =
      moco::LinearProbe::Create({.features = dim, .classes = classes}, *communicator).value();
  const at::Tensor weight = probe->State()[0].second, bias = probe->State()[1].second;
  {
    // To float64 in place, as torch.nn.Module.double does it.
    at::NoGradGuard no_grad;
    std::vector<at::Tensor> tensors = probe->optimizer().State()[0].tensors;
    tensors.insert(tensors.end(), {weight, bias});
    for (at::Tensor& t : tensors) t.set_data(t.detach().to(at::kDouble));
    at::Tensor(weight).copy_(0.01 * Noise(50, {classes, dim}));
  }
  Comparison probes("linear classifier", 1e-9);
  const int64_t steps = golden["losses"].size();
  for (int64_t step = 0; step < steps; ++step) {
    const auto [x, y] = Labelled(100 + 2 * step, batch, dim, classes);
    const auto metrics = probe->Step(x, y, batch, golden["lr"]);
    ASSERT_TRUE(metrics.ok()) << metrics.status();
    probes.Number(absl::StrCat("loss of step ", step), metrics->loss, golden["losses"][step]);
    EXPECT_DOUBLE_EQ(metrics->acc1 * batch, golden["top1"][step].get<double>()) << step;
    EXPECT_DOUBLE_EQ(metrics->acc5 * batch, golden["top5"][step].get<double>()) << step;
  }
  EXPECT_GT(steps, 0);
  probes.Tensors("weight", {weight}, golden["weight"]);
  probes.Tensors("bias", {bias}, golden["bias"]);

  const auto validation = golden["validation"];
  const double images = validation["images"];
  const auto [x, y] = Labelled(60, validation["images"], dim, classes);
  const auto metrics = probe->Evaluate(x, y);
  probes.Number("validation loss", metrics.loss, validation["loss"]);
  EXPECT_DOUBLE_EQ(metrics.acc1 * images, validation["top1"].get<double>());
  EXPECT_DOUBLE_EQ(metrics.acc5 * images, validation["top5"].get<double>());
}

TEST(Lincls, NearestNeighboursPredictAsTheDemos) {
  const auto golden = Golden("lincls")["knn"];
  const int64_t dim = golden["features"], classes = 10;
  const auto [bank, labels] = Labelled(70, golden["bank"], dim, classes);
  const auto [queries, truth] = Labelled(80, golden["queries"], dim, classes);
  for (const auto& vote : golden["votes"]) {
    const at::Tensor predictions =
        moco::KnnPredict(bank, labels, queries,
                         {.k = vote["k"], .temperature = vote["temperature"], .classes = classes});
    std::string ours;
    for (int64_t i = 0; i < predictions.size(0); ++i) {
      absl::StrAppend(&ours, predictions[i].item<int64_t>());
    }
    EXPECT_EQ(ours, vote["predictions"].get<std::string>()) << "k " << vote["k"];
  }
}

}  // namespace
}  // namespace parity
