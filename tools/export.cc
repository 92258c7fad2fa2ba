// Writes the network of a checkpoint or run in the format of another program.
//
//   bazel run //tools:export -- CHECKPOINT --to=FORMAT --out=FILE
#include <ATen/TensorOperators.h>
#include <ATen/ops/rand.h>
#include <gflags/gflags.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/files.h"
#include "base/program.h"
#include "base/progress.h"
#include "base/shared_flags.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/checkpoints/state_dict.h"
#include "registry/spec.h"
#include "tools/export_formats.h"
#include "tools/exported.h"
#include "tools/onnx_file.h"
#include "tools/onnx_resnet.h"
#include "tools/timm_folder.h"
#include "tools/verifier.h"

DEFINE_string(to, "",
              "[output: torchvision | safetensors | timm | onnx | detectron2] format to write");
DEFINE_string(out, "",
              "[output] file to write, an existing one is replaced; for timm a folder, which must "
              "be new");
DEFINE_string(opset, "13", "[output: 13 | 17] version of the operators in an ONNX file");
DEFINE_bool(with_preprocessing, false,
            "[output] let an ONNX file take images of bytes (uint8, N x height x width x channels) "
            "and normalise them itself; resizing and cropping stay outside");
DEFINE_bool(verify, false, "[output] read the file back and compare the output for images");
DEFINE_string(images, "", "[data] folder or tar archive of images for --verify; empty: the demo's");
DEFINE_string(eval_views, "",
              "[views] pipeline that images pass through, for timm, --with-preprocessing and "
              "--verify; empty: the checkpoint's, else the reference's for 224 pixels");
MOCOPP_ARCH_FLAG;
MOCOPP_FOUND_FLAGS;

namespace {

constexpr char kUsage[] =
    "Writes the pretrained query encoder of a checkpoint, without its head, or a linear classifier "
    "with its encoder, in the format of another program. CHECKPOINT is a file, or the run folder "
    "of pretrain or lincls.\n\n"
    "  bazel run //tools:export -- CHECKPOINT --to=torchvision --out=FILE.pth\n"
    "      a state dict for torchvision's models: all but fc, so load it with strict=False; of a "
    "classifier with fc, and the names of its classes in FILE.pth.classes.txt\n"
    "  bazel run //tools:export -- CHECKPOINT --to=safetensors --out=FILE.safetensors\n"
    "      the same tensors under the same names\n"
    "  bazel run //tools:export -- CHECKPOINT --to=timm --out=FOLDER\n"
    "      a folder for timm (local-dir:FOLDER), transformers and the Hugging Face hub, with the "
    "preprocessing and a model card\n"
    "  bazel run //tools:export -- CHECKPOINT --to=onnx --out=FILE.onnx\n"
    "      a ResNet in evaluation mode: maps images (N x channels x H x W, any N, H, W) to "
    "features, "
    "or to a classifier's logits\n"
    "  bazel run //tools:export -- CHECKPOINT --to=detectron2 --out=FILE.pkl\n"
    "      NumPy arrays with detectron2's names for a ResNet, without fc\n";

// InvalidArgument is about the checkpoint, and is read after its name; other errors name their
// file.
absl::Status OfCheckpoint(const absl::Status& status, const std::string& path) {
  return absl::IsInvalidArgument(status) ? base::InFile(status, path) : status;
}

// What was written, for the line that says so.
struct Written {
  size_t tensors = 0;
  std::string note;
};

absl::StatusOr<Written> AsTorchvision(const tools::Exported& exported, const std::string& out) {
  const moco::StateDict state = exported.State();
  if (absl::Status s = moco::WriteStateDict(out, state); !s.ok()) return s;
  if (!exported.is_classifier()) {
    return Written{state.size(), ", all but fc: load_state_dict(..., strict=False)"};
  }
  std::string note = absl::StrCat(", with fc for ", exported.num_classes(), " classes");
  if (!exported.classes.empty()) {
    const std::string names = absl::StrCat(out, ".classes.txt");
    absl::StrAppend(&note, ", whose names are in ", names);
    const absl::Status s =
        base::WriteFileAtomically(names, absl::StrJoin(exported.classes, "\n") + "\n");
    if (!s.ok()) return s;
  }
  return Written{state.size(), note};
}

absl::StatusOr<Written> AsSafetensors(const tools::Exported& exported, const std::string& out) {
  const moco::StateDict state = exported.State();
  if (absl::Status s = tools::WriteSafetensors(out, state, exported.classes); !s.ok()) return s;
  return Written{state.size(), ""};
}

absl::StatusOr<Written> AsDetectron2(const tools::Exported& exported, const std::string& out) {
  const auto renamed = tools::Detectron2Names(exported.backbone->State());
  if (!renamed.ok()) return renamed.status();
  if (absl::Status s = tools::WriteDetectron2(out, *renamed); !s.ok()) return s;
  return Written{renamed->size(), exported.is_classifier() ? ", without fc" : ""};
}

absl::StatusOr<Written> AsTimm(const tools::Exported& exported, const std::string& out) {
  if (absl::Status s = tools::WriteTimmFolder(out, exported); !s.ok()) return s;
  return Written{exported.State().size(),
                 absl::StrCat(": timm.create_model('local-dir:", out, "', pretrained=True)")};
}

// Images of an odd size, so that other strides or paddings give other features.
absl::Status CheckGraph(const tools::Exported& exported, const tools::OnnxModel& graph) {
  const at::Tensor images =
      at::rand({1, exported.channels, 65, 47}).contiguous(at::MemoryFormat::ChannelsLast);
  const auto output = tools::Evaluate(graph, images);
  if (!output.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot be written for ONNX, because its graph ", output.status().message()));
  }
  const at::Tensor expected = exported.Output((*exported.backbone)(images));
  constexpr double kRounding = 1e-4;
  if (output->sizes() == expected.sizes() &&
      !((*output - expected).norm().item<double>() > kRounding * expected.norm().item<double>())) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "holds a backbone '", exported.backbone->spec(),
      "', which the ONNX export does not support: the graph of a ResNet with these tensors gives "
      "other features; use --to=safetensors"));
}

