#include "tools/doctor/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <new>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/exit_code.h"
#include "base/files.h"
#include "data/dataset.h"
#include "data/encode.h"
#include "data/test_images.h"
#include "tools/doctor/cost.h"
#include "tools/doctor/test_pictures.h"

namespace doctor {
namespace {

using ::testing::_;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::string Sample(const std::string& name) {
  return base::ReadFile("data/testdata/samples/" + name).value();
}

// A run that fits every machine.
absl::StatusOr<Cost> Cheap(const std::string&) {
  return Cost{.memory = 1e9, .machine_memory = 4e9, .checkpoint = 1e5, .checkpoints = 200};
}

struct Report {
  absl::Status status;
  std::vector<std::string> lines;

  // Those of one kind, such as "warning".
  std::vector<std::string> Of(const std::string& kind) const {
    std::vector<std::string> found;
    for (const std::string& line : lines) {
      if (line.rfind(kind + " ", 0) == 0) found.push_back(line);
    }
    return found;
  }
};

Report Examined(const std::string& root, DoctorOptions options = {},
                const CostOf& cost_of = Cheap) {
  options.path = root;
  options.folder = testing::TempDir();
  if (options.open == nullptr) {
    options.open = [&](data::Split split, bool labelled) {
      return labelled ? data::OpenLabelledDataset(root, split) : data::OpenDataset(root, split);
    };
  }
  options.examine.threads = 2;
  testing::internal::CaptureStdout();
  Report report{RunDoctor(options, cost_of), {}};
  report.lines = absl::StrSplit(testing::internal::GetCapturedStdout(), '\n');
  return report;
}

class Folder {
 public:
  explicit Folder(const std::string& name = "data") : root_(data::TestFolder(name)) {}

  const std::string& root() const { return root_; }
  void Write(const std::string& name, const std::string& file) {
    data::WriteTestFile(root_ + "/" + name, file);
  }
  void Picture(const std::string& name, int seed, int rows = 120, int cols = 160) {
    Write(name, data::EncodeJpeg(TestPicture(seed, rows, cols), 92));
  }

