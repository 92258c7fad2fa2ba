#include "base/flags.h"

#include <gflags/gflags.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/files.h"
#include "base/usual_flags.h"

DEFINE_int64(batch_size, 256, "[data: 1 to 1000] images per step");
DEFINE_double(lr, 0.03, "[rate] learning rate");
DEFINE_string(schedule, "120 160", "[rate: numbers 1 to 1000] epochs");
DEFINE_int64(log_every, 0, "[data: at least 1] steps");
DEFINE_uint64(seed, 0, "[rate] seed");
DEFINE_bool(cos, false, "[rate] cosine");
DEFINE_string(precision, "", "[machine: fp32 | fp64 | bf16] arithmetic");
DEFINE_double(cost, 0, "[data] price of a label");
DEFINE_string(plain, "", "no theme");

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
                            /*hidden=*/{"plain"}, /*first=*/{"cos"});
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
  // --cos is in `first`, so that a prefix stands for it although --cost begins so, too.
  FLAGS_cos = false;
  ASSERT_TRUE(Parse({"--co"}).ok());
  EXPECT_TRUE(FLAGS_cos);
  EXPECT_THAT(Error({"--l=3"}), HasSubstr("--l could be --log-every, --lr"));
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
  EXPECT_EQ(Error({"--lr=fast"}), "--lr is 'fast', must be a number such as 0.03 (with a point)");
  EXPECT_THAT(Error({"--lr=0,03"}), HasSubstr("'0,03', must be a number such as"));
  EXPECT_THAT(Error({"--batch-size=1.5"}), HasSubstr("'1.5', must be a whole number"));
  EXPECT_THAT(Error({"--batch-size=1,000"}), HasSubstr("without commas"));
  EXPECT_THAT(Error({"--seed=-1"}), HasSubstr("must be a whole number such as 1000 (without "));
  EXPECT_THAT(Error({"--seed=abc"}), HasSubstr("at least 0"));
  EXPECT_THAT(Error({"--cos=maybe"}), HasSubstr("must be true or false"));
  EXPECT_EQ(Error({"--lr"}), "--lr requires a value");
  EXPECT_EQ(Error({"--lr", "--cos"}), "--lr requires a value");
  EXPECT_EQ(Error({"--lr", "-c"}), "--lr requires a value");
  EXPECT_THAT(Error({"--nocos=true"}), HasSubstr("write --cos=true or --nocos"));
  EXPECT_THAT(Error({"--plain=x"}), HasSubstr("unknown flag"));  // hidden
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
    const std::string text = Flagfile("base/flags_test.cc", {"batch_size", "plain"});
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
  EXPECT_THAT(Error({"--flagfile=" + path}),
              HasSubstr("flagfile '" + path + "': --lr is '0.0x3', must be a number"));
  ASSERT_TRUE(WriteFileAtomically(path, "--flagfile=" + path + "\n").ok());
  EXPECT_THAT(Error({"--flagfile=" + path}), HasSubstr("includes itself"));
}

TEST_F(FlagsTest, ABrokenFlagfileIsNotTakenForDefaults) {
  const std::string path = testing::TempDir() + "/flags_test_broken.txt";
  ASSERT_TRUE(WriteFileAtomically(path, "--batch-size=8x\n").ok());
  EXPECT_THAT(std::string(SetDefaultsFromFile(path).message()),
              HasSubstr("'" + path + "': --batch-size is '8x', must be a whole number"));
}

