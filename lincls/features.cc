// Features of a data set's images by a pretrained encoder: bazel run //lincls:features -- DATA
#include <ATen/Parallel.h>
#include <gflags/gflags.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/cores.h"
#include "base/files.h"
#include "base/program.h"
#include "base/shared_flags.h"
#include "base/short_spins.h"
#include "base/signals.h"
#include "data/demo/demo.h"
#include "lincls/encoders/pretrained.h"
#include "lincls/feature_extractor.h"
#include "lincls/tables/feature_folder.h"
#include "lincls/tables/feature_table.h"
#include "lincls/tables/projector.h"
#include "moco/backbones/autocast.h"
#include "moco/training/cuda_devices.h"
#include "tensors/memory.h"

DEFINE_string(
    data, "",
    "[data] the images (docs/data.md), also as the positional argument; empty: the demo's");
MOCOPP_PLACE_FLAGS;
MOCOPP_SPLIT_FLAG;
MOCOPP_WORKERS_FLAG;
MOCOPP_MAX_BAD_IMAGES_FLAG;
DEFINE_string(eval_views, "",
              "[views] pipeline that the images pass through; empty: the checkpoint's, else the "
              "usual one of the data set, else the reference's for 224 pixels");
DEFINE_string(
    pretrained, "",
    "[encoder] checkpoint of pretraining, or its run folder; empty: the newest in ./runs");
MOCOPP_ARCH_FLAG;
MOCOPP_FOUND_FLAGS;
DEFINE_string(features, "backbone",
              "[output] features to write: backbone, head, stage1, stage2, ..., or all that the "
              "network has");
DEFINE_string(dtype, "float32",
              "[output: float32 | float16] type of the features; float16 needs half the space");
DEFINE_string(out, "", "[output] folder; empty: features/<split> in the checkpoint's run folder");
DEFINE_int64(projector, 0,
             "[output: 0 to 100000] also write projector/ for TensorBoard, with at most this many "
             "images, such as 10000; 0: do not");
DEFINE_string(columns, "",
              "[output] further columns of images.csv: alignment and disagreement (of augmented "
              "views), moco_loss");
DEFINE_int64(augmented_views, 4,
             "[views: 2 to 64] views of each image for --columns=alignment,disagreement");
DEFINE_string(
    views, "",
    "[views] pipeline of the augmented views; empty: that of the checkpoint's pretraining");
DEFINE_string(
    loss, "",
    "[output] loss for --columns=moco_loss, such as info_nce:temperature=0.2; empty: that "
    "of the checkpoint's pretraining");
MOCOPP_SEED_FLAG;
DEFINE_int64(batch_size, 250, "[machine: 1 to 1000000] images computed at once");
MOCOPP_DEVICE_FLAGS;
MOCOPP_PRECISION_FLAGS;
MOCOPP_THREADS_FLAG;

namespace lincls {
namespace {

constexpr char kUsage[] =
    R"(Computes the features of images with a pretrained encoder; writes .npy files and a list.

