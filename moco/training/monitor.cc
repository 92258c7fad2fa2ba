#include "moco/training/monitor.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/format_count.h"
#include "base/progress.h"
#include "data/subset.h"
#include "moco/backbones/autocast.h"
#include "moco/measures/knn.h"
#include "moco/measures/label_free.h"
#include "moco/measures/measure_names.h"
#include "moco/measures/online_probe.h"
#include "moco/training/images.h"

namespace moco {
namespace {

// Forward passes that an image of the sample takes: its views, and that of the evaluation.
constexpr int64_t kPasses = kMeasuredViews + 1;
constexpr int64_t kPassesOfTraining = 4;  // the same of an image in an epoch
constexpr int64_t kTimesAsLong = 20;

void Append(const std::vector<data::BadImage>& more, std::vector<data::BadImage>& all) {
  all.insert(all.end(), more.begin(), more.end());
}

}  // namespace

int64_t MeasuresInterval(int64_t images, int64_t train_images) {
  const int64_t work = kTimesAsLong * kPasses * images, epoch = kPassesOfTraining * train_images;
  return std::max<int64_t>((work + epoch - 1) / epoch, 1);
}

Monitor::Monitor(const MonitorOptions& options, const MonitorData& data,
                 const augment::Pipeline& eval_views, const augment::Pipeline& views,
                 Communicator& communicator)
    : options_(options),
      data_(data),
      eval_views_(eval_views),
      views_(views),
      communicator_(communicator) {
  on_.knn = data.queries != nullptr && options.knn_every > 0;
  on_.measures = options.measures_every != 0;
  if (!on_.measures) return;
  const data::Dataset& whole = data.held_out != nullptr ? *data.held_out : *data.train;
  sample_ = data::RandomSample(whole, options.images, options.seed);
  measures_every_ = options.measures_every > 0
                        ? options.measures_every
                        : MeasuresInterval(sample_->size(), data.train->size());
}

Monitor::Parts Monitor::Due(int64_t epoch, int64_t epochs) const {
  const auto due = [&](bool on, int64_t every) {
    return on && ((epoch + 1) % every == 0 || epoch + 1 == epochs);
  };
  return {due(on_.knn, options_.knn_every), due(on_.measures, measures_every_)};
}

std::string Monitor::Describe() const {
  if (!on_.measures) return "";
  const int64_t whole = data_.held_out != nullptr ? data_.held_out->size() : data_.train->size();
  return absl::StrCat(
      "measures without labels on ", base::FormatCount(sample_->size()), " of ",
      base::FormatCount(whole), data_.held_out != nullptr ? " held-out images" : " training images",
      ", every ", measures_every_ == 1 ? "epoch" : absl::StrCat(measures_every_, " epochs"),
      " (--monitor-every)");
}

std::string Monitor::Result::Text() const {
  std::string text = knn ? absl::StrFormat("kNN %.1f %%", 100 * *knn) : "";
  if (probe) absl::StrAppendFormat(&text, "  probe %.1f %%", 100 * *probe);
  return text;
}

std::string Monitor::Result::MeasuresText() const {
  std::string text;
  for (const MeasureName& measure : MeasureNames()) {
    std::vector<std::string> values;  // of the places
    for (const char* place : kMeasuredPlaces) {
      const auto value = std::find_if(measures.begin(), measures.end(), [&](const auto& each) {
        return each.first == MeasureMetric(measure, place);
      });
      values.push_back(value == measures.end() ? "-" : absl::StrFormat("%.4g", value->second));
    }
    absl::StrAppend(&text, text.empty() ? "" : ", ", measure.title, " ", values[0], " (head ",
                    values[1], ")");
  }
  return measures.empty() ? "" : text;
}

absl::StatusOr<Monitor::Result> Monitor::Evaluate(Encoder& encoder, at::Device device,
                                                  at::ScalarType type, Parts parts) {
  // Each rank has its own running statistics; the checkpoint has those of rank 0.
  communicator_.Broadcast(Tensors(encoder.State()));
  encoder.Train(false);
  const Network features = [&](const at::Tensor& x) {
    const Bf16Autocast autocast(device.type(), options_.bf16);
    return encoder.Features(x.to(device, type)).to(type);
  };
  const Network both = [&](const at::Tensor& x) {
    const at::Tensor found = features(x);
    const Bf16Autocast autocast(device.type(), options_.bf16);
    return at::cat({found, encoder.Project(found).to(type)}, 1);
  };
  Result result;
  absl::Status status;
  if (parts.knn) {
    const auto began = std::chrono::steady_clock::now();
    status = Classify(features, result);
    knn_seconds_ = base::SecondsSince(began);
  }
  if (status.ok() && parts.measures) {
    const auto began = std::chrono::steady_clock::now();
    status = Measure(both, encoder.dim(), result);
    measures_seconds_ = base::SecondsSince(began);
  }
  encoder.Train(true);
  if (!status.ok()) return status;
  return result;
}

absl::Status Monitor::Classify(const Network& features, Result& result) {
  const auto extract = [&](const data::Dataset& dataset) {
    return ExtractFeatures(
        dataset, eval_views_, features,
        {.loader_threads = options_.loader_threads, .max_bad_images = options_.max_bad_images},
        communicator_);
  };
  const auto bank = extract(*data_.bank);
  if (!bank.ok()) return bank.status();
  const auto queries = extract(*data_.queries);
  if (!queries.ok()) return queries.status();
  Append(bank->bad_images, result.bad_images);
  Append(queries->bad_images, result.bad_images);

  KnnOptions knn;
  knn.k = options_.k;
  knn.temperature = options_.temperature;
  knn.classes = data_.bank->classes().size();
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
  return absl::OkStatus();
}

// `features_and_vectors` gives both side by side: n x (D + dim).
absl::Status Monitor::Measure(const Network& features_and_vectors, int64_t dim, Result& result) {
  const auto extract = [&](const augment::Pipeline& views, int64_t count) {
    return ExtractFeatures(*sample_, views, features_and_vectors,
                           {.loader_threads = options_.loader_threads,
                            .max_bad_images = options_.max_bad_images,
                            .views = count,
                            .seed = options_.seed},
                           communicator_);
  };
  const auto plain = extract(eval_views_, 1);
  if (!plain.ok()) return plain.status();
  const auto views = extract(views_, kMeasuredViews);
  if (!views.ok()) return views.status();
  Append(plain->bad_images, result.bad_images);
  Append(views->bad_images, result.bad_images);

  const int64_t width = plain->features.size(1);
  const at::Tensor augmented =
      views->features.view({views->features.size(0), kMeasuredViews, width});
  const std::pair<int64_t, int64_t> columns[] = {{0, width - dim}, {width - dim, dim}};
  std::vector<std::vector<double>> values;  // of each place; every rank computes the same
  for (const auto& [from, count] : columns) {
    values.push_back(
        MeasureAll({plain->features.narrow(1, from, count), augmented.narrow(2, from, count)}));
  }
  for (size_t m = 0; m < MeasureNames().size(); ++m) {
    for (size_t place = 0; place < values.size(); ++place) {
      if (!std::isfinite(values[place][m])) continue;
      result.measures.emplace_back(MeasureMetric(MeasureNames()[m], kMeasuredPlaces[place]),
                                   values[place][m]);
    }
  }
  return absl::OkStatus();
}

}  // namespace moco
