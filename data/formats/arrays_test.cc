// NumPy's arrays: what they are by their names, and which are refused with which remedy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "data/dataset.h"
#include "data/encode.h"
#include "data/formats/array_names.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kRows = 5, kCols = 7;

// uint8 images, n x 5 x 7 x 3, of other values for another `seed`.
std::string Images(int n, int seed = 0) {
  std::string values;
  for (int i = 0; i < n; ++i) {
    const cv::Mat image = TestImage(seed + i, kRows, kCols);
    values.append(reinterpret_cast<const char*>(image.data), kRows * kCols * 3);
  }
  return NpyFile("|u1", absl::StrCat("(", n, ", 5, 7, 3)"), values);
}

std::string Labels(const std::vector<uint8_t>& labels, bool column = true) {
  return NpyFile("|u1", absl::StrCat("(", labels.size(), column ? ", 1)" : ",)"),
                 std::string(labels.begin(), labels.end()));
}

template <class T>
std::string Bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

using Members = std::vector<std::pair<std::string, std::string>>;

// A .npz file of these arrays, as numpy.savez_compressed writes it, or numpy.savez.
std::string Npz(const Members& arrays, bool compressed = true) {
  std::vector<ZipMember> members;
  for (const auto& [name, bytes] : arrays) members.push_back({name + ".npy", bytes, compressed});
  const std::string path = TestFolder("arrays") + "/x.npz";
  WriteTestFile(path, ZipArchive(members, /*zip64=*/true));
  return path;
}

std::string Folder(const Members& arrays) {
  const std::string folder = TestFolder("folder");
  for (const auto& [name, bytes] : arrays)
    WriteTestFile(absl::StrCat(folder, "/", name, ".npy"), bytes);
  return folder;
}

std::vector<int> LabelsOf(const Dataset& dataset) {
  std::vector<int> labels;
  for (int64_t i = 0; i < dataset.size(); ++i) labels.push_back(dataset.Label(i));
  return labels;
}

std::string ErrorOf(const std::string& path, Split split = Split::kPretraining,
                    const std::string& format = "") {
  const absl::Status status = OpenDataset(path, split, format).status();
  EXPECT_FALSE(status.ok()) << path;
  EXPECT_EQ(status.message().find('\n'), std::string::npos) << status;
  return std::string(status.message());
}

// Programs that use no labels would otherwise take the data for unlabelled.
TEST(ArraysTest, ANoteSaysWhyLabelsAreNotUsed) {
  const std::string fractions = NpyFile("<f4", "(2,)", Bytes<float>({0.5, 1.5}));
  for (const auto& [labels, why] :
       {std::pair(Labels({0, 1, 1}), "3 labels for 2 images"), std::pair(fractions, "fraction")}) {
    const Members arrays = {{"images", Images(2)}, {"labels", labels}};
    for (const std::string& path : {Npz(arrays), Folder(arrays)}) {
      const auto opened = OpenDataset(path, Split::kPretraining).value();
      EXPECT_THAT(opened.dataset->classes(), IsEmpty());
      EXPECT_THAT(opened.notes, ElementsAre(AllOf(HasSubstr("not used"), HasSubstr(why))));
    }
  }
}

// MedMNIST's names; in a file, compressed or not, and as the files that it is unpacked to.
TEST(ArraysTest, SplitsAreFoundByName) {
  const Members arrays = {{"train_images", Images(4)},    {"train_labels", Labels({2, 0, 1, 0})},
                          {"val_images", Images(2, 10)},  {"val_labels", Labels({1, 0})},
                          {"test_images", Images(3, 20)}, {"test_labels", Labels({0, 0, 3})}};
  for (const std::string& path : {Npz(arrays), Npz(arrays, false), Folder(arrays)}) {
    const auto pretraining = OpenDataset(path, Split::kPretraining).value();
    EXPECT_EQ(pretraining.dataset->size(), 4);
    EXPECT_THAT(pretraining.notes, IsEmpty());
    const auto training = OpenLabelledDataset(path, Split::kTraining);
    ASSERT_TRUE(training.ok()) << training.status();
    EXPECT_THAT(LabelsOf(*training->dataset), ElementsAre(2, 0, 1, 0));
    // Those of all splits.
    EXPECT_THAT(training->dataset->classes(), ElementsAre("0", "1", "2", "3"));
    const auto validation = OpenLabelledDataset(path, Split::kValidation).value();
    EXPECT_THAT(LabelsOf(*validation.dataset), ElementsAre(1, 0));
    EXPECT_EQ(validation.dataset->classes().size(), 4u);
    EXPECT_THAT(validation.dataset->Name(1), HasSubstr("val_images"));
    EXPECT_THAT(validation.notes, Contains(HasSubstr("test_images")));
    for (int i = 0; i < 2; ++i) {
      EXPECT_TRUE(SameImage(validation.dataset->Image(i).value(), TestImage(10 + i, kRows, kCols)));
    }
    // Small images are not enlarged.
    EXPECT_EQ(pretraining.dataset->views().size, kRows);
  }
}

