#include "data/requests.h"

#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "data/listing.h"
#include "data/table.h"

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
  // Images of packed data and of archives have names of other kinds, too.
  auto table = ReadTable(
      list, "", [](absl::string_view cell) { return !cell.empty() && !IsColumnName(cell); });
  if (!table.ok()) return table.status();
  std::vector<RequestedImage> images;
  std::map<std::string, int64_t> seen;  // the line of each name
  for (Line& row : table->rows) {
    const absl::string_view cell = table->Cell(row, table->file);
    if (cell.empty() || table->IsTooWide(row) ||
        (table->label && !table->Cell(row, *table->label).empty())) {
      return NotAName(list, row.number, cell);
    }
    std::string& name = row.fields[table->file];
    const auto [first, is_new] = seen.emplace(name, row.number);
    if (!is_new) {
      return absl::InvalidArgumentError(absl::StrCat("'", list, "' line ", row.number, ": '", name,
                                                     "' is already in line ", first->second));
    }
    images.push_back({std::move(name), row.number});
  }
  return images;
}

absl::Status NotAName(const std::string& list, int64_t line, absl::string_view name) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", list, "' line ", line, ": '", name,
                   "' is not the name of an image and nothing else, such as 12.png (only the first "
                   "line may be a header such as 'filename')"));
}

}  // namespace data
