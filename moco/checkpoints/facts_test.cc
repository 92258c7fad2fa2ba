#include "moco/checkpoints/facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "moco/checkpoints/checkpoint.h"

namespace moco {
namespace {

using ::testing::HasSubstr;

TEST(FactsTest, GoThroughAFilesDict) {
  CheckpointFacts facts;
  facts.settings = {{kArchSetting, "resnet18:stem=cifar"}, {"moco-k", "4096"}};
  facts.run = "0123456789abcdef";
  facts.step = 17;
  facts.steps_per_epoch = 10;
  facts.bad_images = {3, 170};
  facts.epoch_sums = {0.1, 1e-300, 12345.678901234567};
  facts.forced = "data 50 images -> 60 images (ten more)";
  facts.classes = "cat/dog";
  facts.pretrained = "runs/a/checkpoints/checkpoint_0001.pth.tar";
  facts.validated = false;
  EXPECT_EQ(ReadFacts(WriteFacts(facts)).value(), facts);
  EXPECT_EQ(facts.Setting("moco-k"), "4096");
  EXPECT_EQ(facts.Setting("moco-m"), "");
}

TEST(FactsTest, NothingSaidIsNothingWritten) {
  EXPECT_EQ(ReadFacts({}).value(), CheckpointFacts());
  EXPECT_TRUE(WriteFacts({}).empty());
}

TEST(FactsTest, NumbersThatCannotBeReadAreDamage) {
  for (const char* step : {"-5", "x", "1.5", "99999999999999999999"}) {
    EXPECT_EQ(ReadFacts({{"step", step}}).status().code(), absl::StatusCode::kDataLoss) << step;
  }
  EXPECT_EQ(ReadFacts({{"steps_per_epoch", "0"}}).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ReadFacts({{"epoch_sums", "1 x"}}).status().code(), absl::StatusCode::kDataLoss);
  const absl::Status images = ReadFacts({{"bad_images", "1 -2"}}).status();
  EXPECT_EQ(images.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(images.message()), HasSubstr("bad_images"));
}

// Files that the programs wrote before the facts were a record: one of each kind.
TEST(FactsTest, EarlierCheckpointsAreRead) {
  const std::string folder = "moco/checkpoints/testdata/";
  const auto pretrained = ReadCheckpoint(folder + "earlier_pretrain.pth.tar");
  ASSERT_TRUE(pretrained.ok()) << pretrained.status();
  const CheckpointFacts& facts = pretrained->facts;
  EXPECT_EQ(facts.Setting("program"), "pretrain");
  EXPECT_THAT(facts.Setting(kArchSetting), HasSubstr("resnet_small:"));
  EXPECT_THAT(facts.Setting(kHeadSetting), HasSubstr("mlp:dim=16"));
  EXPECT_THAT(facts.Setting(kLossSetting), HasSubstr("temperature=0.2"));
  EXPECT_THAT(facts.Setting(kViewsSetting), HasSubstr("random_resized_crop:size=16"));
  EXPECT_THAT(facts.Setting(kEvalViewsSetting), HasSubstr("center_crop:size=16"));
  EXPECT_EQ(facts.Setting(kExifSetting), "ignore");
  EXPECT_EQ(facts.run.size(), 16);
  EXPECT_EQ(facts.step, facts.steps_per_epoch);

  const auto classifier = ReadCheckpoint(folder + "earlier_lincls.pth.tar");
  ASSERT_TRUE(classifier.ok()) << classifier.status();
  EXPECT_EQ(classifier->facts.Setting("program"), "lincls");
  EXPECT_THAT(classifier->facts.Setting(kEvalViewsSetting), HasSubstr("center_crop:size=16"));
  EXPECT_THAT(classifier->facts.classes, HasSubstr("airplane/"));
  EXPECT_THAT(classifier->facts.pretrained, HasSubstr("checkpoint_0000.pth.tar"));
  EXPECT_TRUE(classifier->facts.validated);
  EXPECT_EQ(classifier->numbers.count("best_acc1"), 1);

  const auto swept = ReadCheckpoint(folder + "earlier_sweep.pth.tar");
  ASSERT_TRUE(swept.ok()) << swept.status();
  EXPECT_EQ(swept->facts.Setting("program"), "");
  EXPECT_THAT(swept->facts.Setting(kArchSetting), HasSubstr("resnet_small:"));
  EXPECT_FALSE(swept->facts.step.has_value());
}

}  // namespace
}  // namespace moco
