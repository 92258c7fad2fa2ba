// Numbered images: labels, newly labelled images, and everything that can be wrong with them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/dataset.h"
#include "data/encode.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

class NumberedPngTest : public testing::Test {
 protected:
  // 12 unlabelled images, of which 2 and 11 were labelled later, 3 for training, 2 for validation.
  NumberedPngTest() : root_(TestFolder("data")) {
    for (int i = 0; i < 12; ++i) Image("unlabeled", i);
    for (int i = 0; i < 3; ++i) Image("train", i);
    for (int i = 0; i < 2; ++i) Image("val", i);
    Write("train_label_tensor.pt", LabelTensor({1, 0, 1}));
    Write("val_label_tensor.pt", LabelTensor({0, 4}));
    Write("request_01.csv", "filename\n11.png\n2.png\n");
    Write("label_01.pt", LabelTensor({7, 2}));
  }

  void Write(const std::string& name, const std::string& contents) {
    WriteTestFile(root_ + "/" + name, contents);
  }
  void Image(const std::string& folder, int number) {
    Write(absl::StrCat(folder, "/", number, ".png"), EncodePng(TestImage(Seed(folder, number))));
  }
  static int Seed(const std::string& folder, int number) {
    return 100 * static_cast<int>(folder.size()) + number;
  }
  absl::StatusOr<Opened> Open(Split split) { return OpenDataset(root_, split); }
  std::string ErrorOf(Split split) {
    const auto opened = Open(split);
    EXPECT_FALSE(opened.ok());
    EXPECT_FALSE(absl::StrContains(opened.status().message(), "\n"));
    return std::string(opened.status().message());
  }
  // "'<root>/name'".
  std::string Path(const std::string& name) { return absl::StrCat("'", root_, "/", name, "'"); }

  const std::string root_;
};

TEST_F(NumberedPngTest, PretrainingHasTheUnlabelledImagesInTheOrderOfTheirNumbers) {
  const auto opened = Open(Split::kPretraining).value();
  EXPECT_EQ(opened.format, "numbered_png");
  ASSERT_EQ(opened.dataset->size(), 12);
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(opened.dataset->Name(i), absl::StrCat(root_, "/unlabeled/", i, ".png"));
    EXPECT_EQ(opened.dataset->Label(i), -1);
    EXPECT_TRUE(SameImage(opened.dataset->Image(i).value(), TestImage(Seed("unlabeled", i))));
  }
  EXPECT_EQ(opened.dataset->views().size, 96);
  EXPECT_EQ(opened.dataset->views().resize, 128);
}

TEST_F(NumberedPngTest, TrainingHasTheNewlyLabelledImagesToo) {
  const auto train = Open(Split::kTraining).value();
  const std::pair<std::string, int> expected[] = {{"train/0.png", 1},
                                                  {"train/1.png", 0},
                                                  {"train/2.png", 1},
                                                  {"unlabeled/11.png", 7},
                                                  {"unlabeled/2.png", 2}};
  ASSERT_EQ(train.dataset->size(), 5);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(train.dataset->Name(i), root_ + "/" + expected[i].first);
    EXPECT_EQ(train.dataset->Label(i), expected[i].second);
  }
  EXPECT_TRUE(SameImage(train.dataset->Image(3).value(), TestImage(Seed("unlabeled", 11))));
  const auto validation = Open(Split::kValidation).value();
  ASSERT_EQ(validation.dataset->size(), 2);
  EXPECT_EQ(validation.dataset->Label(1), 4);
  // The same classes in both, whichever of them occur.
  EXPECT_EQ(train.dataset->classes().size(), 8u);
  EXPECT_EQ(validation.dataset->classes(), train.dataset->classes());
}

// The people who label still have the list; meanwhile a classifier can be trained.
TEST_F(NumberedPngTest, ARequestWithoutLabelsIsNotUsed) {
  Write("request_02.csv", "filename\n5.png\n");
  const Opened train = *Open(Split::kTraining);
  EXPECT_EQ(train.dataset->size(), 5);
  EXPECT_THAT(train.notes, Contains(AllOf(HasSubstr(Path("request_02.csv")),
                                          HasSubstr(Path("label_02.pt") + " does not exist"))));
  Write("label_02.pt", LabelTensor({3}));
  EXPECT_EQ(Open(Split::kTraining)->dataset->size(), 6);
  std::filesystem::remove(root_ + "/request_02.csv");
  EXPECT_THAT(ErrorOf(Split::kTraining), HasSubstr("provide both files or neither"));
}

TEST_F(NumberedPngTest, SplitsMayBeMissing) {
  std::filesystem::remove_all(root_ + "/unlabeled");
  EXPECT_THAT(ErrorOf(Split::kPretraining), HasSubstr(Path("unlabeled") + ": No such file"));
  EXPECT_THAT(ErrorOf(Split::kTraining), HasSubstr(Path("unlabeled") + ": No such file"));
  std::filesystem::remove(root_ + "/request_01.csv");
  std::filesystem::remove(root_ + "/label_01.pt");
  EXPECT_EQ(Open(Split::kTraining)->dataset->size(), 3);

  std::filesystem::remove_all(root_);
  Image("unlabeled", 0);
  EXPECT_EQ(Open(Split::kPretraining)->format, "numbered_png");
  EXPECT_EQ(Open(Split::kPretraining)->dataset->size(), 1);
}

