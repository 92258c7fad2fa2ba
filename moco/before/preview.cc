#include "moco/before/preview.h"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/format_count.h"
#include "data/contact_sheet.h"
#include "data/decode.h"
#include "data/encode.h"
#include "moco/report/first_images.h"
#include "moco/report/pairs.h"
#include "moco/report/parts.h"
#include "moco/report/picture.h"
#include "page/document.h"
#include "page/html.h"

namespace moco {
namespace {

using augment::Pipeline;
using base::FormatCount;
using page::HtmlText;
using report::FirstImage;

constexpr char kStyle[] =
#include "moco/before/preview.css.inc"
    ;

constexpr size_t kPairs = 24;    // images of the page
constexpr size_t kStepwise = 6;  // those of them whose steps are shown
constexpr int kStepSide = 224;   // pixels of such a picture
constexpr size_t kRows = 10;     // images of the PNG file
constexpr int kTile = 128, kHeader = 24, kMargin = 52;
constexpr double kMaxOutlined = 16e6;  // pixels; the coordinates of more need too much memory
constexpr const char* kViewNames[] = {"query", "key"};

// ---- What a step does ---------------------------------------------------------------------------

// "flip" of "flip:p=0.5".
std::string NameOf(const std::string& spec) { return spec.substr(0, spec.find(':')); }

// The step after which a view is shown: the last one before its values leave the range of an image.
size_t LastVisible(const Pipeline& views) {
  for (size_t i = 0; i < views.steps().size(); ++i) {
    if (views.steps()[i].output.tensor) return i;
  }
  return views.steps().size() - 1;
}

// All values as those of one channel, since OpenCV's sums take at most four.
cv::Mat Values(const cv::Mat& image) {
  return (image.isContinuous() ? image : image.clone()).reshape(1);
}

// Whether a step has made an image of another size or of other values; to_tensor only scales them.
bool Changed(const cv::Mat& before, const cv::Mat& after) {
  if (before.size() != after.size()) return true;
  if (before.type() != after.type()) return false;
  return cv::norm(Values(before), Values(after), cv::NORM_INF) > 0;
}

const cv::Mat& Before(const FirstImage& image, size_t view, size_t step) {
  return step == 0 ? image.original : image.traces[view][step - 1];
}

// What to write below the picture after a step.
std::string Caption(const cv::Mat& before, const cv::Mat& after, bool tensor) {
  if (tensor) {
    double low, high;
    cv::minMaxLoc(Values(after), &low, &high);
    cv::Scalar mean, deviation;
    cv::meanStdDev(Values(after), mean, deviation);
    return absl::StrFormat("values %.2f to %.2f, mean %.2f, deviation %.2f", low, high, mean[0],
                           deviation[0]);
  }
  if (before.size() != after.size()) return absl::StrCat(after.cols, " x ", after.rows, " pixels");
  if (!Changed(before, after)) return "unchanged";
  const double values = static_cast<double>(after.total()) * after.channels();
  const double scale = after.depth() == CV_8U ? 255 : 1;
  return absl::StrFormat(
      "changed by %.1f %% on average",
      100 * cv::norm(Values(before), Values(after), cv::NORM_L1) / values / scale);
}

// The original, small enough for a page, with an outline around what a view shows.
cv::Mat Outlined(const cv::Mat& original, const std::optional<cv::Rect2d>& part) {
  cv::Mat shown = data::ToRgb8(original).clone();
  const double scale = std::min(1.0, 1.0 * kStepSide / std::max(shown.rows, shown.cols));
  if (scale < 1) {
    const cv::Size size(std::max<int>(1, std::lround(shown.cols * scale)),
                        std::max<int>(1, std::lround(shown.rows * scale)));
    cv::resize(shown, shown, size, 0, 0, cv::INTER_AREA);
  }
  if (!part) return shown;
  const cv::Point from(std::lround(part->x * scale), std::lround(part->y * scale));
  const cv::Point to(std::lround((part->x + part->width) * scale) - 1,
                     std::lround((part->y + part->height) * scale) - 1);
  const int thickness = std::max(shown.rows, shown.cols) > 100 ? 2 : 1;
  cv::rectangle(shown, from, to, cv::Scalar(255, 145, 0), thickness);
  return shown;
}

std::string PartText(const cv::Mat& original, const std::optional<cv::Rect2d>& part) {
  const std::string size = absl::StrCat(original.cols, " x ", original.rows, " pixels");
  if (!part) return size;
  return absl::StrFormat("%s; the outline has %.0f %% of them", size,
                         100 * part->area() / static_cast<double>(original.total()));
}

// ---- The page -----------------------------------------------------------------------------------

// The file and the folder or archive that it is in, of a name with the whole path.
std::string ShortName(const std::string& name) {
  const size_t file = name.rfind('/');
  if (file == std::string::npos || file == 0) return name;
  const size_t folder = name.rfind('/', file - 1);
  return folder == std::string::npos ? name : name.substr(folder + 1);
}

// A table of both views of an image, step by step.
std::string Stepwise(const PreviewOptions& options, const FirstImage& image) {
  const Pipeline& views = *options.views;
  const size_t last = LastVisible(views);
  std::string html =
      absl::StrCat("<h3 title=\"", HtmlText(image.name), "\">", HtmlText(ShortName(image.name)),
                   "</h3><div class=\"scroll\"><table class=\"steps\"><thead><tr>"
                   "<th>View<th>original");
  for (const Pipeline::StepType& step : views.steps()) {
    absl::StrAppend(&html, "<th title=\"", HtmlText(step.spec), "\">", HtmlText(NameOf(step.spec)));
  }
  html += "</tr></thead><tbody>";
  for (size_t view = 0; view < image.traces.size(); ++view) {
    const auto part = ShownPart(views, image.original.size(),
                                report::ViewStream(options.seed, image.index, view));
    absl::StrAppend(&html, "<tr><td>", kViewNames[view], "<td>",
                    report::Picture(Outlined(image.original, part),
                                    absl::StrCat(image.name, ": original, with the ",
                                                 kViewNames[view], "'s part outlined"),
                                    kStepSide),
                    "<span>", PartText(image.original, part), "</span>");
    for (size_t i = 0; i < image.traces[view].size(); ++i) {
      const cv::Mat &before = Before(image, view, i), &after = image.traces[view][i];
      const bool tensor = views.steps()[i].output.tensor;
      html += !tensor && !Changed(before, after) ? "<td class=\"same\">" : "<td>";
      if (i < last || !tensor) {
        html += report::Picture(data::ToRgb8(after),
                                absl::StrCat(image.name, ": ", kViewNames[view], " after ",
                                             NameOf(views.steps()[i].spec)),
                                kStepSide);
      }
      absl::StrAppend(&html, "<span>", Caption(before, after, tensor), "</span>");
    }
    html += "</tr>";
  }
  return html + "</tbody></table></div>";
}

std::string ListOfSteps(const Pipeline& views, const std::vector<int64_t>& changed, size_t images) {
  std::string html =
      "<div class=\"scroll\"><table class=\"list\"><thead><tr><th>Step<th>With these options<th>"
      "Changed</tr></thead><tbody>";
  for (size_t i = 0; i < views.steps().size(); ++i) {
    const std::string& spec = views.steps()[i].spec;
    absl::StrAppend(&html, "<tr><td>", i + 1, ". ", HtmlText(NameOf(spec)), "<td><code>",
                    HtmlText(spec), "</code><td>",
                    views.steps()[i].output.tensor
                        ? "all values, for the network"
                        : absl::StrCat(changed[i], " of the ", 2 * images, " views below"),
                    "</tr>");
  }
  return html + "</tbody></table></div>";
}

// How images that a screen cannot show as they are become colours; the rule of data::ToRgb8.
std::string ColourRule(const PreviewOptions& options) {
  const int channels = options.views->output().channels;
  return channels == 2  ? " Of the two channels, the first is shown as grey."
         : channels > 4 ? absl::StrCat(" Of the ", channels,
                                       " channels, the first three are shown as red, green and "
                                       "blue.")
                        : "";
}

// ---- The PNG file -------------------------------------------------------------------------------

// Writes `text` into `box`, as large as fits.
void Write(const std::string& text, const cv::Rect& box, cv::Mat sheet) {
  constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;
  int below;
  const cv::Size size = cv::getTextSize(text, kFont, 1, 1, &below);
  const double scale = std::min(0.42, (box.width - 6.0) / std::max(1, size.width));
  cv::putText(sheet, text, {box.x + 3, box.y + box.height / 2 + 4}, kFont, scale,
              cv::Scalar::all(40), 1, cv::LINE_AA);
}

}  // namespace

std::optional<cv::Rect2d> ShownPart(const Pipeline& views, const cv::Size& size, base::Rng stream) {
  const Pipeline::StepType& step = views.steps().front();
  if (step.output.rows < 2 || step.output.cols < 2) return std::nullopt;
  if (1.0 * size.width * size.height > kMaxOutlined) return std::nullopt;
  // The step is applied to an image of coordinates.
  const auto crop = Pipeline::Create(step.spec, 3);
  if (!crop.ok()) return std::nullopt;
  cv::Mat image(size, CV_32FC3);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      image.at<cv::Vec3f>(y, x) =
          cv::Vec3f((x + 0.5f) / size.width, (y + 0.5f) / size.height, 0.5f);
    }
  }
  const cv::Mat shown = (*crop)(image, stream);
  // The edges follow from pixels well inside, since those at the edges are interpolated otherwise.
  const auto side = [&](int axis, int pixels, int length) {
    const int from = pixels / 4, to = pixels - 1 - from;
    const auto at = [&](int pixel) {
      const cv::Vec3f& value = axis == 0 ? shown.at<cv::Vec3f>(shown.rows / 2, pixel)
                                         : shown.at<cv::Vec3f>(pixel, shown.cols / 2);
      return static_cast<double>(value[axis]);
    };
    const double step = (at(to) - at(from)) / (to - from);
    const double first = at(from) - step * (from + 0.5), last = at(to) + step * (from + 0.5);
    const double low = std::clamp(std::min(first, last), 0.0, 1.0);
    const double high = std::clamp(std::max(first, last), 0.0, 1.0);
    return std::pair(low * length, (high - low) * length);
  };
  const auto [x, width] = side(0, shown.cols, size.width);
  const auto [y, height] = side(1, shown.rows, size.height);
  return cv::Rect2d(x, y, width, height);
}

