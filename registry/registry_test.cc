#include "registry/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "absl/strings/str_cat.h"
#include "registry/no_options.h"

namespace registry {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Shape {
  virtual ~Shape() = default;
  virtual double Area() const = 0;
};

struct SquareOptions {
  double side = 2;
  int64_t count = 1;
  bool filled = true;
  std::string colour = "red";
  template <class Visitor>
  void Visit(Visitor& v) {
    v("side", side, "length of an edge", Positive());
    v("count", count, "how many", Between(1, 10));
    v("filled", filled, "whether it is filled");
    v("colour", colour, "its colour", OneOf({"red", "green"}));
  }
};

struct Square : Shape {
  explicit Square(double area) : area(area) {}
  double Area() const override { return area; }
  double area;
};

absl::StatusOr<std::unique_ptr<Shape>> MakeSquare(const SquareOptions& o, double scale) {
  if (!o.filled) return absl::InvalidArgumentError("square: an outline has no area");
  return std::make_unique<Square>(o.side * o.side * o.count * scale);
}

class RegistryTest : public testing::Test {
 protected:
  RegistryTest() : shapes("shape") {
    EXPECT_TRUE(shapes.Add<SquareOptions>("square", "four equal edges", MakeSquare).ok());
  }
  std::string Error(absl::string_view spec) {
    const auto made = shapes.Create(spec, 1.0);
    EXPECT_FALSE(made.ok()) << spec;
    return std::string(made.status().message());
  }
  Registry<Shape, double> shapes;
};

TEST_F(RegistryTest, OptionsOverDefaultsAndRunTimeArguments) {
  EXPECT_EQ(shapes.Create("square", 1.0).value()->Area(), 4);
  EXPECT_EQ(shapes.Create("square: side=3 , count=2", 10.0).value()->Area(), 180);
}

TEST_F(RegistryTest, ErrorsSayWhatIsKnownAndNearest) {
  EXPECT_EQ(Error("sqare"), "unknown shape 'sqare'; did you mean 'square'? Known: square");
  EXPECT_EQ(Error("helicopter"), "unknown shape 'helicopter'. Known: square");
  EXPECT_EQ(
      Error("square:sid=1"),
      "unknown option of square 'sid'; did you mean 'side'? Known: side, count, filled, colour");
  EXPECT_THAT(Error("square:side=long"), AllOf(HasSubstr("'side' is 'long'"), HasSubstr("number")));
  EXPECT_EQ(Error("square:side=0"), "square: option 'side' is '0', must be above 0");
  EXPECT_EQ(Error("square:side=nan"), "square: option 'side' is 'nan', must be above 0");
  EXPECT_EQ(Error("square:side=inf"), "square: option 'side' is 'inf', must be above 0");
  EXPECT_EQ(Error("square:count=11"), "square: option 'count' is '11', must be 1 to 10");
  EXPECT_THAT(Error("square:count=1.5"),
              AllOf(HasSubstr("'count' is '1.5'"), HasSubstr("integer")));
  EXPECT_THAT(Error("square:filled=x"),
              AllOf(HasSubstr("'filled' is 'x'"), HasSubstr("true or false")));
  EXPECT_EQ(Error("square:colour=blue"), "square: option 'colour' is 'blue', must be red or green");
  EXPECT_EQ(Error("square:filled=false"), "square: an outline has no area");
}

TEST_F(RegistryTest, APluginWithoutOptionsRefusesEveryOption) {
  const auto make = [](const NoOptions&, double) -> absl::StatusOr<std::unique_ptr<Shape>> {
    return std::make_unique<Square>(1);
  };
  ASSERT_TRUE(shapes.Add<NoOptions>("plain", "has no options", make).ok());
  EXPECT_TRUE(shapes.Create("plain", 1.0).ok());
  EXPECT_THAT(Error("plain:side=1"),
              AllOf(HasSubstr("'side'"), HasSubstr("plain takes no options")));
}

TEST_F(RegistryTest, MalformedSpecsAreQuoted) {
  for (const char* text : {"", ":side=1", "square:", "square:side", "square:=1", "square:side=1,",
                           "squ are", "square:side=1,side=2"}) {
    EXPECT_THAT(Error(text), HasSubstr(absl::StrCat("'", text, "'"))) << text;
  }
}

TEST_F(RegistryTest, NameOfAnotherKindSaysSo) {
  Registry<Shape> animals("animal");
  ASSERT_TRUE(animals
                  .Add<SquareOptions>("cat", "purrs",
                                      [](const SquareOptions&) {
                                        return absl::StatusOr<std::unique_ptr<Shape>>(
                                            std::make_unique<Square>(0));
                                      })
                  .ok());
  EXPECT_THAT(Error("cat"), AllOf(HasSubstr("'cat'"), HasSubstr("kind animal")));
}

TEST_F(RegistryTest, EmptyTableSaysWhatToLink) {
  Registry<Shape> empty("planet");
  EXPECT_THAT(std::string(empty.Create("mars").status().message()), HasSubstr(":all"));
}

TEST_F(RegistryTest, DuplicatesAreRefusedNamingBoth) {
  const absl::Status again = shapes.Add<SquareOptions>("square", "another", MakeSquare);
  EXPECT_EQ(again.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(again.message()), HasSubstr("'four equal edges' and 'another'"));
  EXPECT_DEATH(AddedOrDie(again), "two plugins register the shape 'square'");
}

TEST_F(RegistryTest, CanonicalFormSpellsOutEverythingAndIsAFixedPoint) {
  const std::string canonical = shapes.Canonical("square:count=3,side=0.1").value();
  EXPECT_EQ(canonical, "square:side=0.1,count=3,filled=true,colour=red");
  EXPECT_EQ(shapes.Canonical(canonical).value(), canonical);
}

TEST_F(RegistryTest, CatalogueComesFromTheOptionsStruct) {
  const std::vector<Entry> entries = shapes.List();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].options[0].key, "side");
  EXPECT_EQ(entries[0].options[0].default_value, "2");
  EXPECT_EQ(entries[0].options[1].range, "1 to 10");
  EXPECT_THAT(Table::All(), testing::Contains(&shapes));
}

TEST(SpecTest, PipelineSplits) {
  EXPECT_THAT(SplitPipeline("a | b:x=1|c").value(), ElementsAre("a", "b:x=1", "c"));
  EXPECT_FALSE(SplitPipeline("a||b").ok());
  EXPECT_FALSE(SplitPipeline("").ok());
}

TEST(SpecTest, TextRoundTrips) {
  const Spec spec = ParseSpec("crop:size=32,scale_min=0.2").value();
  EXPECT_EQ(ToString(spec), "crop:size=32,scale_min=0.2");
  EXPECT_EQ(ToString(ParseSpec("flip").value()), "flip");
}

}  // namespace
}  // namespace registry
