#include "moco/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "base/rng.h"

namespace moco::pickle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TensorInfo SomeTensor() {
  return {.storage_type = "FloatStorage",
          .key = "0",
          .storage_size = 6,
          .offset = 1,
          .sizes = {2, 3},
          .strides = {3, 1}};
}

std::string SomePickle() {
  Writer w;
  w.BeginDict();
  w.Text("none"), w.None();
  w.Text("yes"), w.Bool(true);
  w.Text("small"), w.Int(-3);
  w.Text("large"), w.Int(int64_t{1} << 40);
  w.Text("negative"), w.Int(-(int64_t{1} << 40));
  w.Text("pi"), w.Float(3.25);
  w.Text("list"), w.BeginList(), w.Int(1), w.Text("two"), w.EndList();
  w.Text("nested"), w.BeginDict(), w.Text("x"), w.BeginDict(), w.EndDict(), w.EndDict();
  w.Text("weight"), w.Tensor(SomeTensor());
  w.EndDict();
  return w.Finish();
}

std::string Error(absl::string_view bytes) {
  const auto document = Document::Parse(bytes);
  EXPECT_FALSE(document.ok());
  EXPECT_EQ(document.status().code(), absl::StatusCode::kDataLoss);
  return std::string(document.status().message());
}

TEST(PickleTest, WhatIsWrittenIsRead) {
  const auto document = Document::Parse(SomePickle());
  ASSERT_TRUE(document.ok()) << document.status();
  const Value& root = document->root();
  EXPECT_EQ(root.Find("none")->kind, Value::kNone);
  EXPECT_EQ(root.Find("yes")->integer, 1);
  EXPECT_EQ(root.Find("small")->integer, -3);
  EXPECT_EQ(root.Find("large")->integer, int64_t{1} << 40);
  EXPECT_EQ(root.Find("negative")->integer, -(int64_t{1} << 40));
  EXPECT_EQ(root.Find("pi")->number, 3.25);
  ASSERT_EQ(root.Find("list")->items.size(), 2u);
  EXPECT_EQ(root.Find("list")->items[1]->text, "two");
  EXPECT_EQ(root.Find("nested")->Find("x")->kind, Value::kDict);
  EXPECT_EQ(root.Find("absent"), nullptr);
  const TensorInfo& tensor = root.Find("weight")->tensor;
  EXPECT_EQ(tensor.storage_type, "FloatStorage");
  EXPECT_EQ(tensor.key, "0");
  EXPECT_EQ(tensor.storage_size, 6);
  EXPECT_EQ(tensor.offset, 1);
  EXPECT_THAT(tensor.sizes, ElementsAre(2, 3));
  EXPECT_THAT(tensor.strides, ElementsAre(3, 1));
}

TEST(PickleTest, EveryCutIsRefused) {
  const std::string whole = SomePickle();
  for (size_t size = 0; size < whole.size(); ++size) Error(whole.substr(0, size));
}

TEST(PickleTest, ChangedBytesNeverCrash) {
  const std::string whole = SomePickle();
  base::Rng rng(1, base::Purpose::kTest);
  for (int i = 0; i < 100000; ++i) {
    std::string changed = whole;
    for (int64_t n = rng.UniformInt(1, 4); n > 0; --n) {
      changed[rng.UniformInt(0, changed.size() - 1)] = static_cast<char>(rng.NextBits());
    }
    if (const auto document = Document::Parse(changed); document.ok()) {
      document->root().Find("weight");
    }
  }
}

TEST(PickleTest, NamesAreNotLookedUp) {
  // os.system("true"), as a hostile file would have it run.
  const auto read = Document::Parse(
      absl::StrCat("\x80\x02", "cos\nsystem\n", absl::string_view("X\x04\0\0\0true\x85R.", 12)));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->root().kind, Value::kOpaque);
  EXPECT_EQ(read->root().text, "os.system");
}

TEST(PickleTest, ErrorsSayWhereAndWhy) {
  EXPECT_EQ(Error(""), "the pickle is damaged at byte 0: it ends in the middle of a value");
  EXPECT_THAT(Error("\x80\x02q"), HasSubstr("at byte 2"));
  EXPECT_THAT(Error("."), HasSubstr("the stack is empty"));
  EXPECT_THAT(Error("(."), HasSubstr("the stack is empty"));
  EXPECT_THAT(Error("Nt."), HasSubstr("a mark is missing"));
  EXPECT_THAT(Error("h\x07."), HasSubstr("has not stored"));
  EXPECT_THAT(Error("NNa."), HasSubstr("cannot hold them"));
  EXPECT_THAT(Error("NQ."), HasSubstr("storage"));
  EXPECT_THAT(Error("N)R."), HasSubstr("a value is called"));
  EXPECT_THAT(Error("I1\n."), HasSubstr("no use for"));
}

// A few bytes that would stand for very many values, if values were copied.
TEST(PickleTest, ReferencesAreNotCopies) {
  std::string bomb = "]q";
  bomb += '\0';
  for (char i = 1; i < 60; ++i) {
    bomb += "]q";
    bomb += i;
    for (int j = 0; j < 10; ++j) (bomb += 'h') += static_cast<char>(i - 1), bomb += 'a';
  }
  bomb += ".";
  const auto document = Document::Parse(bomb);
  ASSERT_TRUE(document.ok()) << document.status();
  EXPECT_EQ(document->root().items.size(), 10u);
}

TEST(PickleTest, ACircleIsHarmless) {
  const std::string circle = std::string("]q\0h\0a.", 7);
  const auto document = Document::Parse(circle);
  ASSERT_TRUE(document.ok()) << document.status();
  EXPECT_EQ(document->root().items[0], &document->root());
}

TEST(PickleTest, DeepNestingIsHarmless) {
  std::string deep(100000, ']');
  deep += std::string(99999, 'a') + ".";
  EXPECT_TRUE(Document::Parse(deep).ok());
}

}  // namespace
}  // namespace moco::pickle
