#include "tools/timm_folder.h"

#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "lincls/encoders/pretrained.h"
#include "moco/backbones/backbone.h"
#include "moco/checkpoints/checkpoint.h"
#include "tools/export_formats.h"

namespace tools {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// timm has these under the same names, with the same names of tensors.
constexpr const char* kArchitectures[] = {"resnet18",         "resnet34",         "resnet50",
                                          "resnet101",        "resnet152",        "resnext50_32x4d",
                                          "resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2",
                                          "wide_resnet101_2"};

// The architecture's name; empty if timm has none.
std::string Architecture(const Exported& exported) {
  const std::string& spec = exported.backbone->spec();
  for (const char* name : kArchitectures) {
    // No option but the channels may differ from the default.
    const auto usual =
        moco::Backbones().Canonical(absl::StrCat(name, ":channels=", exported.channels));
    if (usual.ok() && *usual == spec) return name;
  }
  return "";
}

// timm resizes the shorter side to floor(size / crop_pct).
double CropPercentage(int64_t resize, int64_t crop) {
  double percentage = static_cast<double>(crop) / static_cast<double>(resize);
  while (std::floor(static_cast<double>(crop) / percentage) < static_cast<double>(resize)) {
    percentage = std::nextafter(percentage, 0);
  }
  return percentage;
}

Json Config(const Exported& exported, const Preprocessing& preprocessing) {
  const int64_t classes = exported.num_classes();
  Json config = {{"architecture", Architecture(exported)},
                 {"num_classes", classes},
                 {"num_features", exported.backbone->feature_dim()},
                 {"global_pool", "avg"}};
  if (!exported.classes.empty()) config["label_names"] = exported.classes;
  if (exported.channels != 3) config["model_args"] = {{"in_chans", exported.channels}};
  Json& cfg = config["pretrained_cfg"] = Json::object();
  cfg["custom_load"] = false;
  cfg["input_size"] = {exported.channels, preprocessing.crop, preprocessing.crop};
  cfg["fixed_input_size"] = false;
  cfg["interpolation"] = "bilinear";
  cfg["crop_pct"] = CropPercentage(preprocessing.resize, preprocessing.crop);
  cfg["crop_mode"] = "center";
  cfg["mean"] = preprocessing.mean;
  cfg["std"] = preprocessing.std;
  cfg["num_classes"] = classes;
  // timm before 1.0.31 converts the weights of a first convolution that is named here from 3
  // channels to the model's, and draws new ones where it cannot. These have their channels already.
  const bool converted = exported.channels != 1 && exported.channels != 3;
  cfg["first_conv"] = converted ? Json() : Json("conv1");
  cfg["classifier"] = "fc";
  return config;
}

std::string Percent(double value) { return absl::StrFormat("%.1f %%", value); }

// The last kNN and probe that the run had measured when it wrote the checkpoint.
std::string Measured(const Exported& exported) {
  std::string text;
  const auto& numbers = exported.checkpoint.numbers;
  if (const auto best = numbers.find("best_acc1"); best != numbers.end()) {
    absl::StrAppend(&text,
                    "- linear classifier, Acc@1 of the validation images: ", Percent(best->second),
                    "\n");
  }
  const auto lines =
      base::ReadFile(absl::StrCat(lincls::RunFolderOf(exported.path), "/metrics.jsonl"));
  if (!lines.ok()) return text;
  double knn = -1, probe = -1;
  for (const absl::string_view line : absl::StrSplit(*lines, '\n', absl::SkipEmpty())) {
    const Json entry = Json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
    const auto number = [&](const char* name, double otherwise) {
      const bool has = entry.is_object() && entry.contains(name) && entry[name].is_number();
      return has ? entry[name].get<double>() : otherwise;
    };
    const auto step = exported.checkpoint.facts.step;
    if (step && number("step", 0) > static_cast<double>(*step)) break;
    knn = number("knn", knn);
    probe = number("probe", probe);
  }
  if (knn >= 0) absl::StrAppend(&text, "- kNN during pretraining: ", Percent(100 * knn), "\n");
  if (probe >= 0) {
    absl::StrAppend(&text, "- linear probe during pretraining: ", Percent(100 * probe), "\n");
  }
  return text;
}

// The settings of the run that a reader needs, in this order.
constexpr std::pair<const char*, const char*> kSettings[] = {
    {"data", "data"},
    {moco::kArchSetting, "backbone"},
    {moco::kHeadSetting, "head"},
    {moco::kLossSetting, "loss"},
    {"symmetric", "symmetric loss"},
    {"moco-k", "queue (K)"},
    {"moco-m", "momentum of the key encoder (m)"},
    {"optimizer", "optimizer"},
    {"lr", "learning rate"},
    {"schedule", "schedule"},
    {"epochs", "epochs"},
    {"batch-size", "batch size"},
    {"accumulate", "micro-batches of a batch"},
    {"bn-splits", "parts of a batch with statistics of their own"},
    {"ranks", "processes"},
    {"precision", "precision"},
    {"seed", "seed"},
    {moco::kViewsSetting, "views"},
    {moco::kExifSetting, "Exif orientation"},
    {moco::kRangeSetting, "range of values"}};

std::string Recipe(const Exported& exported) {
  std::string text;
  for (const auto& [setting, title] : kSettings) {
    const std::string value = exported.checkpoint.facts.Setting(setting);
    if (!value.empty()) absl::StrAppend(&text, "- ", title, ": `", value, "`\n");
  }
  const auto& facts = exported.checkpoint.facts;
  if (facts.step) absl::StrAppend(&text, "- steps done: ", *facts.step, "\n");
  return text.empty() ? "The checkpoint does not state its recipe.\n" : text;
}

constexpr char kCard[] = R"(---
library_name: timm
pipeline_tag: image-%s
tags:
- timm
- transformers
- image-%s
- moco
# Fill in the licence of these weights, such as: license: apache-2.0
license: other
---

# %s

%s of %s, exported by MoCo++.

- architecture: timm's `%s`, %d channels of the image, %d features
- preprocessing: shorter side to %d pixels, the middle %d x %d, mean %s, standard deviation %s%s
%s
## Data

Fill in: which images, from where, and under which licence.

## Training

%s
## Results

%s
## How to load it

```python
import timm, torch
from PIL import Image

model = timm.create_model("local-dir:FOLDER", pretrained=True).eval()   # or "hf-hub:NAME/REPOSITORY"
transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
with torch.no_grad():
    output = model(transform(Image.open("image.jpg")%s)[None])   # 1 x %d, %s
```

```python
from transformers import %s, AutoImageProcessor

model = %s.from_pretrained("FOLDER")
processor = AutoImageProcessor.from_pretrained("FOLDER")
```

## Licence

Fill in.
)";