TEST_F(FlagsTest, RangesAreCheckedWhereverAFlagIsSet) {
  EXPECT_EQ(Error({"-b0"}), "--batch-size is 0, must be 1 to 1000");
  EXPECT_EQ(Error({"--log-every=-2"}), "--log-every is -2, must be at least 1");
  EXPECT_EQ(Error({"--schedule", "5", "0"}), "--schedule is 0, must be 1 to 1000");
  EXPECT_THAT(Error({"--schedule=5,nan"}), HasSubstr("nan, must be 1 to 1000"));
  EXPECT_THAT(Error({"--schedule=5 x"}), HasSubstr("'x' is not a number"));
  EXPECT_EQ(Error({"--precision=fp16"}), "--precision is 'fp16', must be fp32, fp64 or bf16");
  for (const std::string word : {"-b1", "-b1000", "--precision=bf16", "--schedule=1,1000"}) {
    EXPECT_TRUE(Parse({word}).ok()) << word;
  }
  // The defaults, though they are not in range.
  EXPECT_TRUE(Parse({"--precision=", "--log-every=0"}).ok());
  EXPECT_FALSE(SetFlag("batch_size", "1001").ok());
}

TEST_F(FlagsTest, RangesAreCheckedInDefaultsAndFlagfiles) {
  EXPECT_DEATH(SetDefaults({{"precision", "fp8"}}), "fp8., must be fp32");
  const std::string path = testing::TempDir() + "/flags_test_range.txt";
  ASSERT_TRUE(WriteFileAtomically(path, "--log-every=-1\n").ok());
  EXPECT_THAT(std::string(SetDefaultsFromFile(path).message()), HasSubstr("--log-every is -1"));
  EXPECT_THAT(Error({"--flagfile=" + path}), HasSubstr(path + "': --log-every is -1"));
}

TEST_F(FlagsTest, RangesThatTheProgramComputesRefuseNan) {
  EXPECT_TRUE(CheckFlag("moco_m", 1, 0, 1).ok());
  EXPECT_EQ(CheckFlag("moco_m", 1.5, 0, 1).message(), "--moco-m is 1.5, must be 0 to 1");
  EXPECT_FALSE(CheckFlag("lr", std::numeric_limits<double>::quiet_NaN(), 0, 1).ok());
  EXPECT_EQ(CheckFlag("epochs", 0, 1, std::numeric_limits<double>::infinity()).message(),
            "--epochs is 0, must be at least 1");
}

TEST_F(FlagsTest, NumbersOfAList) {
  EXPECT_EQ(NumbersOf("schedule").value(), (std::vector<double>{120, 160}));
  ASSERT_TRUE(Parse({"--schedule=1.5, 1e2 30"}).ok());
  EXPECT_EQ(NumbersOf("schedule").value(), (std::vector<double>{1.5, 100, 30}));
  ASSERT_TRUE(Parse({"--schedule"}).ok());
  EXPECT_THAT(std::string(NumbersOf("schedule").status().message()),
              HasSubstr("--schedule is empty"));
}

TEST_F(FlagsTest, UsualFlagsAreThoseWithoutACommandLine) {
  ASSERT_TRUE(Parse({"--batch-size=8"}).ok());
  const auto usual = UsualFlags({{"lr", "0.00050"}});
  EXPECT_EQ(usual.at("lr"), "5e-04");  // as in a flagfile
  EXPECT_EQ(usual.at("schedule"), "120 160");
  EXPECT_NE(usual.at("batch-size"), "8");
  EXPECT_EQ(UsualFlags({}).at("lr"), "0.03");
  EXPECT_EQ(usual.count("help"), 0u);
}

TEST_F(FlagsTest, HelpHasEachFlagOnceBelowItsTheme) {
  const std::string help =
      FlagHelp({"rate", "machine", "data"}, {{"b", "batch_size"}, {"learning_rate", "lr"}},
               {"cost", "log_every"});
  EXPECT_EQ(help,
            "rate:\n"
            "  --cos (false)\n      cosine\n"
            "  --learning-rate, --lr (0.03)\n      learning rate\n"
            "  --schedule (120 160)\n      epochs [numbers 1 to 1000]\n"
            "  --seed (0)\n      seed\n"
            "machine:\n"
            "  --precision\n      arithmetic [fp32, fp64 or bf16]\n"
            "flags:\n"
            "  --plain\n      no theme\n"
            "data:\n"
            "  -b, --batch-size (256)\n      images per step [1 to 1000]\n");
}

}  // namespace
}  // namespace base
