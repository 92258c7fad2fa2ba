#include "moco/report/predictions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "data/test_images.h"

namespace report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(WilsonTest, PublishedValues) {
  // Newcombe (1998), Statistics in Medicine 17, table I, method 3.
  for (const auto& [successes, trials, low, high] :
       {std::tuple(81, 263, 0.2553, 0.3662), std::tuple(15, 148, 0.0624, 0.1605),
        std::tuple(0, 20, 0.0000, 0.1611), std::tuple(1, 29, 0.0061, 0.1718)}) {
    const Interval interval = Wilson(successes, trials);
    EXPECT_NEAR(interval.low, low, 5e-5) << successes << " of " << trials;
    EXPECT_NEAR(interval.high, high, 5e-5) << successes << " of " << trials;
  }
  EXPECT_EQ(Wilson(7, 7).high, 1);
  EXPECT_EQ(Wilson(0, 1).low, 0);
}

TEST(ConfusionTest, Counts) {
  const Confusion confusion = Confuse({{"a", "10", "9", 0.5},
                                       {"b", "10", "10", 0.5},
                                       {"c", "9", "9", 0.5},
                                       {"d", "9", "cat", 0.5},
                                       {"e", "9", "cat", 0.5}});
  EXPECT_THAT(confusion.classes, ElementsAre("9", "10", "cat"));
  EXPECT_EQ(confusion.Images(0), 3);
  EXPECT_EQ(confusion.Right(0), 1);
  EXPECT_EQ(confusion.Count(0, 2), 2);
  EXPECT_EQ(confusion.Count(1, 0), 1);
  EXPECT_EQ(confusion.Images(2), 0);
  EXPECT_NEAR(confusion.Accuracy(0), 1.0 / 3, 1e-12);
}

TEST(PredictionsTest, FileIsReadAsItWasWritten) {
  const std::string folder = data::TestFolder("run");
  EXPECT_EQ(ReadPredictions(folder).status().code(), absl::StatusCode::kNotFound);
  data::WriteTestFile(folder + "/predictions.csv",
                      PredictionsCsv({{"a, \"b\".png", "cat,1", "dog", 0.25}, {"c", "1", "2", 1}}));
  const auto read = ReadPredictions(folder);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0].file, "a, \"b\".png");
  EXPECT_EQ((*read)[0].label, "cat,1");
  EXPECT_EQ((*read)[0].predicted, "dog");
  EXPECT_EQ((*read)[0].probability, 0.25);
}

TEST(PredictionsTest, DamageIsNamed) {
  const std::string folder = data::TestFolder("run");
  const std::string path = folder + "/predictions.csv";
  for (const char* line : {"", "a,b", "a,b,c,x", "a,b,c,-1", "a,b,c,7", "a,,c,1", "a,b,c,nan"}) {
    data::WriteTestFile(path, absl::StrCat("file,label,predicted,probability\n", line, "\n"));
    const auto read = ReadPredictions(folder);
    EXPECT_EQ(read.status().code(), absl::StatusCode::kDataLoss) << line;
    EXPECT_THAT(std::string(read.status().message()), HasSubstr(path));
  }
}

}  // namespace
}  // namespace report
