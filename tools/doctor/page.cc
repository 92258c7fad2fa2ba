#include "tools/doctor/page.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "base/format_count.h"
#include "data/contact_sheet.h"
#include "data/encode.h"
#include "page/document.h"
#include "page/html.h"

namespace doctor {
namespace {

using base::FormatCount;
using page::HtmlText;

constexpr char kStyle[] =
#include "tools/doctor/page.css.inc"
    ;

constexpr int kTile = 96, kColumns = 10;  // of contact sheets
constexpr size_t kShownImages = 60;       // of a finding, and of a sample
constexpr size_t kShownGroups = 24;
constexpr size_t kShownNames = 1000;
constexpr int kQuality = 80;

// Images of all parts as one data set.
class Referred : public data::Dataset {
 public:
  Referred(const Examination& examination, std::vector<ImageRef> refs)
      : examination_(examination), refs_(std::move(refs)) {}

  int64_t size() const override { return static_cast<int64_t>(refs_.size()); }
  absl::StatusOr<cv::Mat> Image(int64_t i) const override {
    const ImageRef& ref = refs_[i];
    return data::ReadImageAt(*examination_.parts[ref.part].opened.dataset,
                             examination_.Seen(ref).index);
  }
  std::string Name(int64_t i) const override { return examination_.Name(refs_[i]); }
  int Label(int64_t) const override { return -1; }
  const std::vector<std::string>& classes() const override { return classes_; }

