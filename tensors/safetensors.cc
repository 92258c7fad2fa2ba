#include "tensors/safetensors.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tensors/dtype.h"

namespace tensors {
namespace {

using nlohmann::json;
using pickle::Value;

constexpr uint64_t kPrefix = 8;            // bytes with the header's size
constexpr uint64_t kMaxHeader = 16 << 20;  // that of 10,000 tensors has 1 MB
constexpr char kMetadata[] = "__metadata__";

absl::Status Damaged(absl::string_view why) { return absl::DataLossError(why); }

absl::Status DamagedTensor(const std::string& name, absl::string_view why) {
  return Damaged(absl::StrCat("tensor '", name, "' ", why));
}

// The whole header, without exceptions. A name that appears twice would hide bytes.
absl::StatusOr<json> ParseHeader(absl::string_view text) {
  std::set<std::string> names;
  std::string twice;
  json header = json::parse(
      text.begin(), text.end(),
      [&](int depth, json::parse_event_t event, json& parsed) {
        if (event == json::parse_event_t::key && depth == 1) {
          const auto& name = parsed.get_ref<const std::string&>();
          if (!names.insert(name).second) twice = name;
        }
        return true;
      },
      /*allow_exceptions=*/false);
  if (!header.is_object()) return Damaged("its header (at byte 8) is not a JSON object");
  if (!twice.empty()) return DamagedTensor(twice, "appears twice");
  return header;
}

bool ReadSizes(const json& array, std::vector<int64_t>& out) {
  if (!array.is_array()) return false;
  for (const json& size : array) {
    const auto* number = size.get_ptr<const json::number_unsigned_t*>();
    if (number == nullptr || *number > INT64_MAX) return false;
    out.push_back(static_cast<int64_t>(*number));
  }
  return true;
}

struct Entry {
  int64_t begin, end;
  std::string name;
  const Value* tensor;
  bool operator<(const Entry& other) const {
    return std::tie(begin, end, name) < std::tie(other.begin, other.end, other.name);
  }
};

absl::StatusOr<Entry> ReadEntry(const std::string& name, const json& json, int64_t data_size,
                                pickle::Document& document) {
  std::vector<int64_t> place;
  pickle::TensorInfo* info = document.NewTensor();
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") ||
      !json["dtype"].is_string() || !json.contains("shape") ||
      !ReadSizes(json["shape"], info->sizes) || !json.contains("data_offsets") ||
      !ReadSizes(json["data_offsets"], place) || place.size() != 2) {
    return DamagedTensor(name, "is not described by dtype, shape and data_offsets");
  }
  const std::string& type = json["dtype"].get_ref<const std::string&>();
  const DType* dtype = FindDType(&DType::safetensors, type);
  if (place[0] > place[1] || place[1] > data_size) {
    return DamagedTensor(name, "extends past the end of the file");
  }
  if (dtype == nullptr) {  // cannot be read, but the rest of the file can
    info->storage_type = type;
    info->storage_size = place[1] - place[0];
    info->strides.assign(info->sizes.size(), 1);
  } else if (!info->SetContiguous(*dtype, place[1] - place[0])) {
    return DamagedTensor(name, "has a size that differs from its data_offsets");
  }
  info->key = name;
  Value* value = document.New(Value::kTensor);
  value->tensor = info;
  return Entry{place[0], place[1], name, value};
}

}  // namespace

absl::StatusOr<Safetensors> Safetensors::Parse(absl::string_view file) {
  uint64_t header_size = 0;
  for (size_t i = 0; i < kPrefix && i < file.size(); ++i) {
    header_size |= uint64_t{static_cast<uint8_t>(file[i])} << (8 * i);
  }
  if (file.size() < kPrefix || header_size > file.size() - kPrefix) {
    return Damaged("it is truncated: its header extends past its end");
  }
  if (header_size > kMaxHeader) return Damaged("its header is too large");
  const auto header = ParseHeader(file.substr(kPrefix, header_size));
  if (!header.ok()) return header.status();
  const absl::string_view data = file.substr(kPrefix + header_size);

  Safetensors result;
  pickle::Document& document = result.document;
  Value* root = document.New(Value::kDict);
  document.set_root(root);
  std::vector<Entry> entries;
  for (const auto& [name, json] : header->items()) {
    if (name == kMetadata) {
      Value* metadata = document.New(Value::kDict);
      root->items = {document.NewText(name), metadata};
      if (!json.is_object()) return Damaged("its __metadata__ is not an object of text");
      for (const auto& [key, text] : json.items()) {
        if (!text.is_string()) return Damaged("its __metadata__ is not an object of text");
        metadata->items.push_back(document.NewText(key));
        metadata->items.push_back(document.NewText(text.get_ref<const std::string&>()));
      }
      continue;
    }
    auto entry = ReadEntry(name, json, static_cast<int64_t>(data.size()), document);
    if (!entry.ok()) return entry.status();
    entries.push_back(*std::move(entry));
  }
  std::sort(entries.begin(), entries.end());
  int64_t at = 0;
  for (Entry& entry : entries) {
    if (entry.begin != at) {
      return DamagedTensor(entry.name, absl::StrCat("does not begin where the one before it ends (",
                                                    "at byte ", kPrefix + header_size + at, ")"));
    }
    at = entry.end;
    result.storages[entry.name] = data.substr(entry.begin, entry.end - entry.begin);
    root->items.push_back(document.NewText(entry.name));
    root->items.push_back(entry.tensor);
  }
  if (at != static_cast<int64_t>(data.size())) {
    return Damaged(absl::StrCat("it has more bytes than its tensors (from byte ",
                                kPrefix + header_size + at, ")"));
  }
  return result;
}

}  // namespace tensors