TEST(ArraysTest, NamesInCommonUse) {
  for (const auto& [images, labels] :
       std::vector<std::pair<std::string, std::string>>{{"x_train", "y_train"},
                                                        {"X_train", "y_train"},
                                                        {"trainX", "trainY"},
                                                        {"xtrain", "ytrain"},
                                                        {"train_imgs", "train_targets"},
                                                        {"training_data", "training_labels"},
                                                        {"images_train", "labels_train"},
                                                        {"train", "train_labels"}}) {
    const std::string path = Npz({{labels, Labels({1, 0}, false)}, {images, Images(2)}});
    const auto training = OpenLabelledDataset(path, Split::kTraining);
    ASSERT_TRUE(training.ok()) << images << ": " << training.status();
    EXPECT_THAT(LabelsOf(*training->dataset), ElementsAre(1, 0)) << images;
    EXPECT_EQ(OpenDataset(path, Split::kValidation).status().code(), absl::StatusCode::kNotFound);
  }
  for (const auto& [images, labels] :
       std::vector<std::pair<std::string, std::string>>{{"images", "labels"},
                                                        {"X", "y"},
                                                        {"data", "target"},
                                                        {"arr_0", "arr_1"},
                                                        {"arr_1", "arr_0"},
                                                        {"cells", "labels"}}) {
    const auto opened =
        OpenDataset(Npz({{labels, Labels({1, 0})}, {images, Images(2)}}), Split::kPretraining);
    ASSERT_TRUE(opened.ok()) << images << ": " << opened.status();
    EXPECT_THAT(LabelsOf(*opened->dataset), ElementsAre(1, 0)) << images;
    EXPECT_THAT(opened->notes, IsEmpty());
  }
  const std::string keras = Npz({{"x_train", Images(2)}, {"x_test", Images(3)}});
  EXPECT_THAT(OpenDataset(keras, Split::kValidation)->notes, Contains(HasSubstr("x_test")));
  // Labels of a file without splits, and of one that is the whole of a split.
  const std::string all = Npz({{"images", Images(2)}, {"labels", Labels({0, 1})}});
  EXPECT_EQ(OpenDataset({keras, all}, Split::kValidation)->dataset->size(), 2);
}

TEST(ArraysTest, WhatIsNoImageIsLeftOut) {
  const std::string path = Npz({{"images", Images(2)},
                                {"masks", Images(2)},
                                {"image_ids", Labels({7, 8}, false)},
                                {"label_names", NpyFile("<U1", "(1,)", Bytes<uint32_t>({'a'}))}});
  const auto opened = OpenDataset(path, Split::kPretraining).value();
  EXPECT_THAT(LabelsOf(*opened.dataset), ElementsAre(-1, -1));
  EXPECT_THAT(opened.notes, ElementsAre(AllOf(HasSubstr("masks"), HasSubstr("image_ids"))));
}

TEST(ArraysTest, SeveralArraysAreAskedAbout) {
  const std::string path =
      Npz({{"images_a", Images(2)}, {"images_b", Images(3)}, {"labels_b", Labels({1, 0, 0})}});
  EXPECT_THAT(ErrorOf(path), AllOf(HasSubstr("'images_a' (uint8 of shape (2, 5, 7, 3))"),
                                   HasSubstr("--dataset='npz:images=")));
  const auto chosen = OpenDataset(path, Split::kPretraining, "npz:images=images_b").value();
  EXPECT_THAT(LabelsOf(*chosen.dataset), ElementsAre(1, 0, 0));
  const auto labels =
      OpenDataset(path, Split::kPretraining, "npz:images=images_b,labels=labels_b").value();
  EXPECT_EQ(labels.dataset->classes().size(), 2u);
  EXPECT_THAT(ErrorOf(path, Split::kPretraining, "npz:images=none"),
              AllOf(HasSubstr("'none'"), HasSubstr("'images_b'")));
  EXPECT_THAT(ErrorOf(Npz({{"arr_0", Images(2)}, {"arr_1", Images(2)}})), HasSubstr("arr_1"));
  const std::string two =
      Npz({{"images", Images(2)}, {"labels_a", Labels({0, 1})}, {"labels_b", Labels({0, 1})}});
  EXPECT_THAT(std::string(OpenDataset(two, Split::kPretraining)->dataset->LabelStatus().message()),
              AllOf(HasSubstr("labels_a"), HasSubstr("labels=")));
  EXPECT_THAT(ErrorOf(Npz({{"test_images", Images(2)}})), HasSubstr("test_images"));
}

