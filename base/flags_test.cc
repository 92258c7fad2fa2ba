#include "base/flags.h"

#include <gflags/gflags.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/files.h"

DEFINE_int64(batch_size, 256, "[data] images in a step");
DEFINE_double(lr, 0.03, "[rate] learning rate");
DEFINE_string(schedule, "120 160", "[rate] epochs");
DEFINE_int64(log_every, 1, "[data] steps");
DEFINE_bool(cos, false, "[rate] cosine");

namespace base {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class FlagsTest : public testing::Test {
 protected:
  absl::StatusOr<CommandLine> Parse(std::vector<std::string> words) {
    words.insert(words.begin(), "program");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    return ParseCommandLine(static_cast<int>(argv.size()), argv.data(),
                            {{"b", "batch_size"}, {"c", "cos"}, {"learning_rate", "lr"}},
                            {"schedule"});
  }
  std::string Error(const std::vector<std::string>& words) {
    return std::string(Parse(words).status().message());
  }

 private:
  gflags::FlagSaver saver_;
};

TEST_F(FlagsTest, EverySpelling) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"--batch-size", "8"},
                                             {"--batch_size=8"},
                                             {"-b", "8"},
                                             {"-b=8"},
                                             {"-batch-size", "8"}}) {
    gflags::FlagSaver saver;
    ASSERT_TRUE(Parse(words).ok()) << words[0];
    EXPECT_EQ(FLAGS_batch_size, 8) << words[0];
  }
  ASSERT_TRUE(Parse({"--learning-rate", "-0.5", "--cos"}).ok());
  EXPECT_EQ(FLAGS_lr, -0.5);
  EXPECT_TRUE(FLAGS_cos);
  ASSERT_TRUE(Parse({"--nocos"}).ok());
  EXPECT_FALSE(FLAGS_cos);
}

TEST_F(FlagsTest, ListsTakeTheirNumbersAndPositionalsStay) {
  const auto line = Parse({"DIR", "--schedule", "60", "80", "--cos", "more", "--", "--last"});
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(FLAGS_schedule, "60 80");
  EXPECT_THAT(line->positional, ElementsAre("DIR", "more", "--last"));
  EXPECT_FALSE(line->help);
  EXPECT_TRUE(Parse({"-h"})->help);
  EXPECT_TRUE(Parse({"--help"})->help);
}

TEST_F(FlagsTest, WhatArgparseTakes) {
  const auto parse = [&](const std::vector<std::string>& words) {
    const auto line = Parse(words);
    EXPECT_TRUE(line.ok()) << line.status();
    return line.ok() ? line->positional : std::vector<std::string>();
  };
  parse({"--batch", "8"});
  EXPECT_EQ(FLAGS_batch_size, 8);
  parse({"--learning=2", "--learn", "-3"});
  EXPECT_EQ(FLAGS_lr, -3);
  EXPECT_THAT(parse({"-b16", "-c", "DIR"}), ElementsAre("DIR"));
  EXPECT_EQ(FLAGS_batch_size, 16);
  EXPECT_TRUE(FLAGS_cos);
  FLAGS_cos = false;
  parse({"-cb32"});
  EXPECT_EQ(FLAGS_batch_size, 32);
  EXPECT_TRUE(FLAGS_cos);
  parse({"-cb", "64"});
  EXPECT_EQ(FLAGS_batch_size, 64);
  parse({"--schedule", "--cos"});  // no drop at all
  EXPECT_EQ(FLAGS_schedule, "");
  parse({"--schedule=60,80", "--schedule", "7", "--nocos", "--cos"});  // the last one holds
  EXPECT_EQ(FLAGS_schedule, "7");
  EXPECT_TRUE(FLAGS_cos);
  EXPECT_TRUE(Parse({"--hel"})->help);
  EXPECT_EQ(Error({"--l=3"}), "--l could be --log-every, --lr; write more of it");
  EXPECT_EQ(Error({"-cx"}), "unknown flag -x in '-cx'; --help lists all");
}

TEST_F(FlagsTest, NumbersAreFinite) {
  EXPECT_EQ(Error({"--lr", "nan"}), "--lr is nan, must be a finite number");
  EXPECT_EQ(Error({"--lr", "-inf"}), "--lr is -inf, must be a finite number");
  EXPECT_EQ(Error({"--lr=1e999"}), "--lr is 1e999, must be a finite number");
}

TEST_F(FlagsTest, ErrorsNameTheFlagAndTheNearest) {
  EXPECT_EQ(Error({"--batch-sise=3"}),
            "unknown flag --batch-sise; did you mean --batch-size? --help lists all");
  EXPECT_EQ(Error({"--lr=fast"}), "--lr is 'fast', must be of type double");
  EXPECT_EQ(Error({"--batch-size=1.5"}), "--batch-size is '1.5', must be of type int64");
  EXPECT_EQ(Error({"--lr"}), "--lr wants a value");
  EXPECT_EQ(Error({"--lr", "--cos"}), "--lr wants a value");
  EXPECT_EQ(Error({"--lr", "-c"}), "--lr wants a value");
  EXPECT_EQ(Error({"--nocos=true"}), "'--nocos=true' says two things; write --cos=true or --nocos");
  EXPECT_EQ(Error({"--helicopter=3"}), "unknown flag --helicopter; --help lists all");
  EXPECT_EQ(Error({"-e"}), "unknown flag --e; --help lists all");  // this program has no --evaluate
  EXPECT_THAT(Error({"--fromenv=x"}), HasSubstr("unknown flag"));  // gflags' own
}

