#include "moco/checkpoints/checkpoint.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <caffe2/serialize/inline_container.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "moco/checkpoints/named_network.h"
#include "tensors/dtype.h"
#include "tensors/pickle.h"
#include "tensors/tensor_file.h"

namespace moco {
namespace {

namespace pickle = tensors::pickle;
using tensors::DType;
using tensors::kDTypes;
using tensors::TensorFile;

// The types of kDTypes, in its order.
constexpr at::ScalarType kScalarTypes[] = {at::kFloat, at::kDouble, at::kHalf,  at::kBFloat16,
                                           at::kLong,  at::kInt,    at::kShort, at::kChar,
                                           at::kByte,  at::kBool};
static_assert(std::size(kScalarTypes) == std::size(kDTypes));

// --- Writing ---

// The pickle, and the tensors whose bytes follow it.
class Pickler {
 public:
  void Tensor(const at::Tensor& tensor) {
    pickle::TensorInfo info;
    const DType* dtype = DTypeOf(tensor.scalar_type());
    TORCH_CHECK(dtype != nullptr, "no storage type for ", tensor.scalar_type());
    info.key = absl::StrCat(tensors.size());
    info.sizes = tensor.sizes().vec();
    info.SetContiguous(*dtype, tensor.nbytes());
    out.Tensor(info);
    tensors.push_back(tensor);
  }

  void State(const StateDict& state) {
    out.BeginDict();
    for (const auto& [name, tensor] : state) {
      out.Text(name);
      Tensor(tensor);
    }
    out.EndDict();
  }

  void Optimizer(const Checkpoint::OptimizerState& optimizer) {
    out.BeginDict();
    out.Text("state");
    out.BeginDict();
    const size_t held = optimizer.slots.empty() ? 0 : optimizer.slots[0].second.size();
    for (size_t i = 0; i < held; ++i) {
      out.Int(i);
      out.BeginDict();
      for (const auto& [name, tensors] : optimizer.slots) {
        out.Text(name);
        Tensor(tensors[i]);
      }
      out.EndDict();
    }
    out.EndDict();
    out.Text("param_groups");
    out.BeginList();
    out.BeginDict();
    out.Text("lr");
    out.Float(optimizer.lr);
    for (const auto& [name, values] : optimizer.constants) {
      out.Text(name);
      if (values.size() > 1) out.BeginList();
      for (const double value : values) out.Float(value);
      if (values.size() > 1) out.EndList();
    }
    for (const char* name : {"nesterov", "maximize", "differentiable"}) {
      out.Text(name);
      out.Bool(false);
    }
    for (const char* name : {"foreach", "fused"}) {
      out.Text(name);
      out.None();
    }
    out.Text("params");
    out.BeginList();
    for (int64_t i = 0; i < optimizer.parameters; ++i) out.Int(i);
    out.EndList();
    out.EndDict();
    out.EndList();
    out.EndDict();
  }

  pickle::Writer out;
  std::vector<at::Tensor> tensors;
};

// Writes the pickle and the bytes of its tensors, as torch.save does.
absl::Status WriteArchive(const std::string& path, Pickler& pickler) {
  const std::string pickled = pickler.out.Finish();

  return base::WriteFileAtomically(path, [&](const base::Sink& sink) -> absl::Status {
    // LibTorch's writer throws if a write fails, even in its destructor. It is therefore told that
    // every write succeeded, and the error is returned at the end.
    absl::Status status;
    caffe2::serialize::PyTorchStreamWriter archive([&](const void* bytes, size_t size) {
      if (status.ok()) status = sink(bytes, size);
      return size;
    });
    archive.writeRecord("data.pkl", pickled.data(), pickled.size());
    archive.writeRecord("byteorder", "little", 6);
    for (size_t i = 0; i < pickler.tensors.size() && status.ok(); ++i) {
      const at::Tensor bytes = pickler.tensors[i].detach().cpu().contiguous();
      archive.writeRecord(absl::StrCat("data/", i), bytes.const_data_ptr(), bytes.nbytes());
    }
    archive.writeEndOfFile();
    return status;
  });
}

// --- Reading ---

// Reads the tensors of a file on demand; tensors that share a storage in the file share one in
// memory.
class TensorReader {
 public:
  explicit TensorReader(TensorFile& file) : file_(file) {}

  absl::StatusOr<at::Tensor> Read(const pickle::TensorInfo& info) {
    const auto found = file_.Read(info);
    if (!found.ok()) return found.status();
    at::Tensor& storage = storages_[info.key];
    if (!storage.defined()) {
      storage = at::empty({info.storage_size}, kScalarTypes[found->dtype - kDTypes]);
      if (!found->bytes.empty()) {
        std::memcpy(storage.data_ptr(), found->bytes.data(), found->bytes.size());
      }
    }
    if (std::find(info.sizes.begin(), info.sizes.end(), 0) != info.sizes.end()) {
      return at::empty(info.sizes, storage.options());
    }
    return storage.as_strided(info.sizes, info.strides, info.offset);
  }

