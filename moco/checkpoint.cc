#include "moco/checkpoint.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <caffe2/serialize/inline_container.h>
#include <zip.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "moco/pickle.h"

namespace moco {
namespace {

constexpr int64_t kMaxPickleBytes = 16 << 20;  // a state dict of 10,000 tensors has 2 MB

struct StorageType {
  const char* name;
  at::ScalarType dtype;
};
constexpr StorageType kStorageTypes[] = {
    {"FloatStorage", at::kFloat},       {"DoubleStorage", at::kDouble}, {"HalfStorage", at::kHalf},
    {"BFloat16Storage", at::kBFloat16}, {"LongStorage", at::kLong},     {"IntStorage", at::kInt},
    {"ShortStorage", at::kShort},       {"CharStorage", at::kChar},     {"ByteStorage", at::kByte},
    {"BoolStorage", at::kBool}};

// --- Writing ---

// The pickle and the list of tensors whose bytes follow it.
class Pickler {
 public:
  void Tensor(const at::Tensor& tensor) {
    pickle::TensorInfo info;
    for (const StorageType& type : kStorageTypes) {
      if (type.dtype == tensor.scalar_type()) info.storage_type = type.name;
    }
    TORCH_CHECK(!info.storage_type.empty(), "no storage type for ", tensor.scalar_type());
    info.key = absl::StrCat(tensors.size());
    info.storage_size = tensor.numel();
    info.sizes = tensor.sizes().vec();
    int64_t stride = 1;
    for (auto size = info.sizes.rbegin(); size != info.sizes.rend(); ++size) {
      info.strides.insert(info.strides.begin(), stride);
      stride *= *size;
    }
    out.Tensor(info);
    tensors.push_back(tensor);
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
    for (const auto& [name, value] : optimizer.constants) {
      out.Text(name);
      out.Float(value);
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

// --- Reading ---

// A zip archive as PyTorch writes it: entries stored as they are, below one folder.
class Archive {
 public:
  static absl::StatusOr<Archive> Open(const std::string& path) {
    Archive archive(path);
    // libzip's own errors do not tell a missing file from a cut one in a way that helps.
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", path, "' is a folder; give a checkpoint file in it"));
    }
    archive.bytes_ = std::filesystem::file_size(path, error);
    if (error) {
      errno = error.value();
      return base::ErrnoStatus("cannot open checkpoint", path);
    }
    int code = 0;
    archive.zip_.reset(zip_open(path.c_str(), ZIP_RDONLY, &code));
    if (archive.zip_ == nullptr) {
      if (code == ZIP_ER_OPEN) return base::ErrnoStatus("cannot open checkpoint", path);
      return archive.NotWhole();
    }
    const int64_t entries = zip_get_num_entries(archive.zip_.get(), 0);
    for (int64_t i = 0; i < entries; ++i) {
      zip_stat_t entry;
      if (zip_stat_index(archive.zip_.get(), i, 0, &entry) != 0) return archive.NotWhole();
      const absl::string_view name = entry.name;
      if (absl::EndsWith(name, "/data.pkl")) {
        archive.folder_ = std::string(absl::StripSuffix(name, "data.pkl"));
      }
      if (entry.comp_method != ZIP_CM_STORE || entry.size > archive.bytes_) {
        return archive.Damaged(absl::StrCat("entry '", name, "' is compressed or too large"));
      }
    }
    if (archive.folder_.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", path,
                       "' is a zip archive but no checkpoint: it has no data.pkl; give a .pth.tar "
                       "file"));
    }
    return archive;
  }

  // The size of an entry below the archive's folder; -1 when there is none.
  int64_t Size(const std::string& name) const {
    zip_stat_t entry;
    return zip_stat(zip_.get(), (folder_ + name).c_str(), 0, &entry) == 0
               ? static_cast<int64_t>(entry.size)
               : -1;
  }

  // The whole entry into `out`, which has room for Size(name); its checksum is checked.
  absl::Status Read(const std::string& name, void* out) const {
    const int64_t size = Size(name);
    const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(
        zip_fopen(zip_.get(), (folder_ + name).c_str(), 0), zip_fclose);
    if (file == nullptr) return Damaged(absl::StrCat("entry '", name, "' cannot be opened"));
    char beyond;  // the checksum is compared at the end of the entry, one read further
    if (zip_fread(file.get(), out, size) != size || zip_fread(file.get(), &beyond, 1) != 0) {
      return Damaged(absl::StrCat("entry '", name, "' is cut or changed"));
    }
    return absl::OkStatus();
  }

