#include "tensors/tensor_file.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tensors/safetensors.h"
#include "tensors/tensor_listing.h"
#include "tensors/zip.h"

namespace tensors {
namespace {

using pickle::Document;
using pickle::TensorInfo;
using pickle::Value;

namespace fs = std::filesystem;

// The first two pickles of the legacy format: a magic number, and the format's version, 1001.
constexpr absl::string_view kMagic("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 13);
constexpr absl::string_view kVersion("M\xe9\x03.", 4);
constexpr absl::string_view kZip = "PK";
constexpr char kPickle = '\x80';
constexpr char kFrame = '\x95';           // in protocols 4 and 5; the size of the frame follows
constexpr size_t kSafetensorsHeader = 8;  // offset at which a brace begins the header

// Returns the width of the elements of a storage that is none of kDTypes, so that what follows it
// in a file is found; 0 if it is not known.
int64_t WidthOfUnread(absl::string_view storage) {
  if (storage == "ComplexDoubleStorage") return 16;
  if (storage == "ComplexFloatStorage") return 8;
  if (storage == "QInt32Storage") return 4;
  const bool bytes = storage == "storage.UntypedStorage" || storage == "UntypedStorage" ||
                     storage == "QInt8Storage" || storage == "QUInt8Storage";
  return bytes ? 1 : 0;
}

constexpr absl::string_view kGather =
    "gather it with torch.distributed.checkpoint.format_utils.dcp_to_torch_save(FOLDER, "
    "'weights.pth')";

// Whether the bytes begin with the size of a header that they contain, and a header. This is looked
// at before the other formats, with which a size may begin: 19280 is "PK", and 128 begins pickles.
bool IsSafetensors(absl::string_view bytes) {
  if (bytes.size() <= kSafetensorsHeader || bytes[kSafetensorsHeader] != '{') return false;
  uint64_t size = 0;
  for (size_t i = 0; i < kSafetensorsHeader; ++i) {
    size |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  }
  return size <= bytes.size() - kSafetensorsHeader;
}

// What the beginning of a file says of the legacy format, in any protocol of pickles.
struct Legacy {
  bool begins = false;  // all of the bytes belong to the first two pickles, or they are there
  size_t end = 0;       // of the second pickle; 0: the bytes end before
};

Legacy FindLegacy(absl::string_view bytes) {
  size_t at = 0;
  for (const absl::string_view body : {kMagic, kVersion}) {
    if (at < bytes.size() && bytes[at] != kPickle) return {};
    at += 2;  // and the protocol
    if (at < bytes.size() && bytes[at] == kFrame) at += 9;
    const absl::string_view rest = bytes.substr(std::min(at, bytes.size()));
    if (rest.size() < body.size()) return {absl::StartsWith(body, rest), 0};
    if (!absl::StartsWith(rest, body)) return {};
    at += body.size();
  }
  return {true, at};
}

// What a zip archive is, if it is none of torch.save's, and what to do with it; empty if that is
// not known.
std::string ForeignArchive(absl::string_view bytes) {
  bool script = false, exported = false, pickle = false;
  const auto directory =
      ReadZipDirectory(bytes.size(), ZipInMemory(bytes), [&](const ZipEntry& entry) {
        const absl::string_view name = entry.name;
        script |= absl::EndsWith(name, "/constants.pkl") || absl::StrContains(name, "/code/");
        exported |= absl::EndsWith(name, "/archive_format") ||
                    absl::StrContains(name, "serialized_exported_program");
        pickle |= absl::EndsWith(name, "/data.pkl");
        return absl::OkStatus();
      });
  if (!directory.ok()) return "";
  if (exported) {
    return "is a program of torch.export; save its tensors with "
           "torch.save(dict(torch.export.load(FILE).state_dict), 'weights.pth')";
  }
  if (script) {
    return "is a TorchScript program; save its tensors with "
           "torch.save(torch.jit.load(FILE).state_dict(), 'weights.pth')";
  }
  // A part of a distributed checkpoint has an archive for each tensor, one after the other: another
  // one ends where the last one begins.
  constexpr absl::string_view kEnd = "PK\x05\x06";
  constexpr size_t kEndSize = 22;
  if (pickle && directory->shift >= kEndSize &&
      absl::StartsWith(bytes.substr(directory->shift - kEndSize), kEnd)) {
    return absl::StrCat("is a part of a distributed checkpoint; ", kGather);
  }
  return "";
}

constexpr absl::string_view kIndex = ".index.json";

// What a file is that is often found in the place of a checkpoint, by its beginning, and what to do
// with it.
std::string ForeignFile(absl::string_view bytes) {
  constexpr std::pair<absl::string_view, absl::string_view> kKnown[] = {
      {"version https://git-lfs.",
       "is a pointer of Git LFS instead of the file; fetch the file "
       "with: git lfs pull"},
      {"\x1f\x8b", "is compressed by gzip; decompress it with: gunzip FILE"},
      {"<", "is a web page instead of the file; download the file again"}};
  for (const auto& [beginning, what] : kKnown) {
    if (absl::StartsWith(bytes, beginning)) return std::string(what);
  }
  return "is not a checkpoint; give a .pth.tar file of this program, a file written by torch.save, "
         "or a safetensors file";
}

// InvalidArgument, naming a file in the folder that could be meant.
absl::Status IsFolder(const std::string& path) {
  std::error_code error;
  if (fs::exists(fs::path(path) / ".metadata", error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' is a folder with a distributed checkpoint; ", kGather));
  }
  const std::string file = FileInFolder(path);
  return absl::InvalidArgumentError(
      absl::StrCat("'", path, "' is a folder, not a plain file; give ",
                   file.empty() ? "the file itself"
                                : absl::StrCat("a file in it, such as '", Printable(file), "'")));
}

}  // namespace

std::string FileInFolder(const std::string& folder) {
  std::string best;
  int best_depth = 2;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied,
                                         error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    const int depth = entry.depth();
    if (depth > 0) entry.disable_recursion_pending();
    const std::string kind = entry->path().extension();
    const bool tensors = kind == ".safetensors" || kind == ".pth" || kind == ".pt" ||
                         kind == ".ckpt" || kind == ".bin" || kind == ".pkl" || kind == ".torch" ||
                         kind == ".tar";
    std::error_code unknown;
    // Of weights in several files, the index is named: none of them holds the network.
    const bool named = tensors || absl::EndsWith(entry->path().string(), kIndex);
    if (!named || !entry->is_regular_file(unknown) || depth > best_depth) continue;
    const std::string name = fs::path(entry->path()).lexically_relative(folder);
    if (depth == best_depth && name < best) continue;
    best = name;
    best_depth = depth;
  }
  return best;
}

absl::Status TensorFile::Damaged(absl::string_view why) const {
  return absl::DataLossError(absl::StrCat("checkpoint '", path_, "' is damaged: ", Printable(why),
                                          "; use an earlier one, or copy it again"));
}

absl::Status TensorFile::Unsuitable(absl::string_view what) const {
  return absl::InvalidArgumentError(absl::StrCat("'", path_, "' ", Printable(what)));
}

absl::StatusOr<TensorFile> TensorFile::Open(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return IsFolder(path);
  if (fs::path(path).extension() == ".distcp" && fs::exists(path, error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' is a part of a distributed checkpoint; ", kGather));
  }
  if (absl::EndsWith(path, kIndex) && fs::exists(path, error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path,
                     "' is the index of weights in several files; join them with "
                     "safetensors.torch.save_file({k: v for f in FILES for k, v in "
                     "safetensors.torch.load_file(f).items()}, 'weights.safetensors')"));
  }
  auto file = base::MappedFile::Open(path);
  if (!file.ok()) return file.status();
  auto result = Parse(path, file->bytes());
  if (result.ok()) result->file_.emplace(*std::move(file));
  return result;
}

absl::StatusOr<TensorFile> TensorFile::Parse(const std::string& path, absl::string_view bytes) {
  TensorFile file(path);
  absl::Status status;
  const Legacy legacy = FindLegacy(bytes);
  if (bytes.empty()) {
    status = absl::DataLossError("it is empty");
  } else if (IsSafetensors(bytes)) {
    status = file.ParseSafetensors(bytes);
  } else if (absl::StartsWith(bytes, kZip) || absl::StartsWith(kZip, bytes)) {
    status = file.ParseZip(bytes);
  } else if (legacy.begins) {
    status = file.ParseLegacy(bytes, legacy.end);
  } else if (bytes[0] == kPickle) {
    status = file.ParsePickle(bytes);
  } else if (bytes.size() > kSafetensorsHeader && bytes[kSafetensorsHeader] == '{') {
    status = file.ParseSafetensors(bytes);  // says that it is truncated
  } else {
    status = absl::InvalidArgumentError(ForeignFile(bytes));
  }
  if (absl::IsDataLoss(status)) return file.Damaged(status.message());
  if (!status.ok()) return file.Unsuitable(status.message());
  for (const auto& [key, array] : file.document_->arrays()) file.raw_[key] = array;
  const Value& root = file.root();
  if (root.kind == Value::kOpaque) {
    return file.Unsuitable(absl::StrCat("holds a Python object, '", root.text,
                                        "', which is never executed; save only the state_dict()"));
  }
  if (root.kind != Value::kTensor && root.kind != Value::kDict && root.kind != Value::kList &&
      root.kind != Value::kTuple) {
    return file.Unsuitable("holds no tensors; give a checkpoint");
  }
  return file;
}

absl::Status TensorFile::ParseZip(absl::string_view bytes) {
  format_ = "zip";
  constexpr absl::string_view kObject = "data.pkl";
  auto zip = StoredZip::Parse(bytes);
  const auto is_torch_save = [&] {
    return std::none_of(zip->entries().begin(), zip->entries().end(), [](const auto& entry) {
      return absl::EndsWith(entry.first, "/constants.pkl");
    });
  };
  if (!zip.ok() || !is_torch_save()) {
    const std::string foreign = ForeignArchive(bytes);
    if (!foreign.empty()) return absl::InvalidArgumentError(foreign);
  }
  if (!zip.ok()) return zip.status();
  zip_ = *std::move(zip);
  for (const auto& [name, entry] : zip_->entries()) {
    const absl::string_view folder = absl::StripSuffix(name, kObject);
    if (folder.size() < name.size() && folder.find('/') + 1 == folder.size()) {
      folder_ = std::string(folder);
    }
  }
  const auto pickle = zip_->entries().find(absl::StrCat(folder_, kObject));
  if (pickle == zip_->entries().end()) {
    const std::string foreign = ForeignArchive(bytes);
    return absl::InvalidArgumentError(
        !foreign.empty()
            ? foreign
            : "is a zip archive but not a checkpoint: it has no data.pkl; give a .pth.tar file");
  }
  if (zip_->entries().count(folder_ + "byteorder") > 0) {
    const auto order = zip_->Read(folder_ + "byteorder");
    if (!order.ok()) return order.status();
    if (*order != "little") {
      return absl::InvalidArgumentError(
          "was written by a big-endian machine; save it again on this kind of machine");
    }
  }
  if (const auto read = zip_->Read(pickle->first); !read.ok()) return read.status();
  const size_t end = pickle->second.begin + pickle->second.size;
  auto document = Document::Parse(bytes.substr(0, end), pickle->second.begin);
  if (!document.ok()) return document.status();
  if (document->end() != end) return absl::DataLossError("its data.pkl continues after its end");
  document_ = *std::move(document);
  return absl::OkStatus();
}

absl::Status TensorFile::ParseLegacy(absl::string_view bytes, size_t begin) {
  format_ = "legacy";
  if (begin == 0) return absl::DataLossError("it is truncated");
  // The writing machine, the object, and the keys of the storages in the order of their bytes.
  const auto machine = Document::Parse(bytes, begin);
  if (!machine.ok()) return machine.status();
  const Value* little = machine->root().Find("little_endian");
  if (little == nullptr || little->kind != Value::kBool) {
    return absl::DataLossError("it does not describe the machine that wrote it");
  }
  if (!little->integer) {
    return absl::InvalidArgumentError(
        "was written by a big-endian machine; save it again on this kind of machine");
  }
  auto document = Document::Parse(bytes, machine->end());
  if (!document.ok()) return document.status();
  const auto keys = Document::Parse(bytes, document->end());
  if (!keys.ok()) return keys.status();

  std::map<std::string, const TensorInfo*, std::less<>> described;
  for (const TensorInfo* info : document->storages()) described.emplace(info->key, info);
  size_t at = keys->end();
  for (const Value* key : keys->root().items) {
    const auto found = described.find(std::string(key->text));
    if (found == described.end()) {
      return absl::DataLossError(absl::StrCat("no tensor has the storage '", key->text, "'"));
    }
    const TensorInfo& info = *found->second;
    const DType* dtype = FindDType(&DType::storage, info.storage_type);
    const int64_t width = dtype != nullptr ? dtype->width : WidthOfUnread(info.storage_type);
    if (width == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "holds a '", info.storage_type, "', which is not read; convert it to float32"));
    }
    uint64_t count = 0;
    for (size_t i = 0; i < 8 && at + i < bytes.size(); ++i) {
      count |= uint64_t{static_cast<uint8_t>(bytes[at + i])} << (8 * i);
    }
    if (count != static_cast<uint64_t>(info.storage_size) || bytes.size() - at < 8 ||
        count > (bytes.size() - at - 8) / width) {
      return absl::DataLossError(absl::StrCat("the storage '", info.key, "' at byte ", at,
                                              " is truncated or has the wrong size"));
    }
    raw_[info.key] = bytes.substr(at + 8, count * width);
    at += 8 + count * width;
  }
  if (at != bytes.size()) {
    return absl::DataLossError(absl::StrCat("it continues after its last storage, at byte ", at));
  }
  document_ = *std::move(document);
  return absl::OkStatus();
}

