// Looks at a data set before a run does: bazel run //tools:doctor -- DATA
#include <gflags/gflags.h>

#include <opencv2/core/utility.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/cores.h"
#include "base/files.h"
#include "base/flags.h"
#include "base/program.h"
#include "base/runfiles.h"
#include "base/shared_flags.h"
#include "data/dataset.h"
#include "tools/doctor/cost.h"
#include "tools/doctor/doctor.h"

MOCOPP_DATA_FLAGS;
MOCOPP_CHANNELS_FLAG;
MOCOPP_MAX_BAD_IMAGES_FLAG;
DEFINE_int64(sample, 0,
             "[data: at least 0] number of images to look at in each split, evenly spaced; 0: all");
MOCOPP_THREADS_FLAG;
DEFINE_string(arch, "", "[encoder] backbone of the run to plan; empty: advise one");
DEFINE_int64(image_size, 0,
             "[views: 0 to 7168] rows and columns of a view of the run to plan; 0: advise them");
MOCOPP_BATCH_SIZE_FLAG(0, "images per step of the run to plan; 0: advise a number");
DEFINE_int64(moco_k, 0, "[method: 0 to 1000000000] queue size of the run to plan; 0: advise one");
DEFINE_int64(epochs, 200, "[optimisation: 1 to 1000000] epochs of the run to plan");
DEFINE_bool(
    estimate, true,
    "[run] let //moco:pretrain try a few steps of the run to plan, to say what it would take "
    "in memory, disk space and time");
DEFINE_string(page, "", "[output] HTML page with contact sheets to write; empty: none");
DEFINE_string(bad_list, "",
              "[output] file to write the images that cannot be read to, with the reasons; empty: "
              "none");
DEFINE_string(duplicates_list, "",
              "[output] CSV file to write the groups of exact and near duplicates to; empty: none");

namespace {

constexpr char kUsage[] =
    "Looks at the images of a data set, and says what is wrong with them and which settings suit "
    "them.\nThe exit code is 3 if a run would fail.\n\n"
    "  bazel run //tools:doctor -- DATA\n"
    "  bazel run //tools:doctor -- DATA --sample=10000 --page=data.html\n"
    "  bazel run //tools:doctor -- DATA -a resnet18 -b 64 --epochs=100\n";

// The flags that say how the data is read, as the command line has given them: pretrain has them,
// too.
std::vector<std::string> DataFlags() {
  std::vector<std::string> flags;
  for (const char* name : {"dataset", "val", "image_key", "columns", "exif", "max_megapixels",
                           "pages", "range", "max_bad_images"}) {
    if (!base::IsSet(name)) continue;
    flags.push_back(
        absl::StrCat("--", absl::StrReplaceAll(name, {{"_", "-"}}), "=",
                     base::ShellQuoted(gflags::GetCommandLineFlagInfoOrDie(name).current_value)));
  }
  return flags;
}

absl::Status Run(const base::Arguments& arguments) {
  cv::setNumThreads(1);  // each of our threads has an image of its own
  const std::string path = base::UserPath(arguments[0]);
  FLAGS_val = base::UserPath(FLAGS_val);
  const data::DataSource source = MOCOPP_DATA_SOURCE(path, FLAGS_channels);
  doctor::DoctorOptions options;
  options.open = [&](data::Split split, bool labelled) {
    return labelled ? data::OpenLabelledDataset(source, split) : data::OpenDataset(source, split);
  };
  options.path = arguments[0];
  options.data_flags = DataFlags();
  options.folder = base::UserPath(".");
  options.examine.sample = FLAGS_sample;
  options.examine.threads = FLAGS_threads > 0 ? static_cast<int>(FLAGS_threads) : base::Cores();
  options.findings.max_bad_images = FLAGS_max_bad_images;
  options.findings.apply_exif = source.decode.apply_exif;
  options.findings.has_range = !FLAGS_range.empty();
  options.wishes = {FLAGS_arch, FLAGS_image_size, FLAGS_batch_size, FLAGS_moco_k, FLAGS_epochs};
  options.wishes.has_range = options.findings.has_range;
  options.page = base::UserPath(FLAGS_page);
  options.bad_list = base::UserPath(FLAGS_bad_list);
  options.duplicates_list = base::UserPath(FLAGS_duplicates_list);
  if (!FLAGS_estimate) return doctor::RunDoctor(options, nullptr);
  const std::string pretrain = base::FindRunfile("moco/pretrain");
  if (!pretrain.empty()) return doctor::RunDoctor(options, doctor::CostBy(pretrain));
  return doctor::RunDoctor(options, [](const std::string&) -> absl::StatusOr<doctor::Cost> {
    return absl::UnavailableError(
        "//moco:pretrain is not beside this program; start it with bazel run");
  });
}

}  // namespace

int main(int argc, char** argv) {
  return base::Main(argc, argv, {.usage = kUsage, .arguments = "DATA"}, Run);
}
