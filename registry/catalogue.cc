#include "registry/catalogue.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "registry/table.h"

namespace registry {
namespace {

// "number, 0 to 1", or only the type if every value is allowed.
std::string TypeAndRange(const OptionInfo& option) {
  return option.range.empty() ? option.type : absl::StrCat(option.type, ", ", option.range);
}

std::string MarkdownRow(const std::vector<std::string>& cells) {
  return absl::StrCat(
      "| ",
      absl::StrJoin(cells, " | ",
                    [](std::string* out, const std::string& cell) {
                      absl::StrAppend(out, absl::StrReplaceAll(cell, {{"|", "\\|"}}));
                    }),
      " |\n");
}

}  // namespace

std::string Catalogue() {
  std::string text;
  for (const Table* table : Table::All()) {
    for (const Entry& entry : table->List()) {
      absl::StrAppend(&text, table->kind(), " ", entry.name, ": ", entry.summary, "\n");
      for (const OptionInfo& o : entry.options) {
        absl::StrAppend(&text, "    ", o.key, "=", o.default_value, " (", TypeAndRange(o), ") ",
                        o.help, "\n");
      }
    }
  }
  return text;
}

std::string MarkdownCatalogue() {
  std::string text;
  for (const Table* table : Table::All()) {
    absl::StrAppend(&text, "\n## ", table->kind(), "\n");
    for (const Entry& entry : table->List()) {
      absl::StrAppend(&text, "\n### `", entry.name, "`\n\n", entry.summary, "\n");
      if (entry.options.empty()) continue;
      absl::StrAppend(&text, "\n", MarkdownRow({"option", "default", "type", "range", "meaning"}),
                      MarkdownRow({"---", "---", "---", "---", "---"}));
      for (const OptionInfo& o : entry.options) {
        absl::StrAppend(
            &text,
            MarkdownRow({absl::StrCat("`", o.key, "`"),
                         o.default_value.empty() ? "" : absl::StrCat("`", o.default_value, "`"),
                         o.type, o.range, o.help}));
      }
    }
  }
  return text;
}

}  // namespace registry