absl::StatusOr<Written> AsOnnx(const tools::Exported& exported, const std::string& out) {
  tools::OnnxOptions options;
  options.opset = FLAGS_opset == "13" ? tools::kOnnxOpset : tools::kNewestOnnxOpset;
  if (const auto spec = registry::ParseSpec(exported.backbone->spec()); spec.ok()) {
    for (const auto& [key, value] : spec->options) {
      if (key == "stem") options.stem = value;
    }
  }
  const auto plain = tools::ResNetGraph(exported.State(), options);
  if (!plain.ok()) return plain.status();
  if (absl::Status s = CheckGraph(exported, *plain); !s.ok()) return s;
  if (FLAGS_with_preprocessing) {
    const std::string range = exported.checkpoint.facts.Setting(moco::kRangeSetting);
    if (!range.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("was trained on images of more than 8 bits (--range=", range,
                       "), which are no bytes; leave out --with-preprocessing"));
    }
    auto preprocessing = tools::PreprocessingOf(exported);
    if (!preprocessing.ok()) return preprocessing.status();
    options.mean = std::move(preprocessing->mean);
    options.std = std::move(preprocessing->std);
  }
  auto graph = tools::ResNetGraph(exported.State(), options);
  if (!graph.ok()) return graph.status();
  if (!exported.classes.empty()) graph->metadata["classes"] = tools::JsonList(exported.classes);
  if (absl::Status s = tools::WriteOnnx(out, *graph); !s.ok()) return s;
  return Written{
      graph->weights.size(),
      absl::StrCat(": ", graph->input.name, " ", absl::StrJoin(graph->input.shape, " x "), " to ",
                   graph->output.name, " ", absl::StrJoin(graph->output.shape, " x "))};
}

absl::StatusOr<Written> Write(const tools::Exported& exported, const std::string& out) {
  if (FLAGS_to == "torchvision") return AsTorchvision(exported, out);
  if (FLAGS_to == "safetensors") return AsSafetensors(exported, out);
  if (FLAGS_to == "detectron2") return AsDetectron2(exported, out);
  if (FLAGS_to == "timm") return AsTimm(exported, out);
  return AsOnnx(exported, out);
}

absl::Status Export(const std::string& path, const std::string& out) {
  const auto exported =
      tools::FindExported(path, MOCOPP_ENCODER_CHOICE(FLAGS_arch), FLAGS_eval_views);
  if (!exported.ok()) return exported.status();
  std::error_code error;
  if (std::filesystem::equivalent(exported->path, out, error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--out='", out, "' is the checkpoint itself; give another file"));
  }
  // Errors in the images are reported before the file is written.
  std::unique_ptr<tools::Verifier> verifier;
  if (FLAGS_verify) {
    auto made =
        tools::Verifier::Create(*exported, base::UserPath(FLAGS_images), FLAGS_with_preprocessing);
    if (!made.ok()) return OfCheckpoint(made.status(), exported->path);
    verifier = *std::move(made);
  }
  base::Progress progress;
  const auto written = Write(*exported, out);
  if (!written.ok()) return OfCheckpoint(written.status(), exported->path);
  absl::PrintF("%s: %d tensors of %s%s\n", out, written->tensors, exported->backbone->spec(),
               written->note);
  if (const std::string& note = exported->backbone->note(); !note.empty()) {
    absl::PrintF("note: %s\n", note);
  }
  if (!FLAGS_verify) return absl::OkStatus();
  const auto difference = verifier->Difference(out, FLAGS_to, progress);
  if (!difference.ok()) return difference.status();
  absl::PrintF("verified: read again; the %s of %d images differ by %.1e of their norm\n",
               exported->is_classifier() && FLAGS_to != "detectron2" ? "logits" : "features",
               verifier->images(), *difference);
  return absl::OkStatus();
}

absl::Status Run(const base::Arguments& arguments) {
  if (FLAGS_to.empty() || FLAGS_out.empty()) {
    return absl::InvalidArgumentError(
        "--to and --out are required, such as --to=torchvision --out=FILE.pth; --help lists the "
        "formats");
  }
  if (FLAGS_to != "onnx" && (FLAGS_with_preprocessing || FLAGS_opset != "13")) {
    return absl::InvalidArgumentError(
        "--with-preprocessing and --opset are for ONNX files; leave them out, or give --to=onnx");
  }
  return Export(base::UserPath(arguments[0]), base::UserPath(FLAGS_out));
}

}  // namespace

int main(int argc, char** argv) {
  return base::Main(argc, argv, {.usage = kUsage, .arguments = "CHECKPOINT"}, Run);
}
