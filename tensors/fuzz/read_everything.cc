#include "tensors/fuzz/read_everything.h"

#include <cstdint>
#include <memory>
#include <string>

#include "tensors/npy.h"
#include "tensors/pickle.h"
#include "tensors/tensor_file.h"
#include "tensors/tensor_listing.h"
#include "tensors/zip.h"

namespace tensors {
namespace {

// Unpacks every entry of a zip archive that is not large, and reads it as an array.
bool ReadArchive(absl::string_view bytes) {
  constexpr uint64_t kMaxEntry = 1 << 20;
  const auto directory =
      ReadZipDirectory(bytes.size(), ZipInMemory(bytes), [&](const ZipEntry& entry) {
        const std::string name = entry.Name();
        const absl::string_view rest = bytes.substr(entry.header);
        const auto header = ZipLocalHeaderSize(rest.substr(0, kZipLocalHeader));
        if (!header.ok() || *header > rest.size() || entry.packed > rest.size() - *header ||
            entry.size > kMaxEntry || !entry.CheckSize().ok()) {
          return absl::OkStatus();
        }
        const absl::string_view packed = rest.substr(*header, entry.packed);
        for (const uint64_t size : {entry.size, entry.size / 2}) {
          const std::unique_ptr<char[]> out(new char[size]);
          if (!UnpackZipEntry(entry, packed, size, out.get()).ok()) continue;
          const absl::string_view unpacked(out.get(), size);
          ReadNpyArray(name, unpacked, static_cast<int64_t>(size)).IgnoreError();
        }
        return absl::OkStatus();
      });
  return directory.ok();
}

// Reads the last value of an array.
bool ReadArray(absl::string_view bytes) {
  const auto array = ReadNpyArray("fuzzed", bytes, static_cast<int64_t>(bytes.size()));
  if (!array.ok()) return false;
  const int64_t values = array->count() * array->width;
  if (values > 0) {
    volatile const char last = bytes[array->offset + values - 1];
    (void)last;
  }
  return !array->Text().empty();
}

}  // namespace

bool ReadEverything(absl::string_view bytes) {
  auto file = TensorFile::Parse("fuzzed", bytes);
  if (file.ok()) {
    ForEachEntry(file->root(), [&](const std::string& name, const pickle::Value& value) {
      if (value.kind == pickle::Value::kTensor) Digest(*file, *value.tensor).IgnoreError();
    });
    return true;
  }
  if (ReadArray(bytes)) {
    ReadNpyHeader("fuzzed", bytes).IgnoreError();
    return true;
  }
  if (ReadArchive(bytes)) return true;
  const auto document = pickle::Document::Parse(bytes);
  if (!document.ok()) return false;
  ForEachEntry(document->root(), [](const std::string& name, const pickle::Value& value) {});
  return true;
}

}  // namespace tensors