std::string Card(const Exported& exported, const Preprocessing& preprocessing) {
  const bool classifies = exported.is_classifier();
  const std::string architecture = Architecture(exported);
  const char* task = classifies ? "classification" : "feature-extraction";
  const char* auto_model = classifies ? "AutoModelForImageClassification" : "AutoModel";
  std::string results = Measured(exported);
  if (results.empty()) results = "Fill in.\n";
  std::string classes;
  if (classifies) {
    classes = absl::StrCat("- classes: ", exported.num_classes(),
                           exported.classes.empty() ? "" : ", named in config.json", "\n");
  }
  const char* convert = exported.channels == 3   ? ".convert(\"RGB\")"
                        : exported.channels == 1 ? ".convert(\"L\")"
                                                 : "";
  return absl::StrFormat(
      kCard, task, task,
      classifies ? absl::StrCat(architecture, ", a classifier")
                 : absl::StrCat(architecture, ", pretrained without labels"),
      classifies ? "A linear classifier on the encoder" : "The encoder",
      exported.checkpoint.facts.settings.empty() ? "another program's checkpoint" : "a run of MoCo",
      architecture, exported.channels, exported.backbone->feature_dim(), preprocessing.resize,
      preprocessing.crop, preprocessing.crop, absl::StrJoin(preprocessing.mean, ", "),
      absl::StrJoin(preprocessing.std, ", "),
      exported.views_stated ? "" : " (assumed: the checkpoint does not state it)", classes,
      Recipe(exported), results, convert,
      classifies ? exported.num_classes() : exported.backbone->feature_dim(),
      classifies ? "logits" : "features", auto_model, auto_model);
}

absl::Status CheckNewFolder(const std::string& folder) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(folder, error);
  if (!fs::exists(status)) return absl::OkStatus();
  if (fs::is_directory(status) && fs::is_empty(folder, error) && !error) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat(
      "--out='", folder, "' exists already; give the name of a new folder, or remove this one"));
}

absl::Status WriteFiles(const std::string& folder, const Exported& exported,
                        const Preprocessing& preprocessing) {
  absl::Status s = WriteSafetensors(absl::StrCat(folder, "/", kTimmWeights), exported.State());
  if (!s.ok()) return s;
  s = base::WriteFileAtomically(
      absl::StrCat(folder, "/", kTimmConfig),
      Config(exported, preprocessing).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  if (!s.ok()) return s;
  return base::WriteFileAtomically(absl::StrCat(folder, "/", kTimmCard),
                                   Card(exported, preprocessing));
}

}  // namespace

absl::Status CheckTimm(const Exported& exported) {
  if (Architecture(exported).empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("holds a backbone '", exported.backbone->spec(),
                     "', for which timm has no architecture; use --to=torchvision, "
                     "--to=safetensors or --to=onnx"));
  }
  const auto preprocessing = PreprocessingOf(exported);
  if (!preprocessing.ok()) return preprocessing.status();
  if (preprocessing->resize > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "has the evaluation views '", exported.views,
      "', and timm states only resize|center_crop|to_tensor|normalize; give --eval-views"));
}

absl::Status WriteTimmFolder(const std::string& path, const Exported& exported) {
  if (absl::Status s = CheckTimm(exported); !s.ok()) return s;
  std::string folder = path;
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  if (absl::Status s = CheckNewFolder(folder); !s.ok()) return s;
  const auto preprocessing = PreprocessingOf(exported);
  if (!preprocessing.ok()) return preprocessing.status();
  const std::string temporary = absl::StrCat(folder, ".part-", getpid());
  std::error_code error;
  fs::create_directory(temporary, error);
  if (error) {
    errno = error.value();
    return base::ErrnoStatus("cannot create", temporary);
  }
  absl::Status status = WriteFiles(temporary, exported, *preprocessing);
  if (status.ok() && rename(temporary.c_str(), folder.c_str()) != 0) {
    status = base::ErrnoStatus("cannot rename to", folder);
  }
  if (!status.ok()) fs::remove_all(temporary, error);
  return status;
}

}  // namespace tools