absl::Status TensorFile::ParsePickle(absl::string_view bytes) {
  format_ = "pickle";
  auto document = Document::Parse(bytes);
  if (!document.ok()) return document.status();
  if (document->end() != bytes.size()) {
    return absl::DataLossError(
        absl::StrCat("it continues after its end, at byte ", document->end()));
  }
  document_ = *std::move(document);
  return absl::OkStatus();
}

absl::Status TensorFile::ParseSafetensors(absl::string_view bytes) {
  format_ = "safetensors";
  auto parsed = Safetensors::Parse(bytes);
  if (!parsed.ok()) return parsed.status();
  document_ = std::move(parsed->document);
  raw_ = std::move(parsed->storages);
  return absl::OkStatus();
}

absl::StatusOr<TensorFile::Storage> TensorFile::FindStorage(const TensorInfo& tensor) {
  const DType* dtype = FindDType(&DType::storage, tensor.storage_type);
  if (dtype == nullptr) {
    return Unsuitable(absl::StrCat("holds a tensor of the type '", tensor.storage_type,
                                   "', which is not read; convert it to float32"));
  }
  absl::string_view bytes;
  if (const auto found = raw_.find(tensor.key); found != raw_.end()) {
    bytes = found->second;
  } else if (zip_.has_value()) {
    const auto entry = zip_->Read(absl::StrCat(folder_, "data/", tensor.key));
    if (!entry.ok()) return Damaged(entry.status().message());
    bytes = *entry;
  } else {
    return Damaged(absl::StrCat("the storage '", tensor.key, "' is missing"));
  }
  if (bytes.size() % dtype->width != 0 ||
      static_cast<int64_t>(bytes.size() / dtype->width) != tensor.storage_size) {
    return Damaged(absl::StrCat("the storage '", tensor.key, "' has the wrong size"));
  }
  return Storage{dtype, bytes};
}

