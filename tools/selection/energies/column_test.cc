#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tools/selection/energy.h"
#include "tools/selection/test_features.h"

namespace selection {
namespace {

using ::testing::HasSubstr;

TEST(ColumnTest, IsTheColumn) {
  auto table = TestTable("column", {{1, 0}, {0, 1}});
  table.columns["moco_loss"] = {4.5, -1};
  table.columns["disagreement"] = {0, 1};
  const auto energy = Energies().Create("moco_loss", table).value();
  EXPECT_EQ(energy->Of(table, {}), (std::vector<float>{4.5, -1}));
}

TEST(ColumnTest, AMissingOneNamesTheCommandThatMakesIt) {
  auto table = TestTable("missing", {{1, 0}, {0, 1}});
  const auto error = [&](const std::string& name) {
    return std::string(Energies().Create(name, table).status().message());
  };
  EXPECT_THAT(error("moco_loss"),
              HasSubstr("bazel run //lincls:features -- DATA --columns=moco_loss"));
  table.source.path = "/my data";
  table.split = "pretraining";
  table.checkpoint = "runs/1";
  table.columns["moco_loss"] = {1, 2};
  const std::string folder = std::filesystem::path(table.features.path()).parent_path();
  EXPECT_THAT(
      error("disagreement"),
      HasSubstr(absl::StrCat("bazel run //lincls:features -- '/my data' --pretrained=runs/1 ",
                             "--split=pretraining --out=", folder,
                             "-disagreement --columns=moco_loss,disagreement")));
}

}  // namespace
}  // namespace selection
