#include "data/labels.h"

#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "data/listing.h"
#include "tensors/tensor_file.h"

namespace data {
namespace {

constexpr int64_t kMaxListBytes = int64_t{1} << 32;

// The fields of a line; false when a quoted one does not end.
bool SplitFields(absl::string_view line, std::vector<std::string>& fields) {
  for (;;) {
    line = absl::StripLeadingAsciiWhitespace(line);
    std::string field;
    if (absl::ConsumePrefix(&line, "\"")) {
      for (;;) {
        const size_t quote = line.find('"');
        if (quote == absl::string_view::npos) return false;
        absl::StrAppend(&field, line.substr(0, quote));
        line.remove_prefix(quote + 1);
        if (!absl::ConsumePrefix(&line, "\"")) break;
        field += '"';
      }
      line = absl::StripLeadingAsciiWhitespace(line);
      if (!line.empty() && line[0] != ',') return false;
    } else {
      const absl::string_view plain = line.substr(0, line.find(','));
      field = std::string(absl::StripAsciiWhitespace(plain));
      line.remove_prefix(plain.size());
    }
    fields.push_back(std::move(field));
    if (!absl::ConsumePrefix(&line, ",")) return true;
  }
}

}  // namespace

absl::StatusOr<std::vector<int>> ReadLabelTensor(const std::string& path) {
  auto file = tensors::TensorFile::Open(path);
  if (!file.ok()) return file.status();
  const tensors::pickle::Value& root = file->root();
  if (root.kind != tensors::pickle::Value::kTensor || root.tensor->sizes.size() != 1) {
    return file->Unsuitable("is not a tensor of one dimension; write the labels with torch.save");
  }
  const tensors::pickle::TensorInfo& tensor = *root.tensor;
  auto storage = file->Read(tensor);
  if (!storage.ok()) return storage.status();
  if (storage->dtype->name != absl::string_view("int64")) {
    return file->Unsuitable(absl::StrCat("holds ", storage->dtype->name,
                                         "; labels must be int64: torch.save(labels.long(), ...)"));
  }
  std::vector<int> labels;
  for (int64_t i = 0; i < tensor.sizes[0]; ++i) {
    int64_t label;
    std::memcpy(&label, storage->bytes.data() + 8 * (tensor.offset + i * tensor.strides[0]), 8);
    if (label < 0 || label >= kMaxClasses) {
      return file->Unsuitable(absl::StrCat("has the label ", label, " in entry ", i,
                                           "; labels are 0 to ", kMaxClasses - 1));
    }
    labels.push_back(static_cast<int>(label));
  }
  return labels;
}

absl::StatusOr<std::vector<Line>> ReadCsv(const std::string& path) {
  auto text = base::ReadFile(path, kMaxListBytes);
  if (!text.ok()) return text.status();
  absl::string_view rest = *text;
  absl::ConsumePrefix(&rest, "\xEF\xBB\xBF");  // a byte order mark
  std::vector<Line> lines;
  int64_t number = 0;
  for (absl::string_view line : absl::StrSplit(rest, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) continue;
    lines.push_back({number, {}});
    if (!SplitFields(line, lines.back().fields)) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", path, "' line ", number, ": a quoted field does not end"));
    }
  }
  return lines;
}

std::string CsvField(absl::string_view text) {
  const bool plain = absl::StripAsciiWhitespace(text) == text &&
                     text.find_first_of(",\"") == absl::string_view::npos;
  return plain ? std::string(text)
               : absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

bool IsHeader(const Line& line) {
  for (const char* header : {"file", "filename", "image", "name", "path"}) {
    if (absl::EqualsIgnoreCase(line.fields[0], header)) return true;
  }
  return false;
}

}  // namespace data
