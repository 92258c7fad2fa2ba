#include "moco/report/confusion_matrix.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/format_count.h"
#include "page/html.h"

namespace report {
namespace {

using base::FormatCount;
using page::HtmlText;

constexpr size_t kMostClasses = 40, kShownOfMany = 30;
constexpr int kCell = 34;                // pixels
constexpr size_t kLetters = 18;          // of a class's name that are shown
constexpr double kLetter = 7, kGap = 8;  // pixels: the width of a letter, space around names
constexpr double kDark = 0.55;           // share above which the number in a cell is light

// The beginning of a name, by characters of UTF-8.
std::string Short(const std::string& name) {
  size_t letters = 0, end = 0;
  for (; end < name.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(name[end]) & 0xC0) != 0x80;
    if (begins && ++letters > kLetters) break;
  }
  return end == name.size() ? name : name.substr(0, end) + "…";
}

std::string Cell(double x, double y, double share, bool right, const std::string& tip) {
  const std::string number = 100 * share >= 0.5 ? absl::StrFormat("%.0f", 100 * share) : "";
  return absl::StrCat(
      absl::StrFormat("<g data-tip=\"%s\"><rect class=\"%s\" x=\"%g\" y=\"%g\" width=\"%d\" "
                      "height=\"%d\" fill-opacity=\"%.3f\"/>",
                      HtmlText(tip), right ? "right" : "wrong", x, y, kCell - 1, kCell - 1,
                      0.06 + 0.94 * share),
      number.empty() ? ""
                     : absl::StrFormat("<text class=\"%s\" x=\"%g\" y=\"%g\">%s</text>",
                                       share > kDark ? "number on-dark" : "number",
                                       x + kCell / 2.0 - 0.5, y + kCell / 2.0 + 4, number),
      "</g>");
}

}  // namespace

std::string ConfusionMatrix(const Confusion& confusion) {
  const size_t all = confusion.classes.size();
  std::vector<size_t> shown(all);
  std::iota(shown.begin(), shown.end(), size_t{0});
  if (all > kMostClasses) {
    std::stable_sort(shown.begin(), shown.end(), [&](size_t a, size_t b) {
      return confusion.Images(a) - confusion.Right(a) > confusion.Images(b) - confusion.Right(b);
    });
    shown.resize(kShownOfMany);
    std::sort(shown.begin(), shown.end());
  }
  size_t letters = 0;
  std::vector<std::string> names;
  for (const size_t c : shown) {
    names.push_back(Short(confusion.classes[c]));
    letters = std::max(letters, std::min(confusion.classes[c].size(), kLetters + 1));
  }
  const bool has_others = shown.size() < all;
  if (has_others) letters = std::max<size_t>(letters, 6);
  const double margin = kLetter * letters + 2 * kGap;
  const size_t columns = shown.size() + has_others;
  const double width = margin + kCell * columns, height = margin + kCell * shown.size();

  std::string svg = absl::StrFormat(
      "<svg class=\"confusion\" viewBox=\"0 0 %g %g\" width=\"%g\" height=\"%g\" role=\"img\" "
      "aria-label=\"Confusion matrix of %d classes\">",
      width, height, width, height, shown.size());
  const auto column_name = [&](size_t column, const std::string& name) {
    const double x = margin + kCell * column + kCell / 2.0 + 4, y = margin - kGap;
    absl::StrAppend(
        &svg,
        absl::StrFormat("<text x=\"%g\" y=\"%g\" transform=\"rotate(-90 %g %g)\">", x, y, x, y),
        HtmlText(name), "</text>");
  };
  for (size_t i = 0; i < shown.size(); ++i) column_name(i, names[i]);
  if (has_others) column_name(shown.size(), "others");
  for (size_t row = 0; row < shown.size(); ++row) {
    const double y = margin + kCell * row;
    const int64_t images = confusion.Images(shown[row]);
    absl::StrAppend(&svg,
                    absl::StrFormat("<text x=\"%g\" y=\"%g\" text-anchor=\"end\">", margin - kGap,
                                    y + kCell / 2.0 + 4),
                    HtmlText(names[row]), "</text>");
    int64_t others = images;
    const auto cell = [&](size_t column, int64_t count, const std::string& taken_for) {
      if (count == 0) return;
      const double share = static_cast<double>(count) / images;
      absl::StrAppend(
          &svg,
          Cell(margin + kCell * column, y, share, column == row,
               absl::StrFormat("%s taken for %s: %s of %s (%.1f %%)", confusion.classes[shown[row]],
                               taken_for, FormatCount(count), FormatCount(images), 100 * share)));
    };
    for (size_t column = 0; column < shown.size(); ++column) {
      const int64_t count = confusion.Count(shown[row], shown[column]);
      others -= count;
      cell(column, count, confusion.classes[shown[column]]);
    }
    if (has_others) cell(shown.size(), others, "another class");
  }
  return absl::StrCat(
      "<h3>Confusion matrix</h3><p class=\"quiet\">In a row the images of a class, in the columns "
      "what they were taken for, as percentages of the class. Blue is right, orange is wrong.",
      has_others ? absl::StrCat(" Shown are the ", shown.size(), " of ", FormatCount(all),
                                " classes with the most wrong images.")
                 : "",
      "</p><div class=\"scroll\">", svg, "</svg></div>");
}

}  // namespace report
