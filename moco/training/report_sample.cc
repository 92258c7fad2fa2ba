#include "moco/training/report_sample.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/progress.h"
#include "data/csv.h"
#include "moco/checkpoints/state_dict.h"
#include "moco/communicators/agreement.h"
#include "moco/measures/feature_rows.h"
#include "moco/report/sample.h"
#include "moco/training/images.h"
#include "tensors/npy.h"

namespace moco {
namespace {

constexpr int64_t kImages = 1000;
constexpr double kShareOfTime = 0.02;

// Images of a data set that remains someone else's.
class Part : public data::Dataset {
 public:
  Part(const data::Dataset& whole, std::vector<int64_t> indices)
      : whole_(whole), indices_(std::move(indices)) {}

  int64_t size() const override { return static_cast<int64_t>(indices_.size()); }
  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    return whole_.Image(indices_[index]);
  }
  std::string Name(int64_t index) const override { return whole_.Name(indices_[index]); }
  int Label(int64_t index) const override { return whole_.Label(indices_[index]); }
  const std::vector<std::string>& classes() const override { return whole_.classes(); }

 private:
  const data::Dataset& whole_;
  const std::vector<int64_t> indices_;
};

// units: N x D float32 in main memory. The file is complete or not there.
absl::Status WriteMatrix(const std::string& path, const at::Tensor& units) {
  const std::string part = path + ".part";
  auto writer = tensors::NpyWriter::Open(part, tensors::NpyType::kFloat16, units.size(1), 0);
  if (!writer.ok()) return writer.status();
  if (absl::Status s = (*writer)->Append(units.const_data_ptr<float>(), units.size(0)); !s.ok()) {
    return s;
  }
  if (absl::Status s = (*writer)->Sync(); !s.ok()) return s;
  std::error_code error;
  std::filesystem::rename(part, path, error);
  if (error) {
    return absl::UnavailableError(absl::StrCat("cannot rename '", part, "': ", error.message()));
  }
  return absl::OkStatus();
}

}  // namespace

ReportSample::ReportSample(const data::Dataset& dataset, const augment::Pipeline& views,
                           int loader_threads, int64_t images_at_a_time, Communicator& communicator)
    : dataset_(dataset),
      views_(views),
      loader_threads_(loader_threads),
      images_at_a_time_(std::clamp<int64_t>(images_at_a_time, 1, 250)),
      communicator_(communicator),
      taken_(std::chrono::steady_clock::now()) {}

bool ReportSample::IsDue() const {
  return RankZeroSays(communicator_,
                      seconds_ > 0 && base::SecondsSince(taken_) * kShareOfTime > seconds_);
}

absl::Status ReportSample::Take(Encoder& encoder, at::Device device, at::ScalarType type,
                                const base::RunFolder* folder, const char* file) {
  const auto began = std::chrono::steady_clock::now();
  // With fewer images than ranks, some of the ranks would have none.
  const int64_t size = dataset_.size(), count = std::min(size, kImages);
  if (count < communicator_.size()) return absl::OkStatus();
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < count; ++i) chosen.push_back(i * size / count);
  const Part part(dataset_, chosen);
  communicator_.Broadcast(Tensors(encoder.State()));
  encoder.Train(false);
  const auto features = ExtractFeatures(
      part, views_,
      [&](const at::Tensor& images) { return encoder.Features(images.to(device, type)); },
      {.loader_threads = loader_threads_,
       .max_bad_images = count,
       .images_at_a_time = images_at_a_time_},
      communicator_);
  encoder.Train(true);
  seconds_ = base::SecondsSince(began);
  taken_ = std::chrono::steady_clock::now();
  if (!features.ok()) return features.status();
  if (folder == nullptr) return absl::OkStatus();

  const std::string place = folder->File(report::kSampleFolder);
  if (absl::Status s = base::MakeFolders(place); !s.ok()) return s;
  const at::Tensor images = features->images.contiguous();
  std::error_code error;
  if (std::string(file) == report::kSampleStart) {  // what there is, is of another run
    std::filesystem::remove(absl::StrCat(place, "/", report::kSampleNow), error);
  }
  std::string list = "index,file\n";
  for (int64_t i = 0; i < images.size(0); ++i) {
    const int64_t index = images.const_data_ptr<int64_t>()[i];
    absl::StrAppend(&list, chosen[index], ",", data::CsvField(part.Name(index)), "\n");
  }
  absl::Status s = base::WriteFileAtomically(absl::StrCat(place, "/", report::kSampleImages), list);
  if (!s.ok()) return s;
  return WriteMatrix(absl::StrCat(place, "/", file), UnitRows(features->features).contiguous());
}

}  // namespace moco
