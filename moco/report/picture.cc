#include "moco/report/picture.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "data/encode.h"
#include "page/html.h"

namespace report {
namespace {
constexpr int kSmall = 64;  // pixels
constexpr int kQuality = 80;
}  // namespace

std::string Picture(const cv::Mat& image, const std::string& title, int side) {
  cv::Mat shown = image;
  const int longer = std::max(image.rows, image.cols);
  if (longer > side) {
    const double scale = static_cast<double>(side) / longer;
    const auto scaled = [&](int pixels) {
      return std::max(1, static_cast<int>(std::lround(pixels * scale)));
    };
    cv::resize(image, shown, cv::Size(scaled(image.cols), scaled(image.rows)), 0, 0,
               cv::INTER_AREA);
  }
  const bool small = std::max(shown.rows, shown.cols) <= kSmall;
  const std::string text = page::HtmlText(title);
  return absl::StrCat(
      "<img class=\"open\" decoding=\"async\" width=\"", shown.cols, "\" height=\"", shown.rows,
      "\" alt=\"", text, "\" title=\"", text, "\" src=\"data:image/", small ? "png" : "jpeg",
      ";base64,",
      absl::Base64Escape(small ? data::EncodePng(shown) : data::EncodeJpeg(shown, kQuality)),
      "\">");
}

}  // namespace report
