#include "lincls/encoders/pretrained.h"

#include <ATen/core/Tensor.h>
#include <zlib.h>

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "augment/presets.h"
#include "base/files.h"
#include "lincls/encoders/frozen_backbone.h"

namespace lincls {

namespace fs = std::filesystem;

absl::StatusOr<std::string> FindPretrained(const std::string& given) {
  const std::string place = given.empty() ? base::UserPath("runs") : given;
  std::error_code error;
  if (!given.empty() && !fs::is_directory(given, error)) return given;
  auto newest = moco::NewestCheckpoint(place);
  if (newest.ok() || !absl::IsNotFound(newest.status())) return newest;
  return absl::NotFoundError(
      absl::StrCat(newest.status().message(),
                   "; make one with: bazel run //moco:pretrain, or give --pretrained=FILE"));
}

std::string RunFolderOf(const std::string& checkpoint) {
  const fs::path folder = fs::path(checkpoint).parent_path();
  return folder.filename() == "checkpoints" ? folder.parent_path() : folder;
}

std::string EvaluationViews(const std::string& given, const moco::Checkpoint& checkpoint,
                            const data::ViewDefaults& usual, int channels) {
  if (!given.empty()) return given;
  if (auto held = checkpoint.facts.Setting(moco::kEvalViewsSetting); !held.empty()) return held;
  const std::string normalize = channels != 3             ? augment::NormalizeSpec("grey")
                                : usual.normalize.empty() ? augment::NormalizeSpec("imagenet")
                                                          : usual.normalize;
  return augment::EvaluationViews(usual.size > 0 ? usual.size : 224, normalize, usual.resize);
}

std::string ExifNote(const moco::Checkpoint& checkpoint, const data::DecodeOptions& decode) {
  const std::string trained = checkpoint.facts.Setting(moco::kExifSetting);
  const std::string given = decode.apply_exif ? "apply" : "ignore";
  if (trained.empty() || trained == given) return "";
  return absl::StrCat("the encoder was trained with --exif=", trained,
                      ", and images are now read with --exif=", given,
                      ": pictures that a camera has turned look different; give --exif=", trained);
}

std::string Fingerprint(const moco::Checkpoint& checkpoint) {
  uLong crc = crc32_z(0, nullptr, 0);
  for (const moco::StateDict* state : {&checkpoint.state, &checkpoint.elsewhere}) {
    for (const auto& [name, tensor] : *state) {
      const at::Tensor bytes = tensor.cpu().contiguous();
      crc = crc32_z(crc, reinterpret_cast<const Bytef*>(name.data()), name.size());
      crc = crc32_z(crc, static_cast<const Bytef*>(bytes.const_data_ptr()), bytes.nbytes());
    }
  }
  return absl::StrFormat("%08x", crc);
}

}  // namespace lincls