absl::StatusOr<std::string> PreviewPage(const PreviewOptions& options) {
  const Pipeline& views = *options.views;
  const size_t last = LastVisible(views);
  std::vector<report::Pair> pairs;
  std::vector<int64_t> changed(views.steps().size());
  std::string stepwise;
  const absl::Status read = report::ForFirstImages(
      *options.dataset, views, options.seed, kPairs, [&](const FirstImage& image) {
        if (pairs.size() < kStepwise) stepwise += Stepwise(options, image);
        pairs.push_back({.name = image.name,
                         .original = data::ToRgb8(image.original),
                         .query = data::ToRgb8(image.traces[0][last]),
                         .key = data::ToRgb8(image.traces[1][last])});
        for (size_t view = 0; view < image.traces.size(); ++view) {
          for (size_t i = 0; i < changed.size(); ++i) {
            changed[i] += Changed(Before(image, view, i), image.traces[view][i]);
          }
        }
      });
  if (!read.ok()) return read;
  const std::string body = absl::StrCat(
      "<header><h1>Views before training</h1><p class=\"quiet\">", HtmlText(options.data), ", ",
      FormatCount(options.dataset->size()), " images, seed ", options.seed,
      "</p></header>\n<main>\n<section><h2>Steps</h2><p>Each image becomes two views, the query "
      "and the key. Each view passes through these steps, with random numbers of its own.</p>",
      ListOfSteps(views, changed, pairs.size()),
      "</section>\n<section><h2>Step by step</h2><p class=\"quiet\">The first images of the first "
      "epoch. A step that changed nothing is pale. Click a picture to enlarge it.",
      ColourRule(options), "</p>", stepwise,
      "</section>\n<section><h2>Views</h2><p class=\"quiet\">The first ", pairs.size(),
      " images: the original, the query and the key, before <code>normalize</code>. Could you "
      "still tell which two belong together, and that they do not belong to another image? If "
      "not, neither can the network.</p>",
      report::PairsGrid(pairs), "</section>\n</main>\n");
  return page::Write({.title = "Views before training",
                      .body = body,
                      .style = absl::StrCat(report::PartsStyle(), kStyle),
                      .script = "// page.js opens the pictures.\n"});
}

