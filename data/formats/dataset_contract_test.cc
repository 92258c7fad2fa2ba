// How the contract (dataset_contract.h) writes data of each format of this folder.
#include "data/formats/dataset_contract.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "data/dataset.h"
#include "data/formats/pack.h"
#include "data/test_images.h"

namespace data {
namespace {

using Images = std::vector<ContractImage>;

// The channels one after the other.
std::string Planes(const cv::Mat& image) {
  std::string bytes;
  for (int c = 0; c < image.channels(); ++c) {
    for (int y = 0; y < image.rows; ++y) {
      for (int x = 0; x < image.cols; ++x) bytes += image.ptr(y, x)[c];
    }
  }
  return bytes;
}

std::string Join(const Images& images, const std::function<std::string(const ContractImage&)>& of) {
  std::string all;
  for (const ContractImage& image : images) all += of(image);
  return all;
}

std::string LabelByte(const ContractImage& image) { return std::string(1, image.label); }

// <label>/<i>.png
std::string NameOf(const Images& images, size_t i) {
  return absl::StrCat(images[i].label, "/", i, ".png");
}

void WriteFolder(const Images& images, const std::string& root) {
  for (size_t i = 0; i < images.size(); ++i) {
    WriteTestFile(absl::StrCat(root, "/", NameOf(images, i)), images[i].file);
  }
}

std::string WriteImageFolder(const Images& images, const std::string& root) {
  WriteFolder(images, root);
  return root;
}

std::string WriteFlatFolder(const Images& images, const std::string& root) {
  for (size_t i = 0; i < images.size(); ++i) {
    WriteTestFile(absl::StrCat(root, "/", i, ".png"), images[i].file);
  }
  return root;
}

std::string WriteFileList(const Images& images, const std::string& root) {
  WriteFolder(images, root);
  std::string list;
  for (size_t i = 0; i < images.size(); ++i) {
    absl::StrAppend(&list, NameOf(images, i), ",", images[i].label, "\n");
  }
  WriteTestFile(root + "/list.csv", list);
  return root + "/list.csv";
}

std::string WriteTar(const Images& images, const std::string& root) {
  std::string archive;
  for (size_t i = 0; i < images.size(); ++i) archive += TarEntry(NameOf(images, i), images[i].file);
  WriteTestFile(root + "/images.tar", archive + TarEnd());
  return root + "/images.tar";
}

std::string WriteZip(const Images& images, const std::string& root) {
  std::vector<ZipMember> members;
  for (size_t i = 0; i < images.size(); ++i) {
    members.push_back({NameOf(images, i), images[i].file, /*deflated=*/i % 2 == 0});
  }
  WriteTestFile(root + "/images.zip", ZipArchive(members));
  return root + "/images.zip";
}

// The images and the labels as arrays.
std::pair<std::string, std::string> Arrays(const Images& images) {
  const auto pixels = [](const ContractImage& s) {
    return std::string(reinterpret_cast<const char*>(s.image.data), 32 * 32 * 3);
  };
  return {NpyFile("|u1", "(5, 32, 32, 3)", Join(images, pixels)),
          NpyFile("|u1", "(5, 1)", Join(images, LabelByte))};
}

std::string WriteNpy(const Images& images, const std::string& root) {
  const auto [pixels, labels] = Arrays(images);
  WriteTestFile(root + "/train_images.npy", pixels);
  WriteTestFile(root + "/train_labels.npy", labels);
  return root;
}

std::string WriteNpz(const Images& images, const std::string& root) {
  const auto [pixels, labels] = Arrays(images);
  WriteTestFile(root + "/images.npz", ZipArchive({{"train_images.npy", pixels, /*deflated=*/true},
                                                  {"train_labels.npy", labels}}));
  return root + "/images.npz";
}

std::string WriteNumberedPng(const Images& images, const std::string& root) {
  std::vector<int64_t> labels;
  for (size_t i = 0; i < images.size(); ++i) {
    WriteTestFile(absl::StrCat(root, "/train/", i, ".png"), images[i].file);
    labels.push_back(images[i].label);
  }
  WriteTestFile(root + "/train_label_tensor.pt", LabelTensor(labels));
  return root;
}

std::string WriteCifar10(const Images& images, const std::string& root) {
  const auto record = [](const ContractImage& s) { return LabelByte(s) + Planes(s.image); };
  WriteTestFile(root + "/test_batch.bin", record(images[0]));
  for (int i = 0; i < 5; ++i) {
    WriteTestFile(absl::StrCat(root, "/data_batch_", i + 1, ".bin"), record(images[i]));
  }
  return root;
}

std::string WriteCifar100(const Images& images, const std::string& root) {
  const auto record = [](const ContractImage& s) { return "c" + LabelByte(s) + Planes(s.image); };
  WriteTestFile(root + "/test.bin", record(images[0]));
  WriteTestFile(root + "/train.bin", Join(images, record));
  return root;
}

std::string WriteStl10(const Images& images, const std::string& root) {
  WriteTestFile(root + "/train_X.bin",
                Join(images, [](const ContractImage& s) { return Planes(s.image.t()); }));
  WriteTestFile(root + "/train_y.bin", Join(images, [](const ContractImage& s) {
                  return std::string(1, static_cast<char>(s.label + 1));
                }));
  return root;
}

std::string WriteIdx(const Images& images, const std::string& root) {
  const std::string count{0, 0, 0, static_cast<char>(images.size())};
  WriteTestFile(root + "/train-images-idx3-ubyte",
                absl::StrCat(std::string{0, 0, 8, 3}, count, std::string{0, 0, 0, 28, 0, 0, 0, 28},
                             Join(images, [](const ContractImage& s) { return Planes(s.image); })));
  WriteTestFile(root + "/train-labels-idx1-ubyte",
                absl::StrCat(std::string{0, 0, 8, 1}, count, Join(images, LabelByte)));
  return root;
}

std::string WritePacked(const Images& images, const std::string& root) {
  WriteFolder(images, root + "/folder");
  const auto folder =
      Datasets().Create("image_folder").value()->Open(root + "/folder", Split::kTraining, {});
  const absl::Status written = WritePack(**folder, Split::kTraining, /*decoded=*/false,
                                         root + "/images.pack", [](int64_t) {});
  EXPECT_TRUE(written.ok()) << written;
  std::filesystem::remove_all(root + "/folder");
  return root + "/images.pack";
}

const bool kFormats =
    AddContractFormat("image_folder", {.write = WriteImageFolder}) &&
    AddContractFormat("flat_folder", {.write = WriteFlatFolder, .has_labels = false}) &&
    AddContractFormat("file_list", {.write = WriteFileList}) &&
    AddContractFormat("tar", {.write = WriteTar}) &&
    AddContractFormat("zip", {.write = WriteZip}) &&
    AddContractFormat("npy", {.write = WriteNpy, .holds_files = false}) &&
    AddContractFormat("npz", {.write = WriteNpz, .holds_files = false}) &&
    AddContractFormat("numbered_png",
                      {.write = WriteNumberedPng, .pretraining_part = "/unlabeled"}) &&
    AddContractFormat("cifar10", {.write = WriteCifar10, .holds_files = false}) &&
    AddContractFormat("cifar100", {.write = WriteCifar100, .holds_files = false}) &&
    AddContractFormat("stl10", {.write = WriteStl10,
                                .holds_files = false,
                                .size = 96,
                                .pretraining_part = "/unlabeled"}) &&
    AddContractFormat("idx",
                      {.write = WriteIdx, .holds_files = false, .size = 28, .channels = 1}) &&
    AddContractFormat("packed", {.write = WritePacked});

}  // namespace
}  // namespace data