TEST_F(NumberedPngTest, LabelsThatDoNotFitTheImages) {
  Write("train_label_tensor.pt", LabelTensor({1, 0}));
  EXPECT_THAT(ErrorOf(Split::kTraining),
              HasSubstr(absl::StrCat(Path("train/2.png"), " has no label in ",
                                     Path("train_label_tensor.pt"), " (3 images, 2 labels)")));
  Write("train_label_tensor.pt", LabelTensor({1, 0, 1, 1}));
  EXPECT_THAT(ErrorOf(Split::kTraining),
              AllOf(HasSubstr(Path("train_label_tensor.pt")), HasSubstr(Path("train/3.png")),
                    HasSubstr("(3 images, 4 labels)")));
  Write("train_label_tensor.pt", LabelTensor({1, 0, 1}));
  std::filesystem::rename(root_ + "/train/1.png", root_ + "/train/3.png");
  EXPECT_THAT(ErrorOf(Split::kTraining), HasSubstr(Path("train/1.png")));
  std::filesystem::rename(root_ + "/train/3.png", root_ + "/train/1.png");
  EXPECT_TRUE(Open(Split::kTraining).ok());
  for (const int64_t label : {int64_t{-1}, int64_t{1} << 20, int64_t{1} << 40}) {
    Write("train_label_tensor.pt", LabelTensor({1, label, 1}));
    EXPECT_THAT(ErrorOf(Split::kTraining),
                HasSubstr(absl::StrCat(Path("train_label_tensor.pt"), " has the label ", label,
                                       " in entry 1; labels are 0 to 1048575")));
  }
  Write("train_label_tensor.pt", LabelTensor({1, 0, 1}).substr(0, 40));
  EXPECT_THAT(ErrorOf(Split::kTraining), HasSubstr(Path("train_label_tensor.pt")));
  std::filesystem::remove(root_ + "/train_label_tensor.pt");
  EXPECT_THAT(ErrorOf(Split::kTraining), HasSubstr("train_label_tensor.pt': No such file"));
}

TEST_F(NumberedPngTest, NamesThatAreNoNumbers) {
  for (const char* name : {"x.png", "01.png", "-1.png", "4294967296.png", "1.jpg", ".png.png"}) {
    if (name[0] == '.') continue;  // hidden
    Write(absl::StrCat("unlabeled/", name), "x");
    EXPECT_THAT(ErrorOf(Split::kPretraining),
                AllOf(HasSubstr(Path(absl::StrCat("unlabeled/", name))), HasSubstr("12.png")));
    std::filesystem::remove(absl::StrCat(root_, "/unlabeled/", name));
  }
  Write("unlabeled/notes.txt", "x");
  EXPECT_TRUE(Open(Split::kPretraining).ok());
}

TEST_F(NumberedPngTest, ListsOfNewlyLabelledImages) {
  const auto error = [&](const std::string& list) {
    Write("request_01.csv", list);
    return ErrorOf(Split::kTraining);
  };
  const std::string path = Path("request_01.csv");
  EXPECT_THAT(error("filename\n11.png\n12.png\n"),
              HasSubstr(path + " line 3: " + Path("unlabeled/12.png")));
  EXPECT_THAT(error("11.png\n\n11.png\n"),
              AllOf(HasSubstr(path + " line 3: '11.png'"), HasSubstr("line 1")));
  EXPECT_THAT(error("image\n11.png\nindex\n"), HasSubstr(path + " line 3: 'index'"));
  EXPECT_THAT(error("11.png\nfilename\n"), HasSubstr("line 2: 'filename'"));
  EXPECT_THAT(error("11.png,7\n2.png,2\n"), HasSubstr("line 1: '11.png'"));
  EXPECT_THAT(error("11\n2\n"), HasSubstr("line 1: '11'"));
  EXPECT_THAT(error("\"11.png\n2.png\n"), HasSubstr("line 1: a quoted field does not end"));
  EXPECT_THAT(error("11.png\n"),
              HasSubstr(path + " names 1 images, but " + Path("label_01.pt") + " has 2 labels"));
  EXPECT_THAT(error(""), HasSubstr("names 0 images"));
  Write("request_01.csv", "\xEF\xBB\xBF\"11.png\",\r\n2.png,\r\n");
  EXPECT_EQ(Open(Split::kTraining)->dataset->size(), 5);

  Write("request_2.csv", "2.png\n");
  Write("label_2.pt", LabelTensor({3}));
  EXPECT_THAT(
      ErrorOf(Split::kTraining),
      AllOf(HasSubstr(Path("request_2.csv") + " line 1: '2.png'"), HasSubstr(path + " line 2")));
  Write("request_2.csv", "3.png\n");
  EXPECT_EQ(Open(Split::kTraining)->dataset->size(), 6);
  std::filesystem::remove(root_ + "/request_2.csv");
  EXPECT_THAT(ErrorOf(Split::kTraining),
              AllOf(HasSubstr(Path("label_2.pt")), HasSubstr(Path("request_2.csv"))));
}

}  // namespace
}  // namespace data