absl::StatusOr<TensorFile::Storage> TensorFile::Read(const TensorInfo& tensor) {
  auto known = known_.find(tensor.key);
  if (known == known_.end()) {
    const auto storage = FindStorage(tensor);
    if (!storage.ok()) return storage.status();
    known = known_.emplace(tensor.key, Known{tensor.storage_type, *storage}).first;
  }
  const Storage& storage = known->second.storage;
  if (known->second.type != tensor.storage_type ||
      static_cast<int64_t>(storage.bytes.size()) / storage.dtype->width != tensor.storage_size) {
    return Damaged("two tensors disagree on the storage that they share");
  }
  bool empty = false;
  for (int64_t size : tensor.sizes) empty |= size == 0;
  if (empty) return storage;
  // Computes the last element that the shape reaches, and the number of elements, without overflow.
  __int128 last = tensor.offset;
  int64_t count = 1;
  for (size_t i = 0; i < tensor.sizes.size(); ++i) {
    if (tensor.sizes[i] > tensor.storage_size / count) {
      return Damaged("a tensor has more elements than its storage");
    }
    count *= tensor.sizes[i];
    last += static_cast<__int128>(tensor.sizes[i] - 1) * tensor.strides[i];
  }
  if (last >= tensor.storage_size) return Damaged("a tensor extends past its storage");
  return storage;
}

}  // namespace tensors
