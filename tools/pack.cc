// Packs a data set into one file: bazel run //tools:pack -- DATA OUT.pack
#include "data/formats/pack.h"

#include <gflags/gflags.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/program.h"
#include "base/progress.h"
#include "base/shared_flags.h"
#include "base/work.h"
#include "data/dataset.h"

MOCOPP_DATA_FLAGS;
MOCOPP_SPLIT_FLAG;
MOCOPP_CHANNELS_FLAG;
DEFINE_bool(
    decoded, false,
    "[output] store decoded pixels: the file is larger, but training does not have to decode");

namespace {

constexpr char kUsage[] =
    "Packs a data set into one file with checksums, which training maps into memory.\n\n"
    "  bazel run //tools:pack -- DATA train.pack\n"
    "  bazel run //tools:pack -- DATA val.pack --split=validation\n";

absl::Status Pack(const base::Arguments& arguments) {
  const auto split = data::ReadSplit(FLAGS_split);
  if (!split.ok()) return split.status();
  const std::string out = base::UserPath(arguments[1]);
  FLAGS_val = base::UserPath(FLAGS_val);
  if (!FLAGS_range.empty()) {
    return absl::InvalidArgumentError(
        "--range has no effect here: values are packed as they are stored; give it to the program "
        "that reads the pack");
  }
  data::DataSource source = MOCOPP_DATA_SOURCE(base::UserPath(arguments[0]), FLAGS_channels);
  source.decode.raw = true;
  const auto opened = data::OpenDataset(source, *split);
  if (!opened.ok()) return opened.status();
  base::Progress progress;
  base::Work work(progress, "packing", opened->dataset->size(), "images");
  absl::Status status = data::WritePack(*opened->dataset, *split, FLAGS_decoded, out,
                                        [&](int64_t images) { work.Done(images); });
  if (!status.ok()) return status;
  progress.Print(absl::StrCat(opened->dataset->size(), " images of ", opened->place, " (",
                              opened->format, ") are in ", out));
  for (const std::string& note : opened->notes) progress.Print("note: " + note);
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  return base::Main(argc, argv, {.usage = kUsage, .arguments = "DATA OUT.pack"}, Pack);
}
