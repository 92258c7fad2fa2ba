#include "moco/communicators/communicator.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace moco {
namespace {

bool ChannelsLast(const at::Tensor& rows) {
  return rows.suggest_memory_format() == at::MemoryFormat::ChannelsLast;
}

}  // namespace

at::Tensor RowsInMemory(const at::Tensor& rows) {
  const at::Tensor in_order = ChannelsLast(rows) ? rows.permute({0, 2, 3, 1}) : rows;
  return in_order.reshape({rows.size(0), rows.numel() / std::max<int64_t>(rows.size(0), 1)});
}

at::Tensor RowsLike(const at::Tensor& in_memory, const at::Tensor& like) {
  std::vector<int64_t> sizes = like.sizes().vec();
  sizes[0] = in_memory.size(0);
  if (!ChannelsLast(like)) return in_memory.reshape(sizes);
  return in_memory.reshape({sizes[0], sizes[2], sizes[3], sizes[1]}).permute({0, 3, 1, 2});
}

absl::Status UntilAPeerIsLost(const std::function<absl::Status()>& body, const int64_t& at_step) {
  try {
    return body();
  } catch (const PeerError& e) {
    return absl::UnavailableError(
        at_step < 0 ? absl::StrCat(e.what(), ", before the first step; restart all ranks")
                    : absl::StrCat(e.what(), ", at step ", at_step + 1,
                                   "; restart all ranks from the newest checkpoint"));
  }
}

CommunicatorRegistry& Communicators() {
  static CommunicatorRegistry& table = *new CommunicatorRegistry("communicator");
  return table;
}

}  // namespace moco