TEST(ArraysTest, FilesAndTheirLabels) {
  const std::string folder = Folder({{"a", Images(2)}, {"labels", Labels({1, 0})}});
  const auto single = OpenDataset(folder + "/a.npy", Split::kPretraining).value();
  EXPECT_THAT(LabelsOf(*single.dataset), ElementsAre(1, 0));
  EXPECT_THAT(single.notes, ElementsAre(HasSubstr("labels.npy")));
  // With other images beside it, whose labels are whose is not known.
  WriteTestFile(folder + "/b.npy", Images(3));
  WriteTestFile(folder + "/b_labels.npy", Labels({0, 1, 1}));
  EXPECT_THAT(LabelsOf(*OpenDataset(folder + "/a.npy", Split::kPretraining)->dataset),
              ElementsAre(-1, -1));
  EXPECT_THAT(LabelsOf(*OpenDataset(folder + "/b.npy", Split::kPretraining)->dataset),
              ElementsAre(0, 1, 1));
  const std::string splits = Folder({{"train", Images(2)},
                                     {"train_labels", Labels({1, 0})},
                                     {"val", Images(1)},
                                     {"val_labels", Labels({1})}});
  EXPECT_EQ(OpenDataset(splits, Split::kPretraining)->place, splits + "/train.npy");
  EXPECT_THAT(LabelsOf(*OpenDataset(splits, Split::kTraining)->dataset), ElementsAre(1, 0));
  const auto validation = OpenDataset(splits, Split::kValidation).value();
  EXPECT_THAT(LabelsOf(*validation.dataset), ElementsAre(1));
  EXPECT_EQ(validation.dataset->classes().size(), 2u);
  EXPECT_EQ(OpenDataset(Folder({{"images", Images(2)}}), Split::kPretraining)->format, "npy");
}

TEST(ArraysTest, LabelsOfEveryKind) {
  const auto labels = [](const std::string& array) {
    return OpenDataset(Npz({{"images", Images(3)}, {"labels", array}}), Split::kPretraining)
        .value()
        .dataset;
  };
  for (const std::string& array :
       {NpyFile("<i8", "(3,)", Bytes<int64_t>({2, 0, -1})),
        NpyFile("<i2", "(3, 1)", Bytes<int16_t>({2, 0, -1})),
        NpyFile("<f4", "(3,)", Bytes<float>({2, 0, NAN})),
        NpyFile(">i4", "(3,)", std::string("\0\0\0\2\0\0\0\0\xff\xff\xff\xff", 12))}) {
    const auto dataset = labels(array);
    EXPECT_TRUE(dataset->LabelStatus().ok()) << dataset->LabelStatus();
    EXPECT_THAT(LabelsOf(*dataset), ElementsAre(2, 0, -1));
    EXPECT_EQ(dataset->classes().size(), 3u);
  }
  // One of several columns, in either order.
  EXPECT_THAT(LabelsOf(*labels(NpyFile("|b1", "(3, 2)", std::string("\0\1\1\0\0\1", 6)))),
              ElementsAre(1, 0, 1));
  EXPECT_THAT(LabelsOf(*labels(NpyFile("|u1", "(3, 2)", std::string("\0\1\0\1\0\1", 6), true))),
              ElementsAre(1, 0, 1));
  // Names.
  EXPECT_THAT(
      labels(NpyFile("<U2", "(3,)", Bytes<uint32_t>({'b', 0, 0xe9, 0x1f600, 'b', 0})))->classes(),
      ElementsAre("b", "\xC3\xA9\xF0\x9F\x98\x80"));
  EXPECT_THAT(labels(NpyFile("|S3", "(3,)", std::string("dogcatdog")))->classes(),
              ElementsAre("cat", "dog"));
}