 private:
  const std::string root_;
};

// Two classes of 40 pictures for training and of 12 for validation.
void WriteHealthy(Folder& folder) {
  int seed = 0;
  for (const char* split : {"train", "val"}) {
    for (const char* name : {"cat", "dog"}) {
      for (int i = 0; i < (split == std::string("train") ? 40 : 12); ++i) {
        folder.Picture(absl::StrCat(split, "/", name, "/", i, ".jpg"), seed++);
      }
    }
  }
}

TEST(DoctorTest, NothingIsWrong) {
  Folder folder;
  WriteHealthy(folder);
  const Report report = Examined(folder.root());
  EXPECT_TRUE(report.status.ok()) << report.status;
  EXPECT_THAT(report.Of("failure"), IsEmpty());
  EXPECT_THAT(report.Of("warning"), IsEmpty());
  EXPECT_THAT(report.Of("note"), IsEmpty());
  EXPECT_THAT(report.Of("which"), IsEmpty());
  EXPECT_THAT(report.Of("data"),
              ElementsAre(absl::StrCat("data     80 images for pretraining and training, ",
                                       folder.root(), "/train (image_folder)"),
                          absl::StrCat("data     24 images for validation, ", folder.root(),
                                       "/val (image_folder)")));
  EXPECT_THAT(report.Of("classes"), Contains("classes  2 of 40 images"));
  EXPECT_THAT(report.Of("stored"), Contains("stored   jpeg RGB 80"));
  EXPECT_THAT(report.Of("sizes"), Contains("sizes    all 160 x 120 pixels"));
  ASSERT_THAT(report.Of("run"), SizeIs(1));
  EXPECT_THAT(report.Of("run")[0],
              AllOf(HasSubstr(folder.root()), HasSubstr("--image-size=112"),
                    HasSubstr("--moco-k=8"), HasSubstr("-b 8"), HasSubstr("--bn-splits=4")));
}

// Every fault at once.
TEST(DoctorTest, AllFaultsAreFound) {
  Folder folder;
  WriteHealthy(folder);
  const std::string picture = data::EncodePng(TestPicture(500));
  folder.Write("train/cat/copy_1.png", picture);
  folder.Write("train/cat/copy_2.png", picture);  // an exact copy
  folder.Write("train/dog/copy_3.png", picture);  // with another label
  cv::Mat small;
  cv::resize(TestPicture(500), small, cv::Size(80, 60), 0, 0, cv::INTER_AREA);
  folder.Write("train/cat/smaller.jpg", data::EncodeJpeg(small, 80));  // a near one
  folder.Picture("val/cat/exact.jpg", 3);                              // train/cat/3.jpg
  folder.Write("val/cat/leaked.jpg", data::EncodeJpeg(TestPicture(5), 60));
  folder.Write("train/cat/blank.png",
               data::EncodePng(cv::Mat(64, 64, CV_8UC3, cv::Scalar(9, 9, 9))));
  folder.Picture("train/dog/long.jpg", 600, 100, 500);
  folder.Picture("train/dog/stamp.jpg", 601, 20, 24);
  folder.Picture("train/rare/1.jpg", 602);
  folder.Picture("val/rare/1.jpg", 603);
  folder.Picture("train/train_only/1.jpg", 604);
  std::filesystem::create_directories(folder.root() + "/train/nothing");
  const std::string jpeg = data::EncodeJpeg(TestPicture(605), 90);
  folder.Write("train/dog/cut.jpg", jpeg.substr(0, jpeg.size() / 2));
  folder.Write("train/dog/text.png", "<html>not found</html>");
  folder.Write("train/dog/empty.jpg", "");
  for (const char* name : {"cmyk.jpg", "turned.jpg", "palette_4.png", "rgb_16.png", "lossy.webp"}) {
    folder.Write(absl::StrCat("train/cat/", name), Sample(name));
  }

  DoctorOptions options;
  options.bad_list = folder.root() + "/../bad.txt";
  options.duplicates_list = folder.root() + "/../duplicates.csv";
  options.page = folder.root() + "/../page.html";
  for (const std::string& file : {options.bad_list, options.duplicates_list, options.page}) {
    std::filesystem::remove(file);
  }
  const Report report = Examined(folder.root(), options);
  EXPECT_EQ(base::ExitCodeOf(report.status), base::kDamagedData);
  EXPECT_THAT(std::string(report.status.message()), HasSubstr("train_only"));

  EXPECT_THAT(report.Of("failure"),
              ElementsAre(AllOf(HasSubstr("lincls"), HasSubstr("train_only"))));
  const std::vector<std::string> warnings = report.Of("warning"), notes = report.Of("note");
  EXPECT_THAT(warnings, Contains(AllOf(HasSubstr("cannot be read"), HasSubstr("3 of "),
                                       HasSubstr("1 is empty"), HasSubstr("1 is not an image"),
                                       HasSubstr("1 is cut or damaged"))));
  EXPECT_THAT(warnings, Contains(AllOf(HasSubstr("2 of 27 images of validation"),
                                       HasSubstr("1 exactly, 1 nearly"))));
  EXPECT_THAT(warnings,
              Contains(AllOf(HasSubstr("different labels"), HasSubstr("copy_1.png' is of 'cat'"),
                             HasSubstr("copy_3.png' of 'dog'"))));
  EXPECT_THAT(warnings,
              Contains(AllOf(StartsWith("warning  2 of "), HasSubstr("copies of other"))));
  EXPECT_THAT(warnings, Contains(HasSubstr("look like other")));
  EXPECT_THAT(warnings, Contains(AllOf(StartsWith("warning  1 of "), HasSubstr("one colour"))));
  EXPECT_THAT(notes, Contains(AllOf(HasSubstr("no image"), HasSubstr("'nothing'"))));
  EXPECT_THAT(warnings,
              Contains(AllOf(HasSubstr("fewer than 10"), HasSubstr("'rare', 'train_only'"))));
  EXPECT_THAT(notes, Contains(HasSubstr("4 times as long as wide")));
  EXPECT_THAT(notes, Contains(HasSubstr("less than a quarter")));
  EXPECT_THAT(notes, Contains(AllOf(StartsWith("note     1 of "), HasSubstr("--exif=apply"))));
  const std::string stored = report.Of("stored")[0];
  for (const char* kind : {"jpeg RGB ", "jpeg CMYK 1", "png palette of 4 bits 1",
                           "png RGB of 16 bits 1", "webp RGB 1"}) {
    EXPECT_THAT(stored, HasSubstr(kind));
  }

  // The files.
  const std::vector<std::string> bad =
      absl::StrSplit(base::ReadFile(options.bad_list).value(), '\n', absl::SkipEmpty());
  EXPECT_THAT(bad, ElementsAre(AllOf(HasSubstr("/dog/cut.jpg\t"), HasSubstr("is cut or damaged")),
                               HasSubstr("/dog/empty.jpg\t"), HasSubstr("/dog/text.png\t")));
  const std::string duplicates = base::ReadFile(options.duplicates_list).value();
  EXPECT_THAT(duplicates, StartsWith("file,splits,kind,group\n"));
  EXPECT_THAT(duplicates, ContainsRegex("train/cat/3.jpg,pretraining and training,exact,[0-9]+\n"
                                        "[^\n]*val/cat/exact.jpg,validation,exact,"));
  const std::string page = base::ReadFile(options.page).value();
  EXPECT_THAT(page, HasSubstr("train_only"));
  EXPECT_THAT(page, HasSubstr("<h2>exact duplicates</h2>"));
  EXPECT_THAT(page, HasSubstr("/train/dog/cut.jpg is cut or damaged"));
  EXPECT_THAT(page, HasSubstr("data:image/jpeg;base64,"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(ContainsRegex("(src|href)=\"(http|/)")));

  // Without them, a line names their flags.
  EXPECT_THAT(report.Of("which"), IsEmpty());
  EXPECT_THAT(Examined(folder.root()).Of("which"),
              ElementsAre(AllOf(HasSubstr("--page"), HasSubstr("--bad-list"),
                                HasSubstr("--duplicates-list"))));

  // Files that exist are not written over.
  EXPECT_TRUE(absl::IsAlreadyExists(Examined(folder.root(), options).status));
}

TEST(DoctorTest, TooManyBadImagesFail) {
  Folder folder;
  for (int i = 0; i < 20; ++i) folder.Picture(absl::StrCat(i, ".jpg"), i);
  for (int i = 0; i < 6; ++i) folder.Write(absl::StrCat("bad_", i, ".jpg"), "x");
  DoctorOptions options;
  options.findings.max_bad_images = 6;
  EXPECT_TRUE(Examined(folder.root(), options).status.ok());
  options.findings.max_bad_images = 5;
  const Report report = Examined(folder.root(), options);
  EXPECT_EQ(base::ExitCodeOf(report.status), base::kDamagedData);
  EXPECT_THAT(report.Of("failure"), ElementsAre(HasSubstr("--max-bad-images")));
  // Without labels nothing is said of classifiers.
  EXPECT_THAT(report.Of("note"), IsEmpty());
}

TEST(DoctorTest, ASampleSaysWhatTheWholeIsLike) {
  Folder folder;
  for (int i = 0; i < 400; ++i) {
    const std::string name = absl::StrFormat("%03d.jpg", i);
    if (i % 4 < 2) {
      folder.Picture(name, i, 20, 20);
    } else {
      folder.Write(name, "x");
    }
  }
  DoctorOptions options;
  options.examine.sample = 100;
  const Report report = Examined(folder.root(), options);
  EXPECT_THAT(report.Of("looked"),
              ElementsAre(AllOf(HasSubstr("100 images"), HasSubstr("of 400"))));
  // All that were looked at can be read: every fourth.
  EXPECT_TRUE(report.status.ok()) << report.status;
  options.examine.sample = 200;  // half of them cannot: of all, more than 100
  EXPECT_EQ(base::ExitCodeOf(Examined(folder.root(), options).status), base::kDamagedData);
}

TEST(DoctorTest, NoImageCanBeRead) {
  Folder folder;
  folder.Write("1.jpg", "x");
  const Report report = Examined(folder.root());
  EXPECT_EQ(base::ExitCodeOf(report.status), base::kDamagedData);
  EXPECT_THAT(report.Of("run"), IsEmpty());
}

TEST(DoctorTest, NoDataIsAWrongPath) {
  EXPECT_EQ(base::ExitCodeOf(Examined("/nowhere").status), base::kBadUsage);
}

TEST(DoctorTest, AFolderWithoutImagesFails) {
  Folder folder;
  folder.Write("notes.txt", "x");
  const Report report = Examined(folder.root());
  EXPECT_EQ(base::ExitCodeOf(report.status), base::kDamagedData);
  EXPECT_THAT(report.Of("failure"), ElementsAre(HasSubstr("holds no images")));
}

TEST(DoctorTest, ARunIsMadeToFitTheMachine) {
  Folder folder;
  for (int i = 0; i < 600; ++i) folder.Picture(absl::StrCat(i, ".jpg"), i, 24, 24);
  std::vector<std::string> tried;
  const CostOf large = [&](const std::string& words) -> absl::StatusOr<Cost> {
    tried.push_back(words);
    return Cost{.memory = tried.size() < 3 ? 2e9 : 0.5e9,
                .machine_memory = 1e9,
                .checkpoint = 1e15,
                .checkpoints = 200,
                .steps = 400,
                .steps_per_epoch = 2,
                .seconds = 2800,
                .tried_steps = 3,
                .tried_images = 16};
  };
  DoctorOptions options;
  options.wishes.batch_size = 256;
  const Report report = Examined(folder.root(), options, large);
  EXPECT_TRUE(report.status.ok()) << report.status;
  ASSERT_THAT(report.Of("run"), SizeIs(1));
  EXPECT_THAT(report.Of("run")[0], AllOf(Not(HasSubstr("-b ")), HasSubstr("--accumulate=4"),
                                         HasSubstr("--bn-splits=2"), HasSubstr("--keep=3")));
  EXPECT_THAT(tried, ElementsAre(Not(HasSubstr("--accumulate")), HasSubstr("--accumulate=2"),
                                 AllOf(StartsWith(folder.root()), HasSubstr("--accumulate=4"))));
  EXPECT_THAT(report.Of("time"), ElementsAre(AllOf(HasSubstr("46 min 40 s for 200 epochs"),
                                                   HasSubstr("of 2 steps, 14 s each"))));
  EXPECT_THAT(report.Of("disk"), ElementsAre(HasSubstr("3 checkpoints")));
  EXPECT_THAT(report.Of("memory"), ElementsAre(HasSubstr("500 MB of the machine's 1.0 GB")));

  const CostOf endless = [](const std::string&) -> absl::StatusOr<Cost> {
    return Cost{.memory = 10e9, .machine_memory = 1e9, .checkpoint = 1, .steps = 1};
  };
  EXPECT_EQ(base::ExitCodeOf(Examined(folder.root(), {}, endless).status), base::kDamagedData);
  const CostOf refused = [](const std::string&) -> absl::StatusOr<Cost> {
    return absl::InvalidArgumentError("no backbone 'resnet18'");
  };
  const Report wrong = Examined(folder.root(), {}, refused);  // a flag, not the data
  EXPECT_EQ(base::ExitCodeOf(wrong.status), base::kBadUsage);
  EXPECT_THAT(wrong.Of("run"), SizeIs(1));
  const CostOf broken = [](const std::string&) -> absl::StatusOr<Cost> {
    return absl::UnavailableError("no program");
  };
  const Report unknown = Examined(folder.root(), {}, broken);
  EXPECT_TRUE(unknown.status.ok()) << unknown.status;
  EXPECT_THAT(unknown.Of("note"), Contains(HasSubstr("not known: no program")));
}

TEST(DoctorTest, AProgramThatSaysNoCost) {
  EXPECT_EQ(CostBy("/bin/false")("x").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(CostBy("/bin/echo")("x").ok());
}

TEST(DoctorTest, GreyImagesGetOneChannel) {
  Folder folder;
  cv::Mat grey;
  for (int i = 0; i < 100; ++i) {
    cv::cvtColor(TestPicture(i, 96, 96), grey, cv::COLOR_RGB2GRAY);
    folder.Write(absl::StrCat(i, ".png"), data::EncodePng(grey));
  }
  const Report report = Examined(folder.root());
  ASSERT_THAT(report.Of("run"), SizeIs(1));
  EXPECT_THAT(
      report.Of("run")[0],
      AllOf(HasSubstr("-a resnet50:channels=1"), ContainsRegex("mean=0.[0-9]+,std=0.[0-9]+'"),
            Not(HasSubstr("color_jitter")), Not(HasSubstr("--aug-plus"))));
}

// Satellite images of 13 channels, with the network that was asked for.
TEST(DoctorTest, EachChannelHasItsConstants) {
  Folder folder;
  for (int i = 0; i < 40; ++i) {
    std::string values(96 * 96 * 13, '\0');
    for (size_t v = 0; v < values.size(); ++v) values[v] = static_cast<char>(v * (i + 7) * 31 >> 3);
    folder.Write(absl::StrCat(i, ".npy"), data::NpyFile("|u1", "(96, 96, 13)", values));
  }
  DoctorOptions options;
  options.open = [&](data::Split split, bool) {
    return data::OpenDataset({.path = folder.root(), .decode = {.channels = 13}}, split);
  };
  options.wishes.arch = "resnet50:channels=13";
  const Report report = Examined(folder.root(), options);
  ASSERT_THAT(report.Of("run"), SizeIs(1));
  EXPECT_THAT(report.Of("run")[0],
              AllOf(ContainsRegex("mean=0.[0-9]+( 0.[0-9]+){12},std=0.[0-9]+( 0.[0-9]+){12}'"),
                    Not(HasSubstr("color_jitter"))));
}

TEST(DoctorTest, SmallViewsAreNotBlurredWithoutColoursEither) {
  Folder folder;
  cv::Mat grey;
  for (int i = 0; i < 40; ++i) {
    cv::cvtColor(TestPicture(i, 28, 28), grey, cv::COLOR_RGB2GRAY);
    folder.Write(absl::StrCat(i, ".png"), data::EncodePng(grey));
  }
  const Report report = Examined(folder.root());
  ASSERT_THAT(report.Of("run"), SizeIs(1));
  EXPECT_THAT(report.Of("run")[0],
              AllOf(HasSubstr("--views="), HasSubstr("|flip|"), Not(HasSubstr("gaussian_blur")),
                    Not(HasSubstr("color_jitter")), Not(HasSubstr("grayscale"))));
}

// A microscope's 12 bits in files of 16.
TEST(DoctorTest, UnusedUpperBits) {
  Folder folder;
  const auto write = [&](int largest) {
    for (int i = 0; i < 70; ++i) {
      std::string image = "P5 40 40 65535\n";
      for (int p = 0; p < 40 * 40; ++p) {
        const int value = p == i ? largest : (p * (i + 7) * 31) % 2000;
        image += static_cast<char>(value >> 8);
        image += static_cast<char>(value & 255);
      }
      folder.Write(absl::StrCat(i, ".pgm"), image);
    }
  };
  write(4012);
  const Report narrow = Examined(folder.root());
  EXPECT_THAT(narrow.Of("stored"), ElementsAre(HasSubstr("pnm grey of 16 bits 70")));
  EXPECT_THAT(narrow.Of("warning"),
              Contains(AllOf(HasSubstr("no value above 4,012"), HasSubstr("--range=0:4095"))));
  EXPECT_THAT(narrow.Of("warning"), Each(Not(HasSubstr("one colour"))));
  ASSERT_THAT(narrow.Of("run"), SizeIs(1));
  EXPECT_THAT(narrow.Of("run")[0], HasSubstr(" --range=0:4095 "));
  DoctorOptions options;
  options.findings.has_range = options.wishes.has_range = true;
  EXPECT_THAT(Examined(folder.root(), options).Of("run")[0], Not(HasSubstr("--range")));
  write(40000);
  EXPECT_THAT(Examined(folder.root()).Of("run")[0], Not(HasSubstr("--range")));
}

// Data that the memory does not hold.
class TooLarge : public data::Dataset {
 public:
  int64_t size() const override { return 5; }
  absl::StatusOr<cv::Mat> Image(int64_t i) const override {
    if (i == 3) throw std::bad_alloc();
    return TestPicture(static_cast<int>(i), 8, 8);
  }
  std::string Name(int64_t i) const override { return absl::StrCat(i, ".png"); }
  int Label(int64_t) const override { return -1; }
  const std::vector<std::string>& classes() const override { return classes_; }

 private:
  const std::vector<std::string> classes_ = {};
};

TEST(DoctorTest, MissingMemoryIsNoDamage) {
  const auto look = LookAt(TooLarge(), {0, 2, "x"});
  EXPECT_EQ(base::ExitCodeOf(look.status()), base::kUnavailable);
  EXPECT_THAT(std::string(look.status().message()), HasSubstr("3.png"));
}

// A run sees views of one size, whatever the sizes of the images are.
TEST(DoctorTest, AnOversizedImageCountsAsOneImage) {
  Folder folder;
  for (int i = 0; i < 3; ++i) {
    const int side = i == 0 ? 900 : 30;
    folder.Write(absl::StrCat(i, ".png"),
                 data::EncodePng(cv::Mat(side, side, CV_8UC3, cv::Scalar::all(i == 0 ? 255 : 0))));
  }
  const auto opened = data::OpenDataset(folder.root(), data::Split::kPretraining).value();
  const Look look = LookAt(*opened.dataset, {0, 2, "x"}).value();
  EXPECT_THAT(look.mean, ElementsAre(DoubleNear(1.0 / 3, 1e-6), _, _));
  EXPECT_THAT(look.deviation, ElementsAre(DoubleNear(std::sqrt(2.0) / 3, 1e-6), _, _));
}

TEST(DoctorTest, ThreadsChangeNothing) {
  Folder folder;
  WriteHealthy(folder);
  const auto opened = data::OpenDataset(folder.root(), data::Split::kPretraining).value();
  const Look one = LookAt(*opened.dataset, {0, 1, "x"}).value();
  const Look three = LookAt(*opened.dataset, {0, 3, "x"}).value();
  ASSERT_EQ(one.images.size(), 80u);
  ASSERT_EQ(three.images.size(), 80u);
  EXPECT_EQ(one.mean, three.mean);
  EXPECT_EQ(one.deviation, three.deviation);
  for (size_t i = 0; i < 80; ++i) {
    EXPECT_EQ(one.images[i].index, three.images[i].index);
    EXPECT_EQ(one.images[i].fingerprint.pixels, three.images[i].fingerprint.pixels);
    EXPECT_EQ(one.images[i].fingerprint.perceptual, three.images[i].fingerprint.perceptual);
  }
}

}  // namespace
}  // namespace doctor
