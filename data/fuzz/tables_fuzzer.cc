// libFuzzer's entry point for lists of images: tools/fuzz.sh.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "data/csv.h"
#include "data/label_text.h"
#include "data/table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text = data::DecodeText({reinterpret_cast<const char*>(data), size});
  const bool is_json = !text.empty() && text[0] == '{';
  for (const char* columns : {"", "file label", "2,1"}) {
    const auto table = data::ParseTable(is_json ? "x.jsonl" : "x.csv", text, columns,
                                        [](absl::string_view cell) { return cell.size() == 1; });
    if (!table.ok()) continue;
    std::vector<std::string> labels;
    for (const data::Line& row : table->rows) {
      data::FileNameOf(table->Cell(row, table->file));
      table->IsTooWide(row);
      labels.push_back(table->label ? data::PlainLabel(table->Cell(row, *table->label)) : "");
    }
    data::ClassesOfTexts(labels);
  }
  return 0;
}