TEST_F(FlagsTest, DefaultsYieldToTheCommandLine) {
  ASSERT_TRUE(Parse({"--lr=0.5"}).ok());
  SetDefaults({{"lr", "0.1"}, {"batch_size", "9"}});
  EXPECT_EQ(FLAGS_lr, 0.5);
  EXPECT_EQ(FLAGS_batch_size, 9);
  EXPECT_TRUE(IsSet("lr"));
  EXPECT_THAT(SetFlags("base/flags_test.cc"), ElementsAre("batch_size", "lr"));
  EXPECT_FALSE(IsSet("cos"));
}

TEST_F(FlagsTest, AFlagfileMakesTheSameFlags) {
  const std::string path = testing::TempDir() + "/flags_test.txt";
  {
    gflags::FlagSaver saver;
    ASSERT_TRUE(Parse({"--lr=0.123456789", "--schedule", "1", "2", "--cos"}).ok());
    const std::string text = Flagfile("base/flags_test.cc", {"batch_size"});
    EXPECT_THAT(text, Not(HasSubstr("batch-size")));
    ASSERT_TRUE(WriteFileAtomically(path, "# made by a test\n\n" + text).ok());
  }
  {
    gflags::FlagSaver saver;
    ASSERT_TRUE(Parse({"--flagfile=" + path}).ok());
    EXPECT_EQ(FLAGS_lr, 0.123456789);
    EXPECT_EQ(FLAGS_schedule, "1 2");
    EXPECT_TRUE(FLAGS_cos);
  }
  ASSERT_TRUE(Parse({"--lr=7"}).ok());
  ASSERT_TRUE(SetDefaultsFromFile(path).ok());
  EXPECT_EQ(FLAGS_lr, 7);
  EXPECT_EQ(FLAGS_schedule, "1 2");
  ASSERT_TRUE(WriteFileAtomically(path, "--no-such-flag=1\n").ok());
  EXPECT_THAT(std::string(SetDefaultsFromFile(path).message()), HasSubstr("no-such-flag"));
  EXPECT_FALSE(Parse({"--flagfile=/no/such/file"}).ok());
  ASSERT_TRUE(WriteFileAtomically(path, "--lr=0.0x3\n").ok());
  EXPECT_EQ(Error({"--flagfile=" + path}),
            "flagfile '" + path + "': --lr is '0.0x3', must be of type double");
  ASSERT_TRUE(WriteFileAtomically(path, "--flagfile=" + path + "\n").ok());
  EXPECT_THAT(Error({"--flagfile=" + path}), HasSubstr("includes itself"));
}

TEST_F(FlagsTest, ABrokenFlagfileIsNotTakenForDefaults) {
  const std::string path = testing::TempDir() + "/flags_test_broken.txt";
  ASSERT_TRUE(WriteFileAtomically(path, "--batch-size=8x\n").ok());
  EXPECT_EQ(SetDefaultsFromFile(path).message(),
            "'" + path + "': --batch-size is '8x', must be of type int64");
}

TEST_F(FlagsTest, RangesRefuseNan) {
  EXPECT_TRUE(CheckFlag("moco_m", 1, 0, 1).ok());
  EXPECT_EQ(CheckFlag("moco_m", 1.5, 0, 1).message(), "--moco-m is 1.5, must be 0 to 1");
  EXPECT_EQ(CheckFlag("lr", std::numeric_limits<double>::quiet_NaN(), 0, 1).message(),
            "--lr is nan, must be 0 to 1");
  EXPECT_EQ(CheckFlag("epochs", 0, 1, std::numeric_limits<double>::infinity()).message(),
            "--epochs is 0, must be at least 1");
}

TEST_F(FlagsTest, NumbersOfAFlagThatTakesSeveral) {
  EXPECT_EQ(ReadNumbers("lr", "0.1, 1e-6 30", 0, 100).value(),
            (std::vector<double>{0.1, 1e-6, 30}));
  EXPECT_EQ(ReadNumbers("weight_decay", "1 x", 0, 1).status().message(),
            "--weight-decay is '1 x', of which 'x' is no number");
  EXPECT_EQ(ReadNumbers("lr", "1 nan", 0, 1).status().message(), "--lr is nan, must be 0 to 1");
  EXPECT_EQ(ReadNumbers("lr", " ", 0, 1).status().message(),
            "--lr is empty, must be numbers like '1 10'");
}

TEST_F(FlagsTest, HelpHasNameDefaultAndDescription) {
  EXPECT_THAT(FlagHelp("base/flags_test.cc"), HasSubstr("  --lr (0.03)\n      [rate] learning"));
}

TEST_F(FlagsTest, HelpByThemeHasEachFlagOnce) {
  const auto help = [](const std::vector<std::string>& themes) {
    return FlagHelpByTheme({"base/flags_test.cc"}, themes,
                           {{"b", "batch_size"}, {"learning_rate", "lr"}});
  };
  EXPECT_EQ(help({"rate", "machine", "data"}),
            "rate:\n"
            "  --cos (false)\n      cosine\n"
            "  --learning-rate, --lr (0.03)\n      learning rate\n"
            "  --schedule (120 160)\n      epochs\n"
            "data:\n"
            "  -b, --batch-size (256)\n      images in a step\n"
            "  --log-every (1)\n      steps\n");
  EXPECT_DEATH(help({"data"}), "the theme of --cos, 'rate', is none of them");
}

}  // namespace
}  // namespace base