  absl::Status Damaged(absl::string_view why) const {
    return absl::DataLossError(
        absl::StrCat("checkpoint '", path_, "' is damaged: ", why, "; use an earlier one"));
  }

 private:
  struct Discard {
    void operator()(zip_t* zip) const { zip_discard(zip); }
  };

  explicit Archive(std::string path) : path_(std::move(path)) {}

  // It cannot be opened as an archive: the beginning tells a cut one from something else.
  absl::Status NotWhole() const {
    auto contents = base::ReadFile(path_);
    if (!contents.ok()) return contents.status();
    if (contents->empty() || absl::StartsWith(*contents, "PK")) {
      return Damaged(contents->empty() ? "it is empty" : "it is cut");
    }
    return absl::InvalidArgumentError(
        absl::StrCat("'", path_,
                     "' is not a checkpoint; give a .pth.tar file of this program or of PyTorch "
                     "(1.6 or later)"));
  }

  std::string path_, folder_;
  uint64_t bytes_ = 0;
  std::unique_ptr<zip_t, Discard> zip_;
};

// Tensors of a parsed pickle, read when they are asked for.
class TensorReader {
 public:
  explicit TensorReader(const Archive& archive) : archive_(archive) {}

  absl::StatusOr<at::Tensor> Read(const pickle::TensorInfo& info) {
    auto storage = Storage(info);
    if (!storage.ok()) return storage.status();
    // The last element that the shape reaches, in a way that cannot overflow.
    __int128 last = info.offset;
    bool empty = false;
    for (size_t i = 0; i < info.sizes.size(); ++i) {
      empty |= info.sizes[i] == 0;
      last += static_cast<__int128>(info.sizes[i] - 1) * info.strides[i];
    }
    if (!empty && last >= info.storage_size) {
      return archive_.Damaged("a tensor reaches beyond its storage");
    }
    if (empty) return at::empty(info.sizes, storage->options());
    return storage->as_strided(info.sizes, info.strides, info.offset);
  }

 private:
  absl::StatusOr<at::Tensor> Storage(const pickle::TensorInfo& info) {
    if (const auto found = storages_.find(info.key); found != storages_.end()) {
      if (found->second.numel() == info.storage_size && type_[info.key] == info.storage_type) {
        return found->second;
      }
      return archive_.Damaged("two tensors disagree on the storage that they share");
    }
    const auto* type = std::find_if(std::begin(kStorageTypes), std::end(kStorageTypes),
                                    [&](const auto& t) { return info.storage_type == t.name; });
    if (type == std::end(kStorageTypes)) {
      return archive_.Damaged(absl::StrCat("storage type '", info.storage_type, "' is unknown"));
    }
    const std::string entry = absl::StrCat("data/", info.key);
    const int64_t width = static_cast<int64_t>(at::elementSize(type->dtype));
    const int64_t bytes = archive_.Size(entry);
    if (bytes < 0 || bytes % width != 0 || bytes / width != info.storage_size) {
      return archive_.Damaged(absl::StrCat("entry '", entry, "' is missing or of another size"));
    }
    const at::Tensor storage = at::empty({info.storage_size}, type->dtype);
    if (absl::Status s = archive_.Read(entry, storage.data_ptr()); !s.ok()) return s;
    type_[info.key] = info.storage_type;
    return storages_[info.key] = storage;
  }

