// libFuzzer's entry point for the image codecs: tools/fuzz.sh.
#include <cstddef>
#include <cstdint>

#include "data/codec.h"

namespace {

// Larger images would keep the memory busy, and not the decoders.
constexpr int64_t kMaxPixels = 1'000'000;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const data::Codec* codec = data::FindCodec(bytes);
  if (codec == nullptr) return 0;
  // 1 to 4 channels, chosen by a byte that the file's reader knows nothing of.
  const int channels = 1 + data[size - 1] % 4;
  const auto image = codec->Open(bytes);
  if (!image.ok()) return 0;
  (void)(*image)->orientation();
  (void)(*image)->pages();
  const int64_t rows = (*image)->rows(), cols = (*image)->cols();
  if (rows > 0 && cols > 0 && cols <= kMaxPixels / rows) (*image)->Decode(channels).IgnoreError();
  return 0;
}
