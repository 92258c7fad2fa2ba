// Packs a data set into one file: bazel run //tools:pack -- DATA OUT.pack
#include "data/formats/pack.h"

#include <gflags/gflags.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/exit_code.h"
#include "base/files.h"
#include "base/flags.h"
#include "base/progress.h"
#include "data/dataset.h"

DEFINE_string(split, "pretraining", "pretraining, training or validation images");
DEFINE_string(dataset, "", "form of the data, by the name of a plugin; empty: it is found out");
DEFINE_bool(decoded, false, "keep pixels: larger files, and nothing to decode in training");
DEFINE_int32(channels, 3, "of the pixels, 1 to 4");

namespace {

constexpr char kUsage[] =
    "Packs a data set into one file with checksums, which is mapped into memory in training.\n\n"
    "  bazel run //tools:pack -- DATA train.pack\n"
    "  bazel run //tools:pack -- DATA val.pack --split=validation\n\n";

absl::Status Pack(int argc, char** argv) {
  const auto line = base::ParseCommandLine(argc, argv, /*aliases=*/{});
  if (!line.ok()) return line.status();
  if (line->help) {
    std::printf("%s%s", kUsage, base::FlagHelp("tools/pack.cc").c_str());
    return absl::OkStatus();
  }
  if (line->positional.size() != 2) {
    return absl::InvalidArgumentError("give the data and the file to write: DATA OUT.pack");
  }
  const auto split = data::ReadSplit(FLAGS_split);
  if (!split.ok()) return split.status();
  if (absl::Status s = base::CheckFlag("channels", FLAGS_channels, 1, 4); !s.ok()) return s;
  const std::string out = base::UserPath(line->positional[1]);
  const auto opened =
      data::OpenDataset(base::UserPath(line->positional[0]), *split, FLAGS_dataset, FLAGS_channels);
  if (!opened.ok()) return opened.status();
  base::Progress progress;
  absl::Status status =
      data::WritePack(*opened->dataset, *split, FLAGS_decoded, out, [&](int64_t images) {
        if (images % 1000 != 0) return;
        progress.Update(absl::StrCat(images, " of ", opened->dataset->size(), " images"));
      });
  if (!status.ok()) return status;
  progress.Print(absl::StrCat(opened->dataset->size(), " images of ", opened->place, " (",
                              opened->format, ") are in ", out));
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) { return base::RunMain(Pack, argc, argv); }
