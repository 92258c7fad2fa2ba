#include "tools/export_formats.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "base/files.h"
#include "moco/checkpoints/checkpoint.h"
#include "tensors/dtype.h"
#include "tensors/pickle.h"

namespace tools {

namespace {

// Parts of names: torchvision's and detectron2's.
constexpr std::array<std::pair<absl::string_view, absl::string_view>, 9> kDetectron2 = {
    {{"layer1.", "res2."},
     {"layer2.", "res3."},
     {"layer3.", "res4."},
     {"layer4.", "res5."},
     {"bn1.", "conv1.norm."},
     {"bn2.", "conv2.norm."},
     {"bn3.", "conv3.norm."},
     {"downsample.0.", "shortcut."},
     {"downsample.1.", "shortcut.norm."}}};

}  // namespace

absl::StatusOr<moco::StateDict> Detectron2Names(const moco::StateDict& state) {
  moco::StateDict renamed;
  for (const auto& [name, tensor] : state) {
    const bool in_stage = absl::StartsWith(name, "layer");
    if (!in_stage && !absl::StartsWith(name, "conv1.") && !absl::StartsWith(name, "bn1.")) {
      return absl::InvalidArgumentError(absl::StrCat(
          "holds '", name,
          "', for which detectron2's ResNet has no name; use one of torchvision's ResNets"));
    }
    const std::string theirs = absl::StrReplaceAll(name, kDetectron2);
    renamed.emplace_back(in_stage ? theirs : absl::StrCat("stem.", theirs), tensor);
  }
  return renamed;
}

moco::StateDict TorchvisionNames(const moco::StateDict& state) {
  std::vector<std::pair<absl::string_view, absl::string_view>> back = {{"stem.", ""}};
  for (const auto& [ours, theirs] : kDetectron2) back.emplace_back(theirs, ours);
  moco::StateDict renamed;
  for (const auto& [name, tensor] : state) {
    renamed.emplace_back(absl::StrReplaceAll(name, back), tensor);
  }
  return renamed;
}

std::string JsonList(const std::vector<std::string>& names) {
  return nlohmann::json(names).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

absl::Status WriteSafetensors(const std::string& path, const moco::StateDict& state,
                              const std::vector<std::string>& classes) {
  moco::StateDict sorted = state;
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second.element_size() > b.second.element_size();
  });
  nlohmann::ordered_json header;
  header["__metadata__"] = {{"format", "pt"}};
  if (!classes.empty()) header["__metadata__"]["classes"] = JsonList(classes);
  size_t at = 0;
  for (const auto& [name, tensor] : sorted) {
    const tensors::DType* dtype = moco::DTypeOf(tensor.scalar_type());
    if (dtype == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("holds '", name, "' of a dtype that safetensors does not support"));
    }
    header[name] = {{"dtype", dtype->safetensors},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {at, at + tensor.nbytes()}}};
    at += tensor.nbytes();
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t size = text.size();
  return base::WriteFileAtomically(path, [&](const base::Sink& sink) -> absl::Status {
    if (absl::Status s = sink(&size, sizeof(size)); !s.ok()) return s;
    if (absl::Status s = sink(text.data(), text.size()); !s.ok()) return s;
    for (const auto& [name, tensor] : sorted) {
      const at::Tensor bytes = tensor.detach().cpu().contiguous();
      if (absl::Status s = sink(bytes.const_data_ptr(), bytes.nbytes()); !s.ok()) return s;
    }
    return absl::OkStatus();
  });
}

absl::Status WriteDetectron2(const std::string& path, const moco::StateDict& state) {
  for (const auto& [name, tensor] : state) {
    const tensors::DType* dtype = moco::DTypeOf(tensor.scalar_type());
    if (dtype == nullptr || *dtype->numpy == '\0' || tensor.nbytes() > UINT32_MAX) {
      return absl::InvalidArgumentError(
          absl::StrCat("holds '", name, "', of a dtype or size that a NumPy pickle cannot hold"));
    }
  }
  return base::WriteFileAtomically(path, [&](const base::Sink& sink) -> absl::Status {
    tensors::pickle::Writer out(/*protocol=*/3);
    out.BeginDict();
    out.Text("model");
    out.BeginDict();
    for (const auto& [name, tensor] : state) {
      const at::Tensor bytes = tensor.detach().cpu().contiguous();
      out.Text(name);
      out.BeginArray(*moco::DTypeOf(bytes.scalar_type()), bytes.sizes().vec(),
                     static_cast<uint32_t>(bytes.nbytes()));
      const std::string before = out.Flush();
      if (absl::Status s = sink(before.data(), before.size()); !s.ok()) return s;
      if (absl::Status s = sink(bytes.const_data_ptr(), bytes.nbytes()); !s.ok()) return s;
      out.EndArray();
    }
    out.EndDict();
    out.Text("__author__");
    out.Text("MOCO");
    out.Text("matching_heuristics");  // with this, detectron2 matches prefixes itself
    out.Bool(true);
    out.EndDict();
    const std::string rest = out.Finish();
    return sink(rest.data(), rest.size());
  });
}

}  // namespace tools
