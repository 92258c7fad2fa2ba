#include "base/program.h"

#include <gflags/gflags.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "base/exit_code.h"
#include "base/flags.h"
#include "base/preset_in_use.h"

// Where a user's program defines its flags; gflags' and glog's own lie below src/, too.
#line 1 "src/main.cc"
DEFINE_string(data, "", "[data] images");
DEFINE_int64(epochs, 3, "[optimisation: 1 to 100] passes");
#line 19 "base/program_test.cc"

namespace base {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ProgramTest : public testing::Test {
 protected:
  absl::StatusOr<std::optional<Arguments>> Read(const Program& program,
                                                std::vector<std::string> words) {
    words.insert(words.begin(), "program");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    return ReadCommandLine(static_cast<int>(argv.size()), argv.data(), program);
  }
  // The positional arguments.
  Arguments Take(const std::string& arguments, const std::vector<std::string>& words) {
    const auto read = Read({.usage = "", .arguments = arguments}, words);
    EXPECT_TRUE(read.ok()) << read.status();
    return read.ok() ? read->value() : Arguments{"failed"};
  }
  std::string Refuse(const std::string& arguments, const std::vector<std::string>& words) {
    const auto read = Read({.usage = "", .arguments = arguments}, words);
    EXPECT_TRUE(absl::IsInvalidArgument(read.status())) << read.status();
    return std::string(read.status().message());
  }
  std::string Help(const Program& program) {
    testing::internal::CaptureStdout();
    const auto read = Read(program, {"--help"});
    EXPECT_TRUE(read.ok() && !read->has_value());
    return testing::internal::GetCapturedStdout();
  }

  const Program with_data_{.usage = "Trains.\n",
                           .argument_flag = "data",
                           .presets = {{"demo", "in a minute", {{"epochs", "7"}}},
                                       {"paper", "as published", {{"epochs", "90"}}}}};

 private:
  gflags::FlagSaver saver_;
};

TEST_F(ProgramTest, TakesAsManyArgumentsAsTheUsageNames) {
  EXPECT_THAT(Take("", {"--epochs=5"}), IsEmpty());
  EXPECT_EQ(FLAGS_epochs, 5);
  EXPECT_THAT(Take("DATA OUT", {"a", "--epochs", "6", "b"}), ElementsAre("a", "b"));
  EXPECT_THAT(Take("BANK [QUERIES]", {"a"}), ElementsAre("a"));
  EXPECT_THAT(Take("BANK [QUERIES]", {"a", "b"}), ElementsAre("a", "b"));
  EXPECT_THAT(Take("FILE...", {"a", "b", "c"}), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Take("[ARGUMENT...]", {}), IsEmpty());
  EXPECT_THAT(Take("[ARGUMENT...]", {"--", "--epochs", ""}), ElementsAre("--epochs", ""));
}

TEST_F(ProgramTest, AMissingOrUnexpectedArgumentIsNamed) {
  EXPECT_THAT(Refuse("", {"word"}), HasSubstr("unexpected argument 'word'"));
  EXPECT_THAT(Refuse("DATA OUT", {"a"}), HasSubstr("missing argument OUT"));
  EXPECT_THAT(Refuse("BANK [QUERIES]", {}), HasSubstr("missing argument BANK"));
  EXPECT_THAT(Refuse("FILE...", {}), HasSubstr("missing argument FILE"));
  EXPECT_THAT(Refuse("BANK [QUERIES]", {"a", "b", "c"}), HasSubstr("unexpected argument 'c'"));
  EXPECT_THAT(Refuse("DATA OUT", {"", "b"}), HasSubstr("DATA is empty"));
}

TEST_F(ProgramTest, AnArgumentCanStandForAFlag) {
  ASSERT_TRUE(Read(with_data_, {}).ok());
  EXPECT_EQ(FLAGS_data, "");
  ASSERT_TRUE(Read(with_data_, {"images"}).ok());
  EXPECT_EQ(FLAGS_data, "images");
  EXPECT_TRUE(IsSet("data"));
  EXPECT_FALSE(Read(with_data_, {"other", "--data=images"}).ok());
  EXPECT_THAT(std::string(Read(with_data_, {"a", "b"}).status().message()),
              HasSubstr("unexpected argument 'b'"));
  FLAGS_data = "";
}

TEST_F(ProgramTest, AnEmptyArgumentIsRefused) { EXPECT_FALSE(Read(with_data_, {""}).ok()); }

TEST_F(ProgramTest, HelpHasUsageFlagsRangesAndPresets) {
  EXPECT_THAT(Help(with_data_),
              AllOf(HasSubstr("Trains.\n"), HasSubstr("data:\n  --data\n"),
                    HasSubstr("--epochs (3)\n      passes [1 to 100]\n"), HasSubstr("--preset"),
                    HasSubstr("--print-config"), HasSubstr("--flagfile"),
                    HasSubstr("  paper\n      as published\n      --epochs=90\n")));
  EXPECT_THAT(Help(with_data_), Not(HasSubstr("minloglevel")));
}

TEST_F(ProgramTest, FlagsWithoutUseAreUnknown) {
  const Program plain{.usage = ""};
  EXPECT_THAT(Help(plain), Not(HasSubstr("preset")));
  for (const std::string flag :
       {"--preset=demo", "--print-config", "--plugins", "--minloglevel=1"}) {
    EXPECT_THAT(std::string(Read(plain, {flag}).status().message()), HasSubstr("unknown flag"))
        << flag;
  }
}

TEST_F(ProgramTest, APresetYieldsToTheCommandLine) {
  ASSERT_TRUE(Read(with_data_, {}).ok());
  ASSERT_TRUE(ApplyPreset(with_data_, "demo").ok());
  EXPECT_EQ(FLAGS_epochs, 7);
  EXPECT_EQ(PresetInUse().name, "demo");
}

TEST_F(ProgramTest, APresetOfTheCommandLine) {
  ASSERT_TRUE(Read(with_data_, {"--preset=paper"}).ok());
  ASSERT_TRUE(ApplyPreset(with_data_, "demo").ok());
  EXPECT_EQ(FLAGS_epochs, 90);
  EXPECT_EQ(PresetInUse().name, "paper");
  ASSERT_TRUE(Read(with_data_, {"--preset=papers"}).ok());
  EXPECT_THAT(std::string(ApplyPreset(with_data_, "").message()), HasSubstr("'paper'"));
}

TEST_F(ProgramTest, MainReturnsTheExitCode) {
  std::string program = "program", word = "file", wrong = "--epochs=0";
  char* argv[] = {program.data(), word.data(), wrong.data()};
  const auto body = [](const Arguments& arguments) {
    return arguments[0] == "file" ? absl::DataLossError("damaged") : absl::OkStatus();
  };
  const Program one{.usage = "", .arguments = "FILE"};
  EXPECT_EQ(Main(1, argv, one, body), kBadUsage);
  EXPECT_EQ(Main(2, argv, one, body), kDamagedData);
  EXPECT_EQ(Main(3, argv, one, body), kBadUsage);
}

}  // namespace
}  // namespace base