absl::StatusOr<std::string> PreviewSheet(const PreviewOptions& options) {
  const Pipeline& views = *options.views;
  const size_t last = LastVisible(views);
  std::vector<std::string> titles = {"original"};
  for (size_t i = 0; i <= last; ++i) {
    if (!views.steps()[i].output.tensor) titles.push_back(NameOf(views.steps()[i].spec));
  }
  const int width = kMargin + kTile * static_cast<int>(titles.size());
  std::vector<cv::Mat> rows = {cv::Mat(kHeader, width, CV_8UC3, cv::Scalar::all(255))};
  for (size_t i = 0; i < titles.size(); ++i) {
    Write(titles[i], {kMargin + kTile * static_cast<int>(i), 0, kTile, kHeader}, rows[0]);
  }
  const absl::Status read = report::ForFirstImages(
      *options.dataset, views, options.seed, kRows, [&](const FirstImage& image) {
        for (size_t view = 0; view < image.traces.size(); ++view) {
          cv::Mat row(kTile, width, CV_8UC3, cv::Scalar::all(255));
          Write(kViewNames[view], {0, 0, kMargin, kTile}, row);
          // With a white edge, so that neighbours do not touch.
          const auto tile = [&](size_t column) {
            return row(
                cv::Rect(kMargin + kTile * static_cast<int>(column), 0, kTile - 3, kTile - 3));
          };
          const auto part = ShownPart(views, image.original.size(),
                                      report::ViewStream(options.seed, image.index, view));
          data::FitSquare(Outlined(image.original, part), tile(0));
          for (size_t i = 0; i + 1 < titles.size(); ++i) {
            cv::Mat square = tile(i + 1);
            data::FitSquare(data::ToRgb8(image.traces[view][i]), square);
            if (!Changed(Before(image, view, i), image.traces[view][i])) {
              square.convertTo(square, CV_8U, 0.3, 0.7 * 255);
            }
          }
          rows.push_back(row);
        }
      });
  if (!read.ok()) return read;
  cv::Mat sheet;
  cv::vconcat(rows, sheet);
  return data::EncodePng(sheet);
}

}  // namespace moco