  bazel run //lincls:features                                  the demo, after bazel run //moco:pretrain
  bazel run //lincls:features -- DIR --pretrained=runs/<time>
  bazel run //lincls:features -- DIR --features=all --dtype=float16 --columns=disagreement,moco_loss
  bazel run //lincls:features -- DIR --projector=10000

If it was interrupted, the same command continues.
)";

int LoaderThreads() { return static_cast<int>(std::min<int64_t>(FLAGS_workers, base::Cores())); }

absl::StatusOr<std::unique_ptr<FeatureExtractor>> MakeExtractor() {
  ExtractionOptions o;
  auto checkpoint = FindPretrained(base::UserPath(FLAGS_pretrained));
  if (!checkpoint.ok()) return checkpoint.status();
  o.checkpoint = *std::move(checkpoint);
  auto data = FLAGS_data.empty() ? data::DemoFolder() : base::UserPath(FLAGS_data);
  if (!data.ok()) return data.status();
  FLAGS_val = base::UserPath(FLAGS_val);
  o.source = MOCOPP_PLACE_SOURCE(*data, 3);
  const auto device =
      moco::ChooseDevice(FLAGS_device, static_cast<int>(std::max<int64_t>(FLAGS_gpu, 0)));
  if (!device.ok()) return device.status();
  o.device = *device;
  o.bf16 = FLAGS_precision == "bf16";
  if (o.bf16) {
    if (absl::Status s = moco::CheckBf16(*device, FLAGS_force_bf16); !s.ok()) return s;
  }
  o.split = FLAGS_split;
  o.encoder = MOCOPP_ENCODER_CHOICE(FLAGS_arch);
  o.eval_views = FLAGS_eval_views;
  o.features = FLAGS_features;
  o.type = FLAGS_dtype == "float16" ? tensors::NpyType::kFloat16 : tensors::NpyType::kFloat32;
  o.batch_size = FLAGS_batch_size;
  o.loader_threads = LoaderThreads();
  o.max_bad_images = FLAGS_max_bad_images;
  o.columns = FLAGS_columns;
  o.views = FLAGS_views;
  o.loss = FLAGS_loss;
  o.augmented_views = FLAGS_augmented_views;
  o.seed = FLAGS_seed;
  return FeatureExtractor::Create(o);
}

void PrintSettings(const FeatureExtractor& e, const FeatureFolder& folder) {
  std::printf("data     %lld %s images, %s (%s)\n",
              static_cast<long long>(e.images().dataset->size()), FLAGS_split.c_str(),
              e.images().place.c_str(), e.images().format.c_str());
  for (const std::string& note : e.images().notes) std::printf("note     %s\n", note.c_str());
  if (!FLAGS_data.empty()) {  // the demo's data are as they should be
    for (const std::string& line : e.glance()) std::printf("%s\n", line.c_str());
  }
  std::printf("encoder  %s, from %s\n", e.network().backbone().spec().c_str(),
              e.checkpoint().c_str());
  if (const std::string& note = e.network().backbone().note(); !note.empty()) {
    std::printf("note     %s\n", note.c_str());
  }
  std::printf("views    %s\n", e.views().spec().c_str());
  std::printf("features %s, %s\n",
              absl::StrJoin(e.network().outputs(), ", ", absl::PairFormatter(" ")).c_str(),
              FLAGS_dtype.c_str());
  if (e.image_columns() != nullptr) {
    std::printf("columns  %s%s, of views %s\n", absl::StrJoin(e.columns(), ", ").c_str(),
                e.network().head() == nullptr ? " (in the backbone's output)" : "",
                e.image_columns()->views().c_str());
  }
  std::printf("device   %s, %s; %d threads compute, %d load\n", e.device().c_str(),
              FLAGS_precision.c_str(), at::get_num_threads(), LoaderThreads());
  if (folder.done() > 0 && !folder.finished()) {
    std::printf("resumed  after %lld images\n", static_cast<long long>(folder.done()));
  }
  std::fflush(stdout);
}

// Writes files for TensorBoard, of the first kind of features.
absl::Status Project(const FeatureExtractor& e, const std::string& path) {
  const auto table = OpenFeatures(absl::StrCat(path, "/", e.network().outputs()[0].first, ".npy"));
  if (!table.ok()) return table.status();
  const std::string folder = path + "/projector";
  const auto shown = WriteProjector(*table, FLAGS_projector, FLAGS_seed, folder);
  if (!shown.ok()) return shown.status();
  std::printf("to view %lld of them: tensorboard --logdir %s\n", static_cast<long long>(*shown),
              base::ShellQuoted(folder).c_str());
  return absl::OkStatus();
}

absl::Status Features(const base::Arguments&) {
  if (FLAGS_threads > 0) at::set_num_threads(static_cast<int>(FLAGS_threads));
  const auto extractor = MakeExtractor();
  if (!extractor.ok()) return extractor.status();
  const FeatureExtractor& e = **extractor;
  const std::string path =
      FLAGS_out.empty() ? absl::StrCat(RunFolderOf(e.checkpoint()), "/features/", FLAGS_split)
                        : base::UserPath(FLAGS_out);
  const auto folder = FeatureFolder::Open(path, e.FolderOptions());
  if (!folder.ok()) return folder.status();
  PrintSettings(e, **folder);
  base::CatchStopSignals();
  if (absl::Status s = e.Run(**folder); !s.ok()) return s;
  std::printf("features of %lld images are in %s\n", static_cast<long long>((*folder)->rows()),
              path.c_str());
  return FLAGS_projector == 0 ? absl::OkStatus() : Project(e, path);
}

}  // namespace
}  // namespace lincls

int main(int argc, char** argv) {
  tensors::KeepFreedMemory();
  const base::ShortSpins spins;
  return base::Main(argc, argv, {.usage = lincls::kUsage, .argument_flag = "data"},
                    lincls::Features);
}
