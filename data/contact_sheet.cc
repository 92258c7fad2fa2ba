#include "data/contact_sheet.h"

#include <glog/logging.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "data/decode.h"

namespace data {
namespace {

const cv::Scalar kWhite = cv::Scalar::all(255), kGrey = cv::Scalar::all(160);

void Cross(cv::Mat square) {
  const int end = square.rows - 1;
  cv::rectangle(square, cv::Rect(0, 0, square.cols, square.rows), kGrey);
  cv::line(square, {0, 0}, {end, end}, kGrey);
  cv::line(square, {0, end}, {end, 0}, kGrey);
}

}  // namespace

void FitSquare(const cv::Mat& image, cv::Mat square) {
  const double scale = static_cast<double>(square.rows) / std::max(image.rows, image.cols);
  const auto scaled = [&](int pixels) {
    return std::clamp(static_cast<int>(std::lround(pixels * scale)), 1, square.rows);
  };
  const cv::Size size(scaled(image.cols), scaled(image.rows));
  const cv::Rect middle((square.cols - size.width) / 2, (square.rows - size.height) / 2, size.width,
                        size.height);
  // INTER_AREA averages all pixels when an image is made smaller, but makes blocks of a larger one.
  cv::resize(image, square(middle), size, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_CUBIC);
}

cv::Mat ContactSheet(const Dataset& dataset, const std::vector<int64_t>& indices, int columns,
                     int tile) {
  CHECK(!indices.empty() && columns > 0 && tile > 0);
  const int count = static_cast<int>(indices.size());
  cv::Mat sheet((count + columns - 1) / columns * tile, columns * tile, CV_8UC3, kWhite);
  for (int i = 0; i < count; ++i) {
    cv::Mat square = sheet(cv::Rect(i % columns * tile, i / columns * tile, tile, tile));
    const auto image = dataset.Image(indices[i]);
    if (image.ok()) {
      FitSquare(ToRgb8(*image), square);
    } else {
      Cross(square);
    }
  }
  return sheet;
}

}  // namespace data