// Pretraining reads the images, whatever the labels are.
TEST(ArraysTest, LabelsThatAreNone) {
  const std::pair<std::string, std::string> cases[] = {
      {NpyFile("|u1", "(3, 2)", std::string("\0\1\1\1\0\0", 6)), "row 1"},  // ChestMNIST
      {NpyFile("|u1", "(2,)", std::string("\0\1", 2)), "2 labels for 3 images"},
      {NpyFile("<f4", "(3,)", Bytes<float>({0.5, 1, 2})), "fraction"},
      {NpyFile("<i4", "(3,)", Bytes<int32_t>({0, 1, -7})), "negative"},
      {NpyFile("|O", "(3,)", "\x80\x02]."), "never run"},
      {NpyFile("<c8", "(3,)", std::string(24, '\0')), "numbers or text"},
      {NpyFile("|u1", "(3, 1, 1)", std::string(3, '\0')), "(N, 1)"}};
  for (const auto& [array, why] : cases) {
    const std::string path = Npz({{"train_images", Images(3)}, {"train_labels", array}});
    const auto opened = OpenDataset(path, Split::kPretraining);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_THAT(LabelsOf(*opened->dataset), ElementsAre(-1, -1, -1));
    const absl::Status status = OpenLabelledDataset(path, Split::kTraining).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("x.npz:train_labels'"), HasSubstr(why)));
  }
}