 private:
  const Examination& examination_;
  const std::vector<ImageRef> refs_;
  const std::vector<std::string> classes_;
};

// A contact sheet, with each image's name under the pointer.
std::string Sheet(const Examination& examination, const std::vector<ImageRef>& refs) {
  const Referred images(examination, refs);
  const int columns = std::min<int>(kColumns, static_cast<int>(refs.size()));
  std::vector<int64_t> indices(refs.size());
  std::iota(indices.begin(), indices.end(), 0);
  const cv::Mat pixels = data::ContactSheet(images, indices, columns, kTile);
  std::string html = absl::StrCat(
      "<div class=\"sheet\" style=\"--columns:", columns, ";--rows:", pixels.rows / kTile,
      "\"><img width=\"", pixels.cols, "\" height=\"", pixels.rows, "\" alt=\"", refs.size(),
      " images\" src=\"data:image/jpeg;base64,",
      absl::Base64Escape(data::EncodeJpeg(pixels, kQuality)), "\"><div class=\"names\">");
  for (const int64_t i : indices) {
    absl::StrAppend(&html, "<span title=\"", HtmlText(images.Name(i)), "\"></span>");
  }
  return html + "</div></div>";
}

std::string Files(const std::vector<std::string>& names) {
  std::string html = "<details class=\"files\"><summary>Files</summary><ol>";
  for (size_t i = 0; i < std::min(names.size(), kShownNames); ++i) {
    absl::StrAppend(&html, "<li>", HtmlText(names[i]), "</li>");
  }
  absl::StrAppend(&html, "</ol>");
  if (names.size() > kShownNames) {
    absl::StrAppend(&html, "<p class=\"quiet\">and ", FormatCount(names.size() - kShownNames),
                    " more</p>");
  }
  return html + "</details>";
}

std::vector<std::string> NamesOf(const Examination& examination,
                                 const std::vector<ImageRef>& refs) {
  std::vector<std::string> names;
  for (const ImageRef& ref : refs) names.push_back(examination.Name(ref));
  return names;
}

const char* Word(Severity severity) {
  return severity == Severity::kFailure   ? "failure"
         : severity == Severity::kWarning ? "warning"
                                          : "note";
}

// The pictures and names of a finding; empty if it has none.
std::string Evidence(const Examination& examination, const Finding& finding) {
  if (finding.groups.empty() && finding.names.empty()) return "";
  std::string html = absl::StrCat("<section><h2>", HtmlText(finding.title), "</h2><p>",
                                  HtmlText(finding.text), "</p>");
  const bool alike = std::any_of(finding.groups.begin(), finding.groups.end(),
                                 [](const auto& group) { return group.size() > 1; });
  size_t shown = 0;
  if (alike) {
    html += "<div class=\"groups\">";
    for (const std::vector<ImageRef>& group : finding.groups) {
      if (++shown > kShownGroups) break;
      const std::vector<ImageRef> first(group.begin(),
                                        group.begin() + std::min<size_t>(group.size(), kColumns));
      absl::StrAppend(&html, "<figure>", Sheet(examination, first),
                      Files(NamesOf(examination, group)), "</figure>");
    }
    html += "</div>";
    if (finding.groups.size() > kShownGroups) {
      absl::StrAppend(&html, "<p class=\"quiet\">The first ", kShownGroups, " of ",
                      FormatCount(finding.groups.size()), " groups are shown.</p>");
    }
  } else if (!finding.groups.empty()) {
    std::vector<ImageRef> all;
    for (const auto& group : finding.groups) all.push_back(group[0]);
    const std::vector<ImageRef> first(all.begin(),
                                      all.begin() + std::min(all.size(), kShownImages));
    absl::StrAppend(&html, "<figure>", Sheet(examination, first), Files(NamesOf(examination, all)),
                    "</figure>");
  }
  if (!finding.names.empty()) html += Files(finding.names);
  return html + "</section>\n";
}

struct Bar {
  std::string name;
  int64_t count;
};

std::string Bars(const std::vector<Bar>& bars) {
  int64_t most = 1;
  for (const Bar& bar : bars) most = std::max(most, bar.count);
  std::string html = "<div class=\"bars\">";
  for (const Bar& bar : bars) {
    absl::StrAppend(&html, "<span>", HtmlText(bar.name), "</span><span>", FormatCount(bar.count),
                    "</span>",
                    absl::StrFormat("<i style=\"--share:%.1f%%\"></i>", 100.0 * bar.count / most));
  }
  return html + "</div>";
}

// How many images have a shorter side of 1, 2 to 3, 4 to 5, ...: two bars for each doubling.
std::vector<Bar> SizeBars(const Look& look) {
  std::map<int, int64_t> counts;  // by half powers of two
  for (const int side : ShorterSides(look)) {
    ++counts[static_cast<int>(std::floor(2 * std::log2(side)))];
  }
  const auto from = [](int step) { return static_cast<int>(std::ceil(std::exp2(step / 2.0))); };
  std::vector<Bar> bars;
  for (int step = counts.begin()->first; step <= counts.rbegin()->first; ++step) {
    if (from(step) >= from(step + 1)) continue;
    bars.push_back({absl::StrCat(from(step), " to ", from(step + 1) - 1, " pixels"), counts[step]});
  }
  return bars;
}

std::string PartSection(const Examination& examination, size_t p) {
  const Part& part = examination.parts[p];
  const Look& look = part.look;
  std::string html = absl::StrCat("<section><h2>Images for ", part.Title(), "</h2>");
  if (!look.images.empty()) {
    std::vector<ImageRef> sample;
    const size_t count = std::min(look.images.size(), kShownImages);
    for (size_t i = 0; i < count; ++i) {
      sample.push_back({static_cast<int>(p), static_cast<int64_t>(i * look.images.size() / count)});
    }
    absl::StrAppend(&html, "<p class=\"quiet\">", FormatCount(count),
                    " images, evenly spaced. Point at one for its name.</p><figure>",
                    Sheet(examination, sample), "</figure><h3>Stored as</h3>");
    std::vector<Bar> kinds;
    for (const auto& [kind, images] : CountKinds(look)) kinds.push_back({kind, images});
    absl::StrAppend(&html, Bars(kinds), "<h3>Shorter side</h3>", Bars(SizeBars(look)));
  }
  const auto& classes = part.opened.dataset->classes();
  if (!classes.empty()) {
    std::vector<Bar> bars;
    for (size_t c = 0; c < classes.size(); ++c) {
      bars.push_back({classes[c], part.overview.class_sizes[c]});
    }
    std::stable_sort(bars.begin(), bars.end(),
                     [](const Bar& a, const Bar& b) { return a.count > b.count; });
    absl::StrAppend(&html, "<h3>", FormatCount(classes.size()), " classes</h3><div class=\"long\">",
                    Bars(bars), "</div>");
  }
  return html + "</section>\n";
}

}  // namespace

std::string Page(const Examination& examination, const std::vector<Finding>& findings,
                 const PageText& text) {
  std::string body = absl::StrCat("<header><h1>", HtmlText(text.data), "</h1><dl>");
  for (absl::string_view line : text.lines) {
    const size_t space = std::min(line.find(' '), line.size());
    absl::StrAppend(&body, "<dt>", HtmlText(line.substr(0, space)), "<dd>",
                    HtmlText(absl::StripLeadingAsciiWhitespace(line.substr(space))), "</dd>");
  }
  absl::StrAppend(&body, "</dl></header>\n<main>\n<section><h2>Findings</h2>");
  if (findings.empty()) body += "<p>Nothing is wrong with what was looked at.</p>";
  body += "<ul class=\"findings\">";
  for (const Finding& finding : findings) {
    const char* const word = Word(finding.severity);
    absl::StrAppend(&body, "<li><b class=\"", word, "\">", word, "</b><span>",
                    HtmlText(finding.text), "</span></li>");
  }
  body += "</ul></section>\n";
  if (!text.command.empty()) {
    absl::StrAppend(&body, "<section><h2>Advice</h2><pre>", HtmlText(text.command), "</pre><dl>");
    for (const AdvisedFlag& flag : text.flags) {
      if (flag.why.empty()) continue;
      absl::StrAppend(&body, "<dt><code>",
                      HtmlText(flag.flag.substr(0, flag.flag.find_first_of("= "))), "</code><dd>",
                      HtmlText(flag.why), "</dd>");
    }
    body += "</dl></section>\n";
  }
  for (const Finding& finding : findings) body += Evidence(examination, finding);
  for (size_t p = 0; p < examination.parts.size(); ++p) body += PartSection(examination, p);
  return page::Write(
      {.title = absl::StrCat("Data: ", text.data), .body = body + "</main>\n", .style = kStyle});
}

}  // namespace doctor
