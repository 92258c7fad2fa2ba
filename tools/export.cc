// Writes the pretrained encoder of a checkpoint as other programs take it.
//
//   bazel run //tools:export -- CHECKPOINT --to=FORMAT --out=FILE
#include <ATen/core/Tensor.h>
#include <gflags/gflags.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/exit_code.h"
#include "base/files.h"
#include "base/flags.h"
#include "lincls/encoder_layouts.h"
#include "moco/checkpoint.h"
#include "moco/state_dict.h"
#include "tools/export_formats.h"

DEFINE_string(to, "", "torchvision, safetensors or detectron2");
DEFINE_string(out, "", "file to write; one that is there is replaced");
DEFINE_bool(verify, false, "read the file again and compare every tensor with the checkpoint's");

namespace {

constexpr char kUsage[] =
    "Writes the pretrained query encoder of a checkpoint, without its head, as other programs take "
    "it.\n\n"
    "  bazel run //tools:export -- CHECKPOINT --to=torchvision --out=FILE.pth\n"
    "      a state dict for torchvision's models: all but fc, so load it with strict=False\n"
    "  bazel run //tools:export -- CHECKPOINT --to=safetensors --out=FILE.safetensors\n"
    "      the same names\n"
    "  bazel run //tools:export -- CHECKPOINT --to=detectron2 --out=FILE.pkl\n"
    "      NumPy arrays under detectron2's names of a ResNet\n\n";

absl::Status InFile(const absl::Status& status, const std::string& path) {
  if (!absl::IsInvalidArgument(status)) return status;
  return absl::InvalidArgumentError(absl::StrCat("'", path, "' ", status.message()));
}

// OK when `read` has the tensors of `written`, bit for bit.
absl::Status CheckSameBits(const moco::StateDict& written, const moco::StateDict& read) {
  if (written.size() != read.size()) {
    return absl::DataLossError(absl::StrCat("has ", read.size(), " tensors, not ", written.size()));
  }
  std::map<std::string, at::Tensor> by_name(read.begin(), read.end());
  for (const auto& [name, tensor] : written) {
    const at::Tensor ours = tensor.contiguous(), theirs = by_name[name];
    if (!theirs.defined() || theirs.scalar_type() != ours.scalar_type() ||
        theirs.sizes() != ours.sizes() ||
        std::memcmp(theirs.contiguous().const_data_ptr(), ours.const_data_ptr(), ours.nbytes()) !=
            0) {
      return absl::DataLossError(absl::StrCat("does not have '", name, "' as it was written"));
    }
  }
  return absl::OkStatus();
}

absl::Status Export(const std::string& path, const std::string& out) {
  std::error_code error;
  if (std::filesystem::equivalent(path, out, error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--out='", out, "' is the checkpoint itself; give another file"));
  }
  const auto checkpoint = moco::ReadCheckpoint(path);
  if (!checkpoint.ok()) return checkpoint.status();
  auto encoder = lincls::FindEncoder(checkpoint->state);
  if (!encoder.ok()) return InFile(encoder.status(), path);
  moco::StateDict state = *std::move(encoder);
  absl::Status written;
  if (FLAGS_to == "detectron2") {
    auto renamed = tools::Detectron2Names(state);
    if (!renamed.ok()) return InFile(renamed.status(), path);
    state = *std::move(renamed);
    written = tools::WriteDetectron2(out, state);
  } else if (FLAGS_to == "safetensors") {
    written = tools::WriteSafetensors(out, state);
  } else {
    written = moco::WriteStateDict(out, state);
  }
  if (!written.ok()) return InFile(written, path);
  absl::PrintF("%s: %d tensors of %s%s\n", out, state.size(),
               checkpoint->arch.empty() ? "the encoder" : checkpoint->arch,
               FLAGS_to == "torchvision" ? ", all but fc: load_state_dict(..., strict=False)" : "");
  if (!FLAGS_verify) return absl::OkStatus();
  const auto read = moco::ReadCheckpoint(out);
  if (!read.ok()) return read.status();
  if (absl::Status s = CheckSameBits(state, read->state); !s.ok()) {
    return absl::DataLossError(
        absl::StrCat("'", out, "' ", s.message(), "; is the disk sound? write it again"));
  }
  absl::PrintF("verified: read again, every tensor is bit-equal to the checkpoint's\n");
  return absl::OkStatus();
}

absl::Status Run(int argc, char** argv) {
  const auto line = base::ParseCommandLine(argc, argv, /*aliases=*/{});
  if (!line.ok()) return line.status();
  if (line->help) {
    std::fputs((kUsage + base::FlagHelp("tools/export.cc")).c_str(), stdout);
    return absl::OkStatus();
  }
  if (line->positional.size() != 1 || FLAGS_out.empty()) {
    return absl::InvalidArgumentError(
        "give one checkpoint, and --out; usage: bazel run //tools:export -- CHECKPOINT "
        "--to=torchvision --out=FILE");
  }
  if (FLAGS_to != "torchvision" && FLAGS_to != "safetensors" && FLAGS_to != "detectron2") {
    return absl::InvalidArgumentError(absl::StrCat(
        "--to='", FLAGS_to, "' is no format; give torchvision, safetensors or detectron2"));
  }
  return Export(base::UserPath(line->positional[0]), base::UserPath(FLAGS_out));
}

}  // namespace

int main(int argc, char** argv) { return base::RunMain(Run, argc, argv); }
