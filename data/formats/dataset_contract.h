// The tests that every data set format passes (dataset_contract.cc), and what a format's own test
// tells them: how its data are written.
#ifndef DATA_FORMATS_DATASET_CONTRACT_H_
#define DATA_FORMATS_DATASET_CONTRACT_H_

#include <functional>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

namespace data {

// One of five images of two classes.
struct ContractImage {
  int label;         // 0 or 1
  cv::Mat image;     // RGB of 8 bits, or grey
  std::string file;  // the image as PNG; empty for formats that hold pixels
};

// How the tests write data of a format.
struct ContractFormat {
  // Writes the images, in this order, into the empty folder `root`, where they are the training
  // images, or all. Returns what a user would name: the folder, or a file in it.
  std::function<std::string(const std::vector<ContractImage>& images, const std::string& root)>
      write;

  // Whether the format holds image files of any size. Otherwise it holds the pixels of images of
  // size x size in this many channels.
  bool holds_files = true;
  int size = 32, channels = 3;

  bool has_labels = true;

  // A part of the data with images for pretraining alone, which `write` does not make; the error of
  // who opens them names it. Empty if all images serve for pretraining.
  std::string pretraining_part = "";
};

// Registers how data of the format `name` are written. To be called before main(), by the
// initialiser of a static object; returns true.
bool AddContractFormat(const std::string& name, ContractFormat format);

}  // namespace data

#endif  // DATA_FORMATS_DATASET_CONTRACT_H_
