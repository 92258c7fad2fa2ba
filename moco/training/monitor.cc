#include "moco/training/monitor.h"

#include <ATen/ops/tensor.h>

#include <chrono>

#include "absl/strings/str_format.h"
#include "base/progress.h"
#include "moco/measures/knn.h"
#include "moco/measures/online_probe.h"
#include "moco/training/images.h"

namespace moco {

Monitor::Monitor(const MonitorOptions& options, const data::Dataset* bank,
                 const data::Dataset* queries, const augment::Pipeline& views,
                 Communicator& communicator)
    : options_(options),
      bank_(bank),
      queries_(queries),
      views_(views),
      communicator_(communicator) {}

bool Monitor::IsDue(int64_t epoch, int64_t epochs) const {
  return on() && ((epoch + 1) % options_.every == 0 || epoch + 1 == epochs);
}

std::string Monitor::Result::Text() const {
  std::string text = absl::StrFormat("kNN %.1f %%", 100 * knn);
  if (probe) absl::StrAppendFormat(&text, "  probe %.1f %%", 100 * *probe);
  return text;
}

absl::StatusOr<Monitor::Result> Monitor::Evaluate(Encoder& encoder, at::Device device,
                                                  at::ScalarType type) {
  const auto began = std::chrono::steady_clock::now();
  // Each rank has its own running statistics; the checkpoint has those of rank 0.
  communicator_.Broadcast(Tensors(encoder.State()));
  encoder.Train(false);
  const auto features = [&](const at::Tensor& x) { return encoder.Features(x.to(device, type)); };
  const auto extract = [&](const data::Dataset& dataset) {
    return ExtractFeatures(dataset, views_, features, options_.loader_threads,
                           options_.max_bad_images, communicator_);
  };
  auto bank = extract(*bank_);
  auto queries = bank.ok() ? extract(*queries_) : bank;
  encoder.Train(true);
  if (!queries.ok()) return queries.status();

  Result result;
  result.bad_images = bank->bad_images;
  result.bad_images.insert(result.bad_images.end(), queries->bad_images.begin(),
                           queries->bad_images.end());
  KnnOptions knn;
  knn.k = options_.k;
  knn.temperature = options_.temperature;
  knn.classes = bank_->classes().size();
  const at::Tensor own = communicator_.Own(queries->features);
  const at::Tensor right =
      at::tensor({own.size(0) * KnnAccuracy(bank->features, bank->labels, own,
                                            communicator_.Own(queries->labels), knn)});
  result.knn =
      communicator_.AllGather(right.view({1, 1})).sum().item<double>() / queries->features.size(0);
  if (options_.probe) {  // every rank computes the same
    result.probe = OnlineProbeAccuracy(bank->features, bank->labels, queries->features,
                                       queries->labels, knn.classes, options_.seed);
  }
  seconds_ = base::SecondsSince(began);
  return result;
}

}  // namespace moco