TEST(ArraysTest, OtherArraysAreRefusedWithTheCommandThatConverts) {
  const std::string some(100000, '\1');
  const std::pair<std::string, std::string> cases[] = {
      {NpyFile("|u1", "(2, 3, 32, 32)", some), "x.transpose(0, 2, 3, 1)"},
      {NpyFile("|u1", "(32, 32, 3)", some), "x[None]"},
      {NpyFile("|u1", "(2, 784)", some), "x.reshape("},
      {NpyFile("|u1", "(2, 5, 7, 3)", some, true), "np.ascontiguousarray(x)"},
      {NpyFile("|u1", "(2, 5, 7, 65)", some), "x[..., :64]"},
      {NpyFile("<f8", "(2, 5, 7)", some), "x.astype('float32')"},
      {NpyFile("<i2", "(2, 5, 7)", some), "x.astype('float32')"},
      {NpyFile("<i8", "(2, 5, 7)", some), "x.astype('uint8')"},
      {NpyFile(">u2", "(2, 5, 7)", some), "x.astype('<u2')"},
      {NpyFile("|b1", "(2, 5, 7)", some), "x.astype('uint8') * 255"},
      {NpyFile("|O", "(2, 5, 7)", some), "never run"},
      {NpyFile("|u1", "(0, 5, 7)", ""), "no images"},
      {NpyFile("|u1", "(5, 0, 7)", ""), "no pixels"}};
  for (const auto& [array, remedy] : cases) {
    const std::string npz = ErrorOf(Npz({{"images", array}}));
    EXPECT_THAT(npz, AllOf(HasSubstr("x.npz:images'"), HasSubstr(remedy)));
    if (remedy[0] == 'x') {
      EXPECT_THAT(npz, HasSubstr("np.savez('converted.npz', **d)"));
    }
    const std::string npy = ErrorOf(Folder({{"images", array}}));
    EXPECT_THAT(npy, AllOf(HasSubstr("/images.npy'"), HasSubstr(remedy)));
    if (remedy[0] == 'x') {
      EXPECT_THAT(npy, HasSubstr("np.save('converted.npy', " + remedy));
    }
  }
  EXPECT_THAT(ErrorOf(Npz({{"images", NpyFile("|u1", "(2, 5, 7)", "short")}})),
              HasSubstr("truncated"));
  EXPECT_THAT(ErrorOf(Npz({{"scores", NpyFile("<f4", "(2, 5)", some)}})),
              AllOf(HasSubstr("holds no images"), HasSubstr("'scores' (float32")));
  const std::string large = Npz({{"images", NpyFile("|u1", "(1, 300, 300)", some)}});
  const DecodeOptions small = {.max_pixels = 10'000};
  EXPECT_THAT(std::string(OpenDataset(large, Split::kPretraining, "", small).status().message()),
              HasSubstr("--max-megapixels"));
}

TEST(ArraysTest, VolumesAreRefusedWithTheCommandThatSlicesThem) {
  const std::string volumes(2 * 6 * 6 * 6, '\1');
  for (const char* name : {"images", "train_images"}) {
    const std::string array = NpyFile("|u1", "(2, 6, 6, 6)", volumes);
    const std::string npz = Npz({{name, array}, {"train_labels", Labels({0, 1})}});
    EXPECT_THAT(ErrorOf(npz), AllOf(HasSubstr("(2, 6, 6, 6)"), HasSubstr("volumes"),
                                    HasSubstr("np.savez('slices.npz'"), HasSubstr("channels=6")));
    const auto six = OpenDataset(npz, Split::kPretraining, "", {.channels = 6});
    EXPECT_EQ(six.ok(), true) << six.status();
    EXPECT_THAT(ErrorOf(Folder({{name, array}})), HasSubstr("x.reshape(-1, *x.shape[2:])"));
  }
}

// One image.
std::string Picture(const std::string& shape, int values) {
  return NpyFile("|u1", shape, std::string(values, '\7'));
}

// Folders of .npy files hold a data set of arrays, or images: an array in each file.
TEST(ArraysTest, FoldersOfImagesAreToldFromFoldersOfArrays) {
  const std::string colours = Picture("(9, 8, 3)", 216), grey = Picture("(9, 8)", 72),
                    many = Picture("(90, 80, 5)", 36000), stack = Images(2);
  const std::pair<const char*, Members> cases[] = {
      {"flat_folder", {{"0001", colours}, {"0002", colours}}},
      {"flat_folder", {{"img_0001", grey}, {"img_0002", grey}, {"img_0003", grey}}},
      {"flat_folder", {{"image1", many}, {"image2", many}}},
      {"flat_folder", {{"scan", many}, {"x_ray", many}}},
      {"npy", {{"images", stack}, {"labels", Labels({1, 0})}}},
      {"npy", {{"train_images", Picture("(2, 9, 8)", 144)}, {"test_images", grey}}},
      {"npy", {{"X", Picture("(2, 9, 8)", 144)}, {"y", Labels({1, 0})}}},
      {"npy", {{"pathmnist_images", Picture("(2, 9, 8)", 144)}, {"labels", Labels({1, 0})}}},
      {"npy", {{"x_ray", stack}, {"scan", stack}}},
  };
  for (const auto& [format, members] : cases) {
    const std::string folder = Folder(members);
    const std::string first = members[0].first;
    const int channels = members[0].second == many ? 5 : 3;
    const auto opened = OpenDataset(folder, Split::kPretraining, "", {.channels = channels});
    ASSERT_TRUE(opened.ok()) << first << ": " << opened.status();
    EXPECT_EQ(opened->format, format) << first;
    if (opened->format == "npy") continue;
    ASSERT_EQ(opened->dataset->size(), static_cast<int64_t>(members.size())) << first;
    const auto image = opened->dataset->Image(0);
    ASSERT_TRUE(image.ok()) << image.status();
    EXPECT_EQ(image->channels(), channels) << first;
    EXPECT_EQ(image->ptr(0)[0], 7);
  }
  // Several that could be the data set, and one whose name does not say that it is.
  EXPECT_THAT(ErrorOf(Folder({{"images_1", stack}, {"images_2", stack}})), HasSubstr("several"));
  EXPECT_THAT(ErrorOf(Folder({{"a", stack}})), HasSubstr("give this file itself"));
}

TEST(ArraysTest, FoldersOfArraysAsClassesAndSplits) {
  const std::string root = TestFolder("classes");
  for (const char* name : {"train/cat/1", "train/dog/2", "train/dog/img", "val/cat/3"}) {
    WriteTestFile(absl::StrCat(root, "/", name, ".npy"), Picture("(9, 8, 3)", 216));
  }
  const auto train = OpenLabelledDataset(root, Split::kTraining);
  ASSERT_TRUE(train.ok()) << train.status();
  EXPECT_EQ(train->format, "image_folder");
  EXPECT_THAT(LabelsOf(*train->dataset), ElementsAre(0, 1, 1));
  EXPECT_TRUE(train->dataset->Image(2).ok());
  EXPECT_EQ(OpenDataset(root, Split::kValidation)->dataset->size(), 1);
  // A class that is called train: the same question as for photographs.
  WriteTestFile(root + "/bus/1.npy", Picture("(9, 8, 3)", 216));
  std::filesystem::remove_all(root + "/val");
  EXPECT_THAT(ErrorOf(root), AllOf(HasSubstr("'bus'"), HasSubstr("splits=false")));
}

// Features, masks and the like.
TEST(ArraysTest, ArraysBesideImagesAreNoImages) {
  const std::string root = TestFolder("beside"), png = EncodePng(TestImage(1));
  for (const char* name : {"cat/1", "dog/2"}) {
    WriteTestFile(absl::StrCat(root, "/train/", name, ".png"), png);
    WriteTestFile(absl::StrCat(root, "/train/", name, ".npy"), Picture("(512,)", 512));
    WriteTestFile(absl::StrCat(root, "/features/", name, ".npy"), Picture("(512,)", 512));
  }
  const auto opened = OpenDataset(root, Split::kPretraining);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->dataset->size(), 2);
  EXPECT_THAT(opened->notes, Contains(AllOf(HasSubstr("2 files of arrays"), HasSubstr(".npy"))));
}