  TensorFile& file() { return file_; }

 private:
  TensorFile& file_;
  std::map<std::string, at::Tensor> storages_;
};

// Whether a dict or list of this name has an optimizer's tensors, which are large and no network's.
bool IsOptimizers(absl::string_view name) {
  return name == "optim" || absl::EndsWith(name, "_optim") || absl::StrContains(name, "optimizer");
}

bool IsContainer(const pickle::Value& value) {
  return value.kind == pickle::Value::kDict || value.kind == pickle::Value::kList ||
         value.kind == pickle::Value::kTuple;
}

// Reads the tensors in `container`, a dict or list, and in those in it. `path` stands before their
// names. Numbers and similar values are skipped; `unread` gets the names of what may be a tensor of
// an unsupported kind.
absl::Status ReadTensors(const pickle::Value& container, const std::string& path,
                         TensorReader& tensors, StateDict& state,
                         std::map<std::string, std::string>& unread) {
  using pickle::Value;
  const bool is_dict = container.kind == Value::kDict;
  for (size_t i = is_dict; i < container.items.size(); i += is_dict ? 2 : 1) {
    const Value& value = *container.items[i];
    const bool is_opaque = value.kind == Value::kOpaque || value.kind == Value::kStorage;
    if (!is_opaque && !IsContainer(value) && value.kind != Value::kTensor) continue;
    const std::string key = is_dict ? std::string(container.items[i - 1]->text) : absl::StrCat(i);
    const std::string name = path + key;
    if (is_opaque) {
      unread[name] = std::string(value.text);
    } else if (IsContainer(value)) {
      if (IsOptimizers(key)) continue;
      absl::Status s = ReadTensors(value, absl::StrCat(name, "."), tensors, state, unread);
      if (!s.ok()) return s;
    } else {
      auto tensor = tensors.Read(*value.tensor);
      if (absl::IsInvalidArgument(tensor.status())) {
        unread[name] = value.tensor->storage_type;
      } else if (!tensor.ok()) {
        return tensor.status();
      } else {
        state.emplace_back(name, *std::move(tensor));
      }
    }
  }
  return absl::OkStatus();
}

// Reads checkpoint.state and checkpoint.elsewhere.
absl::Status ReadNetworks(const pickle::Value& root, TensorReader& tensors,
                          Checkpoint& checkpoint) {
  if (!IsContainer(root)) {
    return tensors.file().Unsuitable("holds no dict of tensors; give a checkpoint");
  }
  if (root.kind != pickle::Value::kDict) {
    absl::Status s = ReadTensors(root, "", tensors, checkpoint.state, checkpoint.unread);
    if (!s.ok()) return s;
  }
  absl::string_view main;  // the entry of checkpoint.state; empty: the whole file
  for (const char* name : {"model", "state_dict"}) {
    const pickle::Value* entry = root.Find(name);
    if (entry != nullptr && entry->kind == pickle::Value::kDict) main = name;
  }
  const size_t entries = root.kind == pickle::Value::kDict ? root.items.size() : 0;
  for (size_t i = 0; i + 1 < entries; i += 2) {
    const absl::string_view name = root.items[i]->text;
    checkpoint.entries.emplace(name);
    pickle::Value entry;
    entry.kind = pickle::Value::kDict;
    entry.items = {root.items[i], root.items[i + 1]};
    const bool is_main = !main.empty() && name == main;
    absl::Status s = ReadTensors(is_main ? *root.items[i + 1] : entry, "", tensors,
                                 is_main || main.empty() ? checkpoint.state : checkpoint.elsewhere,
                                 checkpoint.unread);
    if (!s.ok()) return s;
  }
  if (!checkpoint.state.empty() || !checkpoint.elsewhere.empty()) return absl::OkStatus();
  if (!checkpoint.unread.empty()) {
    const auto& [name, kind] = *checkpoint.unread.begin();
    return tensors.file().Unsuitable(absl::StrCat("holds no tensors: ", NotATensor(name, kind)));
  }
  return tensors.file().Unsuitable(
      "holds no dict of tensors, such as a 'state_dict'; give a checkpoint");
}

absl::Status ReadOptimizer(const pickle::Value& dict, TensorReader& tensors,
                           Checkpoint::OptimizerState& optimizer) {
  const pickle::Value* state = dict.Find("state");
  std::map<int64_t, StateDict> by_parameter;
  for (size_t i = 0; state != nullptr && i + 1 < state->items.size(); i += 2) {
    StateDict& slots = by_parameter[state->items[i]->integer];
    std::map<std::string, std::string> unread;
    absl::Status s = ReadTensors(*state->items[i + 1], "", tensors, slots, unread);
    if (!s.ok()) return s;
  }
  for (const auto& [parameter, slots] : by_parameter) {
    for (const auto& [name, tensor] : slots) {
      auto slot = std::find_if(optimizer.slots.begin(), optimizer.slots.end(),
                               [&, n = name](const auto& s) { return s.first == n; });
      if (slot == optimizer.slots.end()) {
        slot = optimizer.slots.insert(slot, {name, {}});
      }
      slot->second.push_back(tensor);
    }
  }
  const pickle::Value* groups = dict.Find("param_groups");
  if (groups == nullptr || groups->items.empty()) return absl::OkStatus();
  const pickle::Value& group = *groups->items[0];
  if (const auto* lr = group.Find("lr")) optimizer.lr = lr->number;
  if (const auto* parameters = group.Find("params"))
    optimizer.parameters = parameters->items.size();
  return absl::OkStatus();
}

constexpr int64_t kWholeEpoch = std::numeric_limits<int64_t>::max();

struct NamedCheckpoint {
  int64_t epoch = 0, steps = 0;  // steps: kWholeEpoch after the epoch's last
  std::string path;

