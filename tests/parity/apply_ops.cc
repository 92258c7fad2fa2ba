// Image operations with given parameters, for images_test.py and float_images_test.py:
// apply_ops [CHANNELS]
//
// A request is a line, "<bytes> <step>;<step>...", followed by an image file of that many bytes. A
// step is an operation of augment/ops.h with its parameters, or the spec of a pipeline without
// random steps. The answer is a line, "<rows> <cols> <bytes per value>", followed by the pixels of
// the image after all steps.
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <opencv2/core.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "augment/augmentation.h"
#include "augment/ops.h"
#include "base/rng.h"
#include "data/decode.h"

namespace parity {
namespace {

using Parameters = std::vector<double>;

const std::map<std::string, std::function<cv::Mat(const cv::Mat&, const Parameters&)>>& Ops() {
  static const auto& ops =
      *new std::map<std::string, std::function<cv::Mat(const cv::Mat&, const Parameters&)>>{
          {"resized_crop",
           [](const cv::Mat& image, const Parameters& p) {
             return augment::ResizedCrop(image, cv::Rect(p.at(0), p.at(1), p.at(2), p.at(3)),
                                         cv::Size(p.at(4), p.at(5)));
           }},
          {"brightness",
           [](const cv::Mat& image, const Parameters& p) {
             return augment::AdjustBrightness(image, p.at(0));
           }},
          {"contrast", [](const cv::Mat& image,
                          const Parameters& p) { return augment::AdjustContrast(image, p.at(0)); }},
          {"saturation",
           [](const cv::Mat& image,
              const Parameters& p) { return augment::AdjustSaturation(image, p.at(0)); }},
          {"hue", [](const cv::Mat& image,
                     const Parameters& p) { return augment::AdjustHue(image, p.at(0)); }},
          {"blur", [](const cv::Mat& image,
                      const Parameters& p) { return augment::GaussianBlur(image, p.at(0)); }},
          {"rotate90", [](const cv::Mat& image, const Parameters& p) {
             return augment::Rotate90(image, static_cast<int>(p.at(0)));
           }}};
  return ops;
}

cv::Mat Apply(const std::string& step, const cv::Mat& image) {
  std::istringstream words(step);
  std::string name;
  words >> name;
  const auto op = Ops().find(name);
  if (op != Ops().end()) {
    Parameters parameters;
    for (double p; words >> p;) parameters.push_back(p);
    return op->second(image, parameters);
  }
  base::Rng rng(0, base::Purpose::kTest);
  return augment::Pipeline::Create(step, image.channels()).value()(image, rng);
}

void Answer(const std::string& steps, const std::string& file, int channels) {
  cv::Mat image = data::DecodeImage(file, {.channels = channels}).value();
  for (const absl::string_view step : absl::StrSplit(steps, ';', absl::SkipEmpty())) {
    image = Apply(std::string(step), image);
  }
  image = image.clone();  // rows one after the other
  std::cout << image.rows << " " << image.cols << " " << image.elemSize1() << "\n";
  std::cout.write(reinterpret_cast<const char*>(image.data), image.total() * image.elemSize());
  std::cout.flush();
}

void AnswerAll(int channels) {
  size_t bytes;
  for (std::string steps; std::cin >> bytes && std::getline(std::cin >> std::ws, steps, '\n');) {
    std::string file(bytes, '\0');
    std::cin.read(file.data(), bytes);
    Answer(steps, file, channels);
  }
}

}  // namespace
}  // namespace parity

int main(int argc, char** argv) { parity::AnswerAll(argc > 1 ? std::atoi(argv[1]) : 3); }