// Values of 16 bits are a share of their range, and float32 requires a range.
TEST(ArraysTest, ImagesOfMoreThanEightBits) {
  std::vector<uint16_t> wide(2 * 5 * 7 * 5);
  for (size_t i = 0; i < wide.size(); ++i) wide[i] = static_cast<uint16_t>(i * 187);
  const std::string path = Npz({{"images", NpyFile("<u2", "(2, 5, 7, 5)", Bytes(wide))}});
  EXPECT_THAT(ErrorOf(path), AllOf(HasSubstr("5 channels"), HasSubstr("channels=5")));
  const auto open = [](const std::string& path, const DecodeOptions& decode,
                       const std::string& range = "") {
    DataSource source{path};
    source.decode = decode;
    source.range = range;
    auto opened = OpenDataset(source, Split::kPretraining);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened->dataset->Image(1).value();
  };
  const cv::Mat image = open(path, {.channels = 5});
  ASSERT_EQ(image.type(), CV_32FC(5));
  EXPECT_FLOAT_EQ(image.ptr<float>(4)[34], wide.back() / 65535.0f);
  EXPECT_EQ(open(path, {.channels = 5, .raw = true}).type(), CV_16UC(5));
  const std::vector<float> values = {-1, 0, 1, 3, 1, 2, 0, 4};
  const std::string floats = Npz({{"images", NpyFile("<f4", "(2, 2, 2)", Bytes(values))}});
  EXPECT_THAT(ErrorOf(floats), HasSubstr("--range"));
  const cv::Mat mapped = open(floats, {.channels = 1}, "0:4");
  ASSERT_EQ(mapped.type(), CV_32FC1);
  EXPECT_THAT(std::vector<float>(mapped.begin<float>(), mapped.end<float>()),
              ElementsAre(0.25, 0.5, 0, 1));
}

TEST(ArraysTest, DamagedFiles) {
  EXPECT_THAT(ErrorOf([] {
                const std::string path = TestFolder("arrays") + "/x.npz";
                WriteTestFile(path, "no archive");
                return path;
              }()),
              HasSubstr("x.npz' is damaged"));
  for (const bool compressed : {false, true}) {
    const std::string path = Npz({{"images", Images(3)}}, compressed);
    std::string bytes = base::ReadFile(path).value();
    bytes[bytes.size() / 2] ^= 1;
    WriteTestFile(path, bytes);
    EXPECT_THAT(ErrorOf(path), HasSubstr("x.npz:images' is damaged"));
  }
  ZipMember bomb{"images.npy", Images(3), true};
  bomb.size = int64_t{1} << 50;
  const std::string path = TestFolder("arrays") + "/x.npz";
  WriteTestFile(path, ZipArchive({bomb}, true));
  EXPECT_THAT(ErrorOf(path), HasSubstr("images"));
}

TEST(ArrayNamesTest, WordsOfNames) {
  const auto read = [](const std::string& name) {
    const ArrayName n = ReadArrayName(name);
    return absl::StrCat(n.split, "|",
                        n.role == ArrayName::kImages   ? "images"
                        : n.role == ArrayName::kLabels ? "labels"
                                                       : "",
                        "|", n.rest);
  };
  EXPECT_EQ(read("train_images"), "train|images|");
  EXPECT_EQ(read("X_Validation"), "val|images|");
  EXPECT_EQ(read("cells_v2_y"), "|labels|cells v 2");
  EXPECT_EQ(read("trainImages64"), "train|images|64");
  EXPECT_EQ(read("image_labels"), "|labels|");
  EXPECT_EQ(read("test"), "test||");
  EXPECT_EQ(read("arr_0"), "||arr 0");
  EXPECT_EQ(read(""), "||");
}

}  // namespace
}  // namespace data