  bool operator<(const NamedCheckpoint& other) const {
    return std::tie(epoch, steps, path) < std::tie(other.epoch, other.steps, other.path);
  }
};

// Reads a name made by CheckpointName, without the folder.
bool ReadName(absl::string_view name, absl::string_view prefix, NamedCheckpoint& found) {
  if (!absl::ConsumePrefix(&name, prefix) || !absl::ConsumePrefix(&name, "_") ||
      !absl::ConsumeSuffix(&name, ".pth.tar")) {
    return false;
  }
  const size_t step = name.find("_step_");
  found.steps = kWholeEpoch;
  return absl::SimpleAtoi(name.substr(0, step), &found.epoch) &&
         (step == absl::string_view::npos || absl::SimpleAtoi(name.substr(step + 6), &found.steps));
}

std::vector<NamedCheckpoint> FindCheckpoints(const std::string& run_folder) {
  std::vector<NamedCheckpoint> found;
  for (const char* kind : {kCheckpoints, kFlatCheckpoints}) {
    const auto place = std::filesystem::path(run_folder) / kind;
    std::error_code error;  // a folder that cannot be read ends the list
    std::filesystem::directory_iterator entry(place.parent_path(), error);
    for (; entry != std::filesystem::directory_iterator(); entry.increment(error)) {
      NamedCheckpoint checkpoint;
      const std::string name = entry->path().filename();
      if (!ReadName(name, place.filename().string(), checkpoint)) continue;
      checkpoint.path = entry->path();
      found.push_back(std::move(checkpoint));
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

std::string NotATensor(absl::string_view name, absl::string_view kind) {
  if (kind == "torch.storage._load_from_bytes") {
    return absl::StrCat("'", name,
                        "' was written by pickle.dump, which leaves code to run; save it ",
                        "again with torch.save(pickle.load(open(FILE, 'rb')), 'weights.pth')");
  }
  const bool part = absl::StrContains(kind, "DTensor") || absl::StrContains(kind, "ShardedTensor");
  return absl::StrCat(
      "'", name, "' is a '", kind, "' instead of a tensor, ",
      part ? "such as FSDP leaves on each rank; gather the whole with "
             "torch.distributed.checkpoint.state_dict.get_model_state_dict(model, "
             "options=StateDictOptions(full_state_dict=True))"
           : "and no code in a file is run; save the state_dict() with plain tensors");
}

const tensors::DType* DTypeOf(at::ScalarType type) {
  const auto* found = std::find(std::begin(kScalarTypes), std::end(kScalarTypes), type);
  return found == std::end(kScalarTypes) ? nullptr : &kDTypes[found - kScalarTypes];
}

absl::Status WriteCheckpoint(const std::string& path, const Checkpoint& checkpoint) {
  const std::string folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) {
    if (absl::Status made = base::MakeFolders(folder); !made.ok()) return made;
  }
  Pickler pickler;
  pickle::Writer& out = pickler.out;
  out.BeginDict();
  out.Text("epoch");
  out.Int(checkpoint.epoch);
  out.Text("arch");
  out.Text(checkpoint.arch);
  out.Text("state_dict");
  pickler.State(checkpoint.state);
  out.Text("optimizer");
  pickler.Optimizer(checkpoint.optimizer);
  for (const auto& [name, value] : checkpoint.numbers) {
    out.Text(name);
    out.Float(value);
  }
  out.Text("mocopp");
  out.BeginDict();
  for (const auto& [name, value] : WriteFacts(checkpoint.facts)) {
    out.Text(name);
    out.Text(value);
  }
  out.EndDict();
  out.EndDict();
  return WriteArchive(path, pickler);
}

absl::Status WriteStateDict(const std::string& path, const StateDict& state) {
  Pickler pickler;
  pickler.State(state);
  return WriteArchive(path, pickler);
}

absl::Status WriteTensor(const std::string& path, const at::Tensor& tensor) {
  Pickler pickler;
  pickler.Tensor(tensor);
  return WriteArchive(path, pickler);
}

absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path) {
  auto file = TensorFile::Open(path);
  if (!file.ok()) return file.status();
  const pickle::Value& root = file->root();
  Checkpoint checkpoint;
  TensorReader tensors(*file);
  if (absl::Status s = ReadNetworks(root, tensors, checkpoint); !s.ok()) return s;
  const size_t entries = root.kind == pickle::Value::kDict ? root.items.size() : 0;
  for (size_t i = 0; i + 1 < entries; i += 2) {
    const std::string name(root.items[i]->text);
    const pickle::Value& value = *root.items[i + 1];
    if (name == "epoch") {
      checkpoint.epoch = value.integer;
    } else if (name == "arch") {
      checkpoint.arch = std::string(value.text);
    } else if (name == "optimizer") {
      if (absl::Status s = ReadOptimizer(value, tensors, checkpoint.optimizer); !s.ok()) return s;
    } else if (name == "mocopp") {
      std::map<std::string, std::string> dict;
      for (size_t j = 0; j + 1 < value.items.size(); j += 2) {
        dict[std::string(value.items[j]->text)] = std::string(value.items[j + 1]->text);
      }
      auto facts = ReadFacts(dict);
      if (!facts.ok()) {
        return absl::Status(facts.status().code(),
                            absl::StrCat("'", path, "' ", facts.status().message()));
      }
      checkpoint.facts = *std::move(facts);
    } else if (value.kind == pickle::Value::kFloat) {
      checkpoint.numbers[name] = value.number;
    }
  }
  // A checkpoint of this program says more.
  if (checkpoint.arch.empty() && checkpoint.facts.Setting(kArchSetting).empty()) {
    checkpoint.arch = NetworkBeside(path);
    const pickle::Value* meta = root.Find("meta");
    const pickle::Value* config = meta == nullptr ? nullptr : meta->Find("cfg");
    if (checkpoint.arch.empty() && config != nullptr) {
      checkpoint.arch = NetworkOfMmengine(config->text);
    }
  }
  return checkpoint;
}

std::string CheckpointName(const std::string& prefix, int64_t epoch, int64_t steps,
                           int64_t steps_per_epoch) {
  if (steps == steps_per_epoch) return absl::StrFormat("%s_%04d.pth.tar", prefix, epoch);
  return absl::StrFormat("%s_%04d_step_%05d.pth.tar", prefix, epoch, steps);
}

std::vector<std::string> ListCheckpoints(const std::string& run_folder) {
  std::vector<std::string> paths;
  for (NamedCheckpoint& c : FindCheckpoints(run_folder)) paths.push_back(std::move(c.path));
  return paths;
}

absl::StatusOr<std::string> NewestCheckpoint(const std::string& runs) {
  std::string newest;
  std::filesystem::file_time_type newest_time;
  std::error_code error;
  const auto consider = [&](const std::filesystem::path& run) {
    const auto checkpoints = ListCheckpoints(run);
    if (checkpoints.empty()) return;
    const auto time = std::filesystem::last_write_time(checkpoints.back(), error);
    if (!newest.empty() && time < newest_time) return;
    newest = checkpoints.back();
    newest_time = time;
  };
  consider(runs);
  if (newest.empty() && std::filesystem::exists(runs + "/.metadata", error)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", runs, "' is a folder of torch.distributed.checkpoint; make one file of it with: ",
        "python -m torch.distributed.checkpoint.format_utils dcp_to_torch ", runs, " FILE.pt"));
  }
  if (newest.empty()) {
    for (const auto& run : std::filesystem::directory_iterator(runs, error)) consider(run.path());
  }
  if (newest.empty()) {
    if (const std::string file = tensors::FileInFolder(runs); !file.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", runs, "' is no run folder of pretraining; give a file in it, such as '",
                       (std::filesystem::path(runs) / file).string(), "'"));
    }
    return absl::NotFoundError(
        absl::StrCat("there is no checkpoint of pretraining in '", runs, "' or its run folders"));
  }
  return newest;
}

void RemoveOldCheckpoints(const std::string& run_folder, int64_t keep) {
  const std::vector<NamedCheckpoint> all = FindCheckpoints(run_folder);
  const int64_t count = all.size();
  for (int64_t i = 0; i < count; ++i) {
    const bool too_many = keep > 0 && i + keep < count;
    const bool passed = all[i].steps != kWholeEpoch && i + 2 < count;
    if (too_many || passed) std::remove(all[i].path.c_str());
  }
}

}  // namespace moco
