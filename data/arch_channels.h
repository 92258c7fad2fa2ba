// The channels that a network reads, as its spec says, for programs that do not link networks.
#ifndef DATA_ARCH_CHANNELS_H_
#define DATA_ARCH_CHANNELS_H_

#include "absl/strings/string_view.h"

namespace data {

// Returns the value of `channels` of the spec of a network (resnet50:channels=13): 1 to
// kMaxChannels. It is 3, as for all networks, where the spec has no such value.
int ChannelsOfArch(absl::string_view arch);

}  // namespace data

#endif  // DATA_ARCH_CHANNELS_H_
