#include "moco/communicators/agreement.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/signals.h"

namespace moco {
namespace {

// Returns the number of every rank, by rank.
std::vector<int64_t> AllGatherNumber(Communicator& communicator, int64_t number) {
  const at::Tensor all = communicator.AllGather(at::tensor({number}).view({1, 1})).contiguous();
  const int64_t* numbers = all.const_data_ptr<int64_t>();
  return {numbers, numbers + communicator.size()};
}

uint32_t Checksum(const std::vector<at::Tensor>& tensors) {
  uint32_t sum = 0;
  for (const at::Tensor& tensor : tensors) {
    const at::Tensor in_memory = tensor.detach().cpu().contiguous();
    sum = crc32_z(sum, static_cast<const Bytef*>(in_memory.const_data_ptr()), in_memory.nbytes());
  }
  return sum;
}

}  // namespace

std::vector<std::string> AllGatherText(Communicator& communicator, const std::string& text) {
  const std::vector<int64_t> lengths = AllGatherNumber(communicator, text.size());
  const int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  const at::Tensor padded = at::zeros({1, std::max<int64_t>(longest, 1)}, at::kByte);
  std::memcpy(padded.mutable_data_ptr(), text.data(), text.size());
  const at::Tensor all = communicator.AllGather(padded).contiguous();
  std::vector<std::string> texts;
  for (int64_t rank = 0; rank < communicator.size(); ++rank) {
    const char* row = static_cast<const char*>(all.const_data_ptr()) + rank * all.size(1);
    texts.emplace_back(row, lengths[rank]);
  }
  return texts;
}

absl::Status CheckSameSettings(Communicator& communicator, const Settings& settings) {
  const std::string own =
      absl::StrJoin(settings, "\n", absl::PairFormatter("="));  // values have no line breaks
  const std::vector<std::string> texts = AllGatherText(communicator, own);
  for (size_t rank = 1; rank < texts.size(); ++rank) {
    if (texts[rank] == texts[0]) continue;
    const std::vector<std::string> first = absl::StrSplit(texts[0], '\n');
    const std::vector<std::string> other = absl::StrSplit(texts[rank], '\n');
    for (size_t i = 0; i < std::min(first.size(), other.size()); ++i) {
      if (first[i] == other[i]) continue;
      const auto value = [](const std::string& line) { return line.substr(line.find('=') + 1); };
      return absl::InvalidArgumentError(absl::StrCat(
          "the ranks must have the same settings: --", first[i].substr(0, first[i].find('=')),
          " of rank 0 is '", value(first[i]), "', of rank ", rank, " '", value(other[i]),
          "'; start every rank with the same program and flags"));
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "rank ", rank,
        " runs another version of this program than rank 0; start the same version on every rank"));
  }
  return absl::OkStatus();
}

absl::Status CheckSameTensors(Communicator& communicator, const std::vector<at::Tensor>& tensors,
                              const std::string& what, int64_t step) {
  if (communicator.size() == 1) return absl::OkStatus();
  const std::vector<int64_t> sums = AllGatherNumber(communicator, Checksum(tensors));
  std::vector<int64_t> others;
  for (int64_t rank = 1; rank < communicator.size(); ++rank) {
    if (sums[rank] != sums[0]) others.push_back(rank);
  }
  if (others.empty()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(what, " of rank ", absl::StrJoin(others, ", "),
                                          " differ from rank 0's at step ", step,
                                          "; nothing is saved; resume from the last checkpoint"));
}

std::set<int64_t> Union(Communicator& communicator, const std::set<int64_t>& numbers) {
  std::set<int64_t> all;
  for (const std::string& text : AllGatherText(communicator, absl::StrJoin(numbers, " "))) {
    for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
      int64_t number = 0;
      if (absl::SimpleAtoi(word, &number)) all.insert(number);
    }
  }
  return all;
}

at::Tensor AllGatherUneven(Communicator& communicator, const at::Tensor& own, int64_t total) {
  const int64_t most = (total + communicator.size() - 1) / communicator.size();
  std::vector<int64_t> sizes = own.sizes().vec();
  sizes[0] = most;
  const at::Tensor padded = at::zeros(sizes, own.options());
  padded.narrow(0, 0, own.size(0)).copy_(own);
  // The padding rows come last.
  return communicator.AllGather(padded).narrow(0, 0, total);
}

absl::Status StopRequested(Communicator& communicator) {
  if (communicator.size() > 1) {
    const std::vector<int64_t> signals = AllGatherNumber(communicator, base::StopSignal());
    const int64_t signal = *std::max_element(signals.begin(), signals.end());
    // A signal that reaches this rank in the meantime counts at the next step, because the other
    // ranks do not know of it.
    if (signal == 0) return absl::OkStatus();
    base::ShareStopSignal(static_cast<int>(signal));
  }
  return base::StopRequested();
}

void WaitForAll(Communicator& communicator) { (void)AllGatherNumber(communicator, 0); }

bool RankZeroSays(Communicator& communicator, bool own) {
  return AllGatherNumber(communicator, own)[0] != 0;
}

}  // namespace moco
