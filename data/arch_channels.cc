#include "data/arch_channels.h"

#include "absl/strings/numbers.h"
#include "data/decode_options.h"
#include "registry/spec.h"

namespace data {

int ChannelsOfArch(absl::string_view arch) {
  const auto spec = registry::ParseSpec(arch);
  if (!spec.ok()) return 3;
  for (const auto& [key, value] : spec->options) {
    int channels;
    if (key == "channels" && absl::SimpleAtoi(value, &channels) && channels >= 1 &&
        channels <= kMaxChannels) {
      return channels;
    }
  }
  return 3;
}

}  // namespace data
