#include "moco/report/report.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/exit_code.h"
#include "base/files.h"
#include "base/format_count.h"
#include "base/progress.h"
#include "moco/report/advice.h"
#include "moco/report/classes.h"
#include "moco/report/curves.h"
#include "moco/report/pairs.h"
#include "moco/report/parts.h"
#include "moco/report/runs_table.h"
#include "moco/report/sample.h"
#include "page/document.h"
#include "page/html.h"

namespace report {
namespace {

using base::FormatCount;
using page::HtmlText;

constexpr size_t kPairs = 24;         // images shown with their views
constexpr size_t kRunsWithPairs = 3;  // the first ones
constexpr size_t kRunsWithClasses = 8;
constexpr size_t kShownBadImages = 1000;

// ---- Settings -----------------------------------------------------------------------------------

// A flag whose value is not the usual one.
bool IsUnusual(const Run& run, const std::string& flag, const std::string& value) {
  const auto usual = run.settings.usual.find(flag);
  return usual != run.settings.usual.end() && usual->second != value;
}

std::string FlagRow(const Run& run, const std::string& flag, const std::string& value) {
  const bool unusual = IsUnusual(run, flag, value);
  const auto usual = run.settings.usual.find(flag);
  return absl::StrCat(unusual ? "<tr class=\"unusual\"><td><b>" : "<tr><td>", "<code>--",
                      HtmlText(flag), unusual ? "</code></b><td><b>" : "</code><td>", "<code>",
                      HtmlText(value), unusual ? "</code></b>" : "</code>", "<td><code>",
                      unusual ? HtmlText(usual->second) : "", "</code></tr>");
}

std::string SettingsTable(const Run& run) {
  if (run.flags.empty()) {
    return "<p class=\"quiet\">The folder has no flags.txt, so that the settings are not "
           "known.</p>";
  }
  std::string unusual, others;
  for (const auto& [flag, value] : run.flags) {
    absl::StrAppend(IsUnusual(run, flag, value) ? &unusual : &others, FlagRow(run, flag, value));
  }
  const std::string compared =
      run.settings.usual.empty()
          ? "The run does not say what its preset was."
          : absl::StrCat(unusual.empty() ? "No flag differs from " : "In bold: what differs from ",
                         run.settings.preset.empty()
                             ? "the program's defaults"
                             : absl::StrCat("the preset ", run.settings.preset),
                         ".");
  constexpr char kHead[] =
      "<div class=\"scroll\"><table class=\"flags\"><thead><tr><th>Flag<th>Value<th>Usual</tr>"
      "</thead><tbody>";
  std::string html = absl::StrCat("<p class=\"quiet\">", HtmlText(compared), "</p>");
  if (!unusual.empty()) absl::StrAppend(&html, kHead, unusual, "</tbody></table></div>");
  return absl::StrCat(html, "<details><summary>", unusual.empty() ? "All flags" : "The other flags",
                      "</summary>", kHead, others, "</tbody></table></div></details>");
}

std::string Environment(const Run& run) {
  if (run.environment.empty()) return "";
  std::string html = "<h3>Environment</h3><dl>";
  for (const auto& [name, value] : run.environment) {
    double bytes;
    const bool memory = name == "memory_bytes" && absl::SimpleAtod(value, &bytes);
    absl::StrAppend(&html, "<dt>", memory ? "memory" : HtmlText(name), "<dd>",
                    memory ? base::FormatBytes(bytes) : HtmlText(value), "</dd>");
  }
  return html + "</dl>";
}

std::string Commands(const Run& run) {
  if (run.flags.empty()) return "";
  const std::string program = absl::StrCat("bazel run ", run.settings.program, " -- ");
  std::string arguments;
  for (const std::string& argument : run.settings.arguments) {
    absl::StrAppend(&arguments, base::ShellQuoted(argument), " ");
  }
  std::string html =
      absl::StrCat("<h3>Commands</h3><p>The same run again, in a new folder:</p><pre>",
                   HtmlText(program), HtmlText(arguments),
                   "--flagfile=", HtmlText(base::ShellQuoted(run.path + "/flags.txt")), "</pre>");
  if (!run.Ended() && !run.IsSweep()) {
    absl::StrAppend(&html, "<p>If it has stopped, this continues it:</p><pre>", HtmlText(program),
                    "--resume=", HtmlText(base::ShellQuoted(run.path)), "</pre>");
  }
  return html;
}

std::string BadImages(const Run& run) {
  if (run.bad_images.empty()) return "";
  std::string html =
      absl::StrCat("<details class=\"files\"><summary>", FormatCount(run.bad_images.size()),
                   " damaged images</summary><ol>");
  for (size_t i = 0; i < std::min(run.bad_images.size(), kShownBadImages); ++i) {
    const auto& [name, why] = run.bad_images[i];
    // The reason begins with the name, unless it is that of another image.
    absl::StrAppend(&html, "<li>", HtmlText(absl::StrContains(why, name) ? why : name + ": " + why),
                    "</li>");
  }
  html += "</ol>";
  if (run.bad_images.size() > kShownBadImages) {
    absl::StrAppend(&html, "<p class=\"quiet\">and ",
                    FormatCount(run.bad_images.size() - kShownBadImages),
                    " more in bad_images.txt</p>");
  }
  return html + "</details>";
}

// ---- Verdict ------------------------------------------------------------------------------------

std::string Sentences(const std::vector<std::string>& sentences) {
  std::string html = "<ul class=\"advice\">";
  for (const std::string& sentence : sentences) {
    absl::StrAppend(&html, "<li>", HtmlText(sentence), "</li>");
  }
  return html + "</ul>";
}

std::string Notes(const std::vector<Run>& runs) {
  std::string html;
  for (const Run& run : runs) {
    for (const std::string& note : run.notes) {
      absl::StrAppend(&html, "<li>", HtmlText(note), ".</li>");
    }
  }
  return html.empty() ? "" : absl::StrCat("<ul class=\"notes\">", html, "</ul>");
}

std::string Verdict(const Run& run) {
  return absl::StrCat("<section><h2>Verdict</h2><p>", Badge(run), "</p>", Sentences(Advice(run)),
                      "</section>\n");
}

// ---- Pictures -----------------------------------------------------------------------------------

std::string PairsSection(const Run& run, bool named, const data::Dataset* dataset) {
  const auto pairs = FirstPairs(run, dataset, kPairs);
  std::string html = absl::StrCat("<section><h2>Views", named ? " of " : "",
                                  named ? HtmlText(run.name) : "", "</h2>");
  if (!pairs.ok()) {
    return absl::StrCat(html, "<p class=\"quiet\">There are no pictures: ",
                        HtmlText(pairs.status().message()), ".</p></section>\n");
  }
  absl::StrAppend(&html,
                  "<p class=\"quiet\">The first images of the run: the original and the two "
                  "views that the network saw, the query and the key. Click a picture to enlarge "
                  "it.</p>");
  if (!pairs->note.empty()) absl::StrAppend(&html, "<p>", HtmlText(pairs->note), "</p>");
  return absl::StrCat(html, PairsGrid(pairs->pairs), "</section>\n");
}

std::string Views(const std::vector<Run>& runs, const ReportOptions& options) {
  std::string html;
  size_t shown = 0, all = 0;
  for (const Run& run : runs) {
    if (run.settings.program != "//moco:pretrain") continue;
    if (++all > kRunsWithPairs) continue;
    html += PairsSection(run, runs.size() > 1, runs.size() == 1 ? options.dataset : nullptr);
    ++shown;
  }
  if (all > shown) {
    absl::StrAppend(&html, "<p class=\"quiet\">The views of the first ", shown, " of ", all,
                    " runs are shown.</p>");
  }
  if (runs.size() > 1 && all > 0) {
    html +=
        "<section><h2>Map of the features and nearest neighbours</h2><p class=\"quiet\">They are "
        "those of one encoder, and are in the report of a single run: <code>report.html</code> in "
        "its folder, or <code>bazel run //tools:report -- RUN</code>.</p></section>\n";
  }
  return html;
}

// ---- Page ---------------------------------------------------------------------------------------

std::string CurvesOfRuns() {
  return absl::StrCat(
      "<section><h2>Curves</h2><p class=\"quiet\">Point at a curve for its values. Drag across a "
      "part of the steps to enlarge it.</p>",
      kCurvesSection, "</section>\n");
}

// What the page has of each run beside its curves and pictures.
std::string Details(const Run& run) {
  return absl::StrCat(SettingsTable(run), SweepTable(run), BadImages(run), Environment(run),
                      Commands(run));
}

}  // namespace

std::string Report(const std::vector<Run>& runs, const ReportOptions& given) {
  const bool one = runs.size() == 1;
  ReportOptions options = given;
  if (one && options.features.section.empty()) {
    options.features = ShowSample(runs[0], options.dataset);
  }
  const std::string title =
      one ? absl::StrCat("Run ", runs[0].name) : absl::StrCat("Report of ", runs.size(), " runs");
  std::string body = absl::StrCat("<header><h1>", HtmlText(title), "</h1>");
  if (one) {
    absl::StrAppend(&body, "<p class=\"quiet\">", HtmlText(runs[0].settings.program), ", <code>",
                    HtmlText(runs[0].path), "</code></p>");
  }
  absl::StrAppend(&body, Notes(runs), "</header>\n<main>\n");
  if (one) {
    absl::StrAppend(&body, Verdict(runs[0]), "<section><h2>Settings</h2>", Details(runs[0]),
                    "</section>\n", CurvesOfRuns(),
                    HasClasses(runs[0]) ? ClassesSection(runs[0], /*pictures=*/true) : "");
  } else {
    absl::StrAppend(&body, RunsTable(runs), CurvesOfRuns(), ClassesOfRuns(runs, kRunsWithClasses));
  }
  absl::StrAppend(&body, Views(runs, options), options.features.section);
  size_t with_classes = 0;
  for (size_t r = 0; !one && r < runs.size(); ++r) {
    absl::StrAppend(&body, "<details class=\"each\" id=\"run-", r, "\"><summary><h2>",
                    HtmlText(runs[r].name), "</h2> ", Badge(runs[r]),
                    "</summary><p class=\"quiet\">", HtmlText(runs[r].settings.program), ", <code>",
                    HtmlText(runs[r].path), "</code></p>", Sentences(Advice(runs[r])),
                    Details(runs[r]));
    if (HasClasses(runs[r]) && ++with_classes <= kRunsWithClasses) {
      body += ClassesSection(runs[r], /*pictures=*/false);
    }
    body += "</details>\n";
  }
  std::vector<std::pair<std::string, nlohmann::json>> data = std::move(options.features.data);
  data.emplace_back(kCurvesId, Curves(runs));
  return page::Write({.title = title,
                      .body = body + "</main>\n",
                      .style = PartsStyle(),
                      .script = absl::StrCat(CurvesScript(), options.features.script),
                      .data = std::move(data)});
}

absl::Status WriteReport(const std::string& folder, const data::Dataset* dataset) {
  return base::CatchExceptions([&]() -> absl::Status {
    const auto run = ReadRun(folder);
    if (!run.ok()) return run.status();
    return base::WriteFileAtomically(absl::StrCat(folder, "/", kReportFile),
                                     Report({*run}, {.dataset = dataset}));
  });
}

}  // namespace report
