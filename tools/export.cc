// Writes the pretrained encoder of a checkpoint in the format of another program.
//
//   bazel run //tools:export -- CHECKPOINT --to=FORMAT --out=FILE
#include <gflags/gflags.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/files.h"
#include "base/program.h"
#include "base/shared_flags.h"
#include "moco/backbones/backbone.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/checkpoints/find_encoder.h"
#include "moco/checkpoints/state_dict.h"
#include "tools/export_formats.h"
#include "tools/onnx_file.h"
#include "tools/onnx_resnet.h"
#include "tools/verifier.h"

DEFINE_string(to, "", "[output: torchvision | safetensors | detectron2 | onnx] format to write");
DEFINE_string(out, "", "[output] file to write; an existing one is replaced");
DEFINE_bool(verify, false, "[output] read the file back and compare the features of images");
DEFINE_string(images, "", "[data] folder or tar archive of images for --verify; empty: the demo's");
MOCOPP_ARCH_FLAG;
MOCOPP_FOUND_FLAGS;

namespace {

constexpr char kUsage[] =
    "Writes the pretrained query encoder of a checkpoint, without its head, in the format of "
    "another program.\n\n"
    "  bazel run //tools:export -- CHECKPOINT --to=torchvision --out=FILE.pth\n"
    "      a state dict for torchvision's models: all but fc, so load it with strict=False\n"
    "  bazel run //tools:export -- CHECKPOINT --to=safetensors --out=FILE.safetensors\n"
    "      the same tensors under the same names\n"
    "  bazel run //tools:export -- CHECKPOINT --to=detectron2 --out=FILE.pkl\n"
    "      NumPy arrays with detectron2's names for a ResNet\n"
    "  bazel run //tools:export -- CHECKPOINT --to=onnx --out=FILE.onnx\n"
    "      a ResNet in evaluation mode, opset 13: maps images (N x 3 x H x W, any N, H, W) "
    "to features\n";

// InvalidArgument is about the checkpoint, and is read after its name; other errors name their
// file.
absl::Status OfCheckpoint(const absl::Status& status, const std::string& path) {
  return absl::IsInvalidArgument(status) ? base::InFile(status, path) : status;
}

// Writes the file and returns the number of tensors in it.
absl::StatusOr<size_t> Write(const std::string& out, const moco::StateDict& encoder) {
  size_t tensors = encoder.size();
  absl::Status written;
  if (FLAGS_to == "torchvision") {
    written = moco::WriteStateDict(out, encoder);
  } else if (FLAGS_to == "safetensors") {
    written = tools::WriteSafetensors(out, encoder);
  } else if (FLAGS_to == "detectron2") {
    const auto renamed = tools::Detectron2Names(encoder);
    written = renamed.ok() ? tools::WriteDetectron2(out, *renamed) : renamed.status();
  } else {
    const auto graph = tools::ResNetGraph(encoder);
    if (!graph.ok()) return graph.status();
    written = tools::WriteOnnx(out, *graph);
    tensors = graph->weights.size();
  }
  if (!written.ok()) return written;
  return tensors;
}

absl::Status Export(const std::string& path, const std::string& out) {
  std::error_code error;
  if (std::filesystem::equivalent(path, out, error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--out='", out, "' is the checkpoint itself; give another file"));
  }
  const auto checkpoint = moco::ReadCheckpoint(path);
  if (!checkpoint.ok()) return checkpoint.status();
  const auto found = moco::FindEncoder(*checkpoint, MOCOPP_ENCODER_CHOICE(FLAGS_arch));
  if (!found.ok()) return OfCheckpoint(found.status(), path);
  const moco::StateDict encoder = moco::GetState(*found->backbone);
  // Errors in the images are reported before the file is written.
  std::unique_ptr<tools::Verifier> verifier;
  if (FLAGS_verify) {
    auto made = tools::Verifier::Create(*checkpoint, MOCOPP_ENCODER_CHOICE(FLAGS_arch),
                                        base::UserPath(FLAGS_images));
    if (!made.ok()) return OfCheckpoint(made.status(), path);
    verifier = *std::move(made);
  }
  const auto tensors = Write(out, encoder);
  if (!tensors.ok()) return OfCheckpoint(tensors.status(), path);
  absl::PrintF("%s: %d tensors of %s%s\n", out, *tensors, found->spec,
               FLAGS_to == "torchvision" ? ", all but fc: load_state_dict(..., strict=False)" : "");
  if (!FLAGS_verify) return absl::OkStatus();
  const auto difference = verifier->Difference(out, FLAGS_to);
  if (!difference.ok()) return difference.status();
  absl::PrintF("verified: read again; the features of %d images differ by %.1e of their norm\n",
               verifier->images(), *difference);
  return absl::OkStatus();
}

absl::Status Run(const base::Arguments& arguments) {
  if (FLAGS_to.empty() || FLAGS_out.empty()) {
    return absl::InvalidArgumentError(
        "--to and --out are required, such as --to=torchvision --out=FILE.pth; --help lists the "
        "formats");
  }
  return Export(base::UserPath(arguments[0]), base::UserPath(FLAGS_out));
}

}  // namespace

int main(int argc, char** argv) {
  return base::Main(argc, argv, {.usage = kUsage, .arguments = "CHECKPOINT"}, Run);
}
