#include "data/requests.h"

#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "data/labels.h"
#include "data/listing.h"

namespace data {
absl::StatusOr<std::vector<Request>> FindRequests(const std::string& folder) {
  std::map<std::string, Request> found;
  absl::Status status = ForEachEntry(folder, [&](absl::string_view name, bool is_folder) {
    if (is_folder) return absl::OkStatus();
    if (absl::ConsumePrefix(&name, "request_") && absl::ConsumeSuffix(&name, ".csv")) {
      found[std::string(name)].has_list = true;
    } else if (absl::ConsumePrefix(&name, "label_") && absl::ConsumeSuffix(&name, ".pt")) {
      found[std::string(name)].has_labels = true;
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  std::vector<Request> requests;
  for (auto& [number, request] : found) {
    request.number = number;
    request.list = absl::StrCat(folder, "/request_", number, ".csv");
    request.labels = absl::StrCat(folder, "/label_", number, ".pt");
    requests.push_back(std::move(request));
  }
  return requests;
}

absl::StatusOr<std::vector<RequestedImage>> ReadRequest(const std::string& list) {
  auto lines = ReadCsv(list);
  if (!lines.ok()) return lines.status();
  std::vector<RequestedImage> images;
  std::map<std::string, int64_t> seen;  // the line of each name
  for (Line& line : *lines) {
    if (&line == &lines->front() && IsHeader(line)) continue;
    const auto wrong = [&](absl::string_view why) {
      return absl::InvalidArgumentError(absl::StrCat("'", list, "' line ", line.number, ": '",
                                                     absl::StrJoin(line.fields, ","), "' ", why));
    };
    if (line.fields.size() == 2 && line.fields[1].empty()) line.fields.pop_back();
    if (line.fields.size() > 1) return wrong("is more than a name");
    const auto [first, is_new] = seen.emplace(line.fields[0], line.number);
    if (!is_new) return wrong(absl::StrCat("is in line ", first->second, " already"));
    images.push_back({std::move(line.fields[0]), line.number});
  }
  return images;
}

}  // namespace data