  const Archive& archive_;
  std::map<std::string, at::Tensor> storages_;
  std::map<std::string, std::string> type_;
};

absl::Status ReadStateDict(const pickle::Value& dict, TensorReader& tensors, StateDict& state) {
  for (size_t i = 0; dict.kind == pickle::Value::kDict && i + 1 < dict.items.size(); i += 2) {
    if (dict.items[i + 1]->kind != pickle::Value::kTensor) continue;
    auto tensor = tensors.Read(dict.items[i + 1]->tensor);
    if (!tensor.ok()) return tensor.status();
    state.emplace_back(dict.items[i]->text, *std::move(tensor));
  }
  return absl::OkStatus();
}

absl::Status ReadOptimizer(const pickle::Value& dict, TensorReader& tensors,
                           Checkpoint::OptimizerState& optimizer) {
  const pickle::Value* state = dict.Find("state");
  std::map<int64_t, StateDict> by_parameter;
  for (size_t i = 0; state != nullptr && i + 1 < state->items.size(); i += 2) {
    StateDict& slots = by_parameter[state->items[i]->integer];
    if (absl::Status s = ReadStateDict(*state->items[i + 1], tensors, slots); !s.ok()) return s;
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

// (epoch, step) of a checkpoint's name, whole epochs after their last step.
bool ReadName(const std::string& path, std::tuple<int64_t, int64_t>& order) {
  const std::string name = std::filesystem::path(path).filename();
  absl::string_view rest = name;
  if (!absl::ConsumePrefix(&rest, "checkpoint_") || !absl::ConsumeSuffix(&rest, ".pth.tar")) {
    return false;
  }
  const size_t step = rest.find("_step_");
  auto& [epoch, steps] = order;
  if (step == absl::string_view::npos) {
    steps = std::numeric_limits<int64_t>::max();
    return absl::SimpleAtoi(rest, &epoch);
  }
  return absl::SimpleAtoi(rest.substr(0, step), &epoch) &&
         absl::SimpleAtoi(rest.substr(step + 6), &steps);
}

}  // namespace

absl::Status WriteCheckpoint(const std::string& path, const Checkpoint& checkpoint) {
  Pickler pickler;
  pickle::Writer& out = pickler.out;
  out.BeginDict();
  out.Text("epoch");
  out.Int(checkpoint.epoch);
  out.Text("arch");
  out.Text(checkpoint.arch);
  out.Text("state_dict");
  out.BeginDict();
  for (const auto& [name, tensor] : checkpoint.state) {
    out.Text(name);
    pickler.Tensor(tensor);
  }
  out.EndDict();
  out.Text("optimizer");
  pickler.Optimizer(checkpoint.optimizer);
  for (const auto& [name, value] : checkpoint.numbers) {
    out.Text(name);
    out.Float(value);
  }
  out.Text("mocopp");
  out.BeginDict();
  for (const auto& [name, value] : checkpoint.mocopp) {
    out.Text(name);
    out.Text(value);
  }
  out.EndDict();
  out.EndDict();
  const std::string pickled = out.Finish();

  return base::WriteFileAtomically(path, [&](const base::Sink& sink) -> absl::Status {
    // LibTorch's writer throws when a write fails, in its destructor too; so it is told that all is
    // well and what failed is returned at the end.
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

absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path) {
  auto archive = Archive::Open(path);
  if (!archive.ok()) return archive.status();
  const int64_t size = archive->Size("data.pkl");
  if (size > kMaxPickleBytes) return archive->Damaged("its data.pkl is too large");
  std::string bytes(size, '\0');
  if (absl::Status s = archive->Read("data.pkl", bytes.data()); !s.ok()) return s;
  const auto document = pickle::Document::Parse(bytes);
  if (!document.ok()) return archive->Damaged(document.status().message());

  const pickle::Value& root = document->root();
  const pickle::Value* state = root.Find("state_dict");
  if (state == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path,
                     "' is not a checkpoint of a training run: it has no 'state_dict'; give a "
                     ".pth.tar file"));
  }
  Checkpoint checkpoint;
  TensorReader tensors(*archive);
  if (absl::Status s = ReadStateDict(*state, tensors, checkpoint.state); !s.ok()) return s;
  for (size_t i = 0; i + 1 < root.items.size(); i += 2) {
    const std::string& name = root.items[i]->text;
    const pickle::Value& value = *root.items[i + 1];
    if (name == "epoch") {
      checkpoint.epoch = value.integer;
    } else if (name == "arch") {
      checkpoint.arch = value.text;
    } else if (name == "optimizer") {
      if (absl::Status s = ReadOptimizer(value, tensors, checkpoint.optimizer); !s.ok()) return s;
    } else if (name == "mocopp") {
      for (size_t j = 0; j + 1 < value.items.size(); j += 2) {
        checkpoint.mocopp[value.items[j]->text] = value.items[j + 1]->text;
      }
    } else if (value.kind == pickle::Value::kFloat) {
      checkpoint.numbers[name] = value.number;
    }
  }
  return checkpoint;
}

std::string CheckpointName(int64_t epoch, int64_t steps, int64_t steps_per_epoch) {
  if (steps == steps_per_epoch) return absl::StrFormat("checkpoint_%04d.pth.tar", epoch);
  return absl::StrFormat("checkpoint_%04d_step_%05d.pth.tar", epoch, steps);
}

std::vector<std::string> ListCheckpoints(const std::string& folder) {
  std::vector<std::pair<std::tuple<int64_t, int64_t>, std::string>> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    std::tuple<int64_t, int64_t> order;
    if (ReadName(entry.path(), order)) found.emplace_back(order, entry.path());
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> paths;
  for (auto& [order, path] : found) paths.push_back(std::move(path));
  return paths;
}

}  // namespace moco
