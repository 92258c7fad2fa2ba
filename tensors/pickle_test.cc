#include "tensors/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/rng.h"

namespace tensors::pickle {
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
  const std::string bytes = SomePickle();
  const auto document = Document::Parse(bytes);
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
  const TensorInfo& tensor = *root.Find("weight")->tensor;
  EXPECT_EQ(tensor.storage_type, "FloatStorage");
  EXPECT_EQ(tensor.key, "0");
  EXPECT_EQ(tensor.storage_size, 6);
  EXPECT_EQ(tensor.offset, 1);
  EXPECT_THAT(tensor.sizes, ElementsAre(2, 3));
  EXPECT_THAT(tensor.strides, ElementsAre(3, 1));
  EXPECT_EQ(document->end(), bytes.size());
  ASSERT_EQ(document->storages().size(), 1u);
  EXPECT_EQ(document->storages()[0]->key, "0");
}

TEST(PickleTest, OneAfterAnother) {
  const std::string bytes = "K\x01.K\x02.!";
  const auto first = Document::Parse(bytes);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->root().integer, 1);
  const auto second = Document::Parse(bytes, first->end());
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->root().integer, 2);
  EXPECT_EQ(second->end(), 6u);
  EXPECT_EQ(
      Document::Parse(bytes, second->end()).status().message(),
      "the pickle is damaged at byte 6: it holds a value that does not belong in a state dict");
}

TEST(PickleTest, WideIntegersArePassedOver) {
  const std::string bytes =
      "]\x8a\x0a"
      "0123456789aK\x07"
      "a.";
  const auto document = Document::Parse(bytes);
  ASSERT_TRUE(document.ok()) << document.status();
  EXPECT_EQ(document->root().items[0]->kind, Value::kOpaque);
  EXPECT_EQ(document->root().items[1]->integer, 7);
}

// Python 3 has no opcode for bytes in protocol 2: it calls _codecs.encode(text, "latin1").
TEST(PickleTest, BytesThatAreWrittenAsText) {
  const auto encoded = [](const std::string& text) {
    return absl::StrCat("c_codecs\nencode\n", "X", std::string(1, static_cast<char>(text.size())),
                        std::string(3, '\0'), text, "X",
                        absl::string_view("\x06\0\0\0latin1\x86R", 12));
  };
  const std::string bytes = encoded("a\xC3\xBF\xC2\x80z") + ".";
  const auto document = Document::Parse(bytes);
  ASSERT_TRUE(document.ok()) << document.status();
  EXPECT_EQ(document->root().kind, Value::kText);
  EXPECT_EQ(document->root().text, "a\xFF\x80z");
  for (const char* text : {"\xC4\x80", "\xC3", "\xC3z", "\xFF", "\x80"}) {
    EXPECT_THAT(Error(encoded(text) + "."), HasSubstr("Latin-1"));
  }
  // The same text, encoded again and again, would take far more memory than the pickle.
  std::string bomb = absl::StrCat("X", absl::string_view("\0\x40\0\0", 4), std::string(0x4000, 'x'),
                                  "q", absl::string_view("\0", 1), "](");
  for (int i = 0; i < 100; ++i) {
    absl::StrAppend(&bomb, "c_codecs\nencode\nh", absl::string_view("\0", 1), "X",
                    absl::string_view("\x06\0\0\0latin1\x86R", 12));
  }
  EXPECT_THAT(Error(bomb + "e."), HasSubstr("more bytes than it has"));
}

TEST(PickleTest, TextOfPython2) {
  const std::string bytes = absl::StrCat("T", absl::string_view("\x02\0\0\0ab.", 7));
  const auto document = Document::Parse(bytes);
  ASSERT_TRUE(document.ok()) << document.status();
  EXPECT_EQ(document->root().text, "ab");
}

// What torch.save wrote on Python 2 and in PyTorch 0.3.
TEST(PickleTest, DictsAndTensorsOfOldVersions) {
  const std::string storage =
      "(" + std::string("U\x07storagectorch\nFloatStorage\nU\x01") + "0U\x03" + "cpuK\x06NtQ";
  const std::string tensor = "ctorch._utils\n_rebuild_tensor\n(" + storage + "K" +
                             std::string(1, '\0') + "K\x02K\x03\x86K\x03K\x01\x86tR";
  const std::string bytes =
      "\x80\x02" + std::string("ccollections\nOrderedDict\n](](U\x01") + "w" + tensor + "ee\x85R.";
  const auto document = Document::Parse(bytes);
  ASSERT_TRUE(document.ok()) << document.status();
  const Value* weight = document->root().Find("w");
  ASSERT_NE(weight, nullptr);
  ASSERT_EQ(weight->kind, Value::kTensor);
  EXPECT_EQ(weight->tensor->sizes, std::vector<int64_t>({2, 3}));
  EXPECT_THAT(Error("ccollections\nOrderedDict\n](NNe\x85R."), HasSubstr("not pairs"));
}

// Of tensors and parameters that have attributes, and of a dict that makes missing values.
TEST(PickleTest, TensorsWithAttributes) {
  const std::string arguments = "(" + std::string("(U\x07storagectorch\nFloatStorage\nU\x01") +
                                "0U\x03" + "cpuK\x06tQK" + std::string(1, '\0') +
                                "K\x06\x85K\x01\x85\x89}t";
  const std::string rebuild = "ctorch._utils\n_rebuild_tensor_v2\n";
  const std::string of_type =
      "ctorch._tensor\n_rebuild_from_type_v2\n(" + rebuild + "ctorch\nTensor\n" + arguments + "}tR";
  const std::string parameter =
      "ctorch._utils\n_rebuild_parameter_with_state\n(" + rebuild + arguments + "R\x88}}tR";
  const std::string dict = "ccollections\ndefaultdict\nc__builtin__\ndict\n\x85R";
  const auto document =
      Document::Parse(dict + "(U\x01" + ("a" + of_type) + "U\x01" + ("b" + parameter) + "u.");
  ASSERT_TRUE(document.ok()) << document.status();
  for (const char* name : {"a", "b"}) {
    const Value* value = document->root().Find(name);
    ASSERT_NE(value, nullptr) << name;
    EXPECT_EQ(value->kind, Value::kTensor) << name;
  }
  // Another class means other things by its tensors.
  const auto other = Document::Parse("ctorch._tensor\n_rebuild_from_type_v2\n(" + rebuild +
                                     "ca\nTensor\n" + arguments + "}tR.");
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_EQ(other->root().kind, Value::kOpaque);
  EXPECT_EQ(other->root().text, "a.Tensor");
}

// pickle.dumps({"a": [1, "b"], "c": np.uint8([1, 2])}, 5), without the frame's checks.
TEST(PickleTest, Protocol5) {
  const std::string numpy = "\x8c\x13numpy._core.numeric\x8c\x0b_frombuffer\x93";
  const std::string array = absl::StrCat(
      numpy, "(\x96", absl::string_view("\x02\0\0\0\0\0\0\0\x01\x02", 10), "\x8c\x05numpy\x8c\x05",
      "dtype\x93\x8c\x02u1\x89\x88\x87R(K\x03\x8c\x01|NNN", "J\xFF\xFF\xFF\xFFJ\xFF\xFF\xFF\xFFK",
      absl::string_view("\0", 1), "tbK\x02\x85\x8c\x01", "CtR");
  const std::string bytes = absl::StrCat("\x80\x05\x95", std::string(8, '\0'), "}\x94(\x8c\x01",
                                         "a\x94](K\x01\x8c\x01", "beh\x01", array, "u.");
  const auto document = Document::Parse(bytes);
  ASSERT_TRUE(document.ok()) << document.status();
  const auto& items = document->root().items;
  ASSERT_EQ(items.size(), 4u);
  EXPECT_EQ(items[1]->items[1]->text, "b");
  EXPECT_EQ(items[2]->text, "a");
  ASSERT_EQ(items[3]->kind, Value::kTensor);
  EXPECT_EQ(items[3]->tensor->storage_type, "ByteStorage");
  EXPECT_EQ(document->arrays().at(items[3]->tensor->key), "\x01\x02");
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
  const std::string bytes =
      absl::StrCat("\x80\x02", "cos\nsystem\n", absl::string_view("X\x04\0\0\0true\x85R.", 12));
  const auto read = Document::Parse(bytes);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->root().kind, Value::kOpaque);
  EXPECT_EQ(read->root().text, "os.system");
}

TEST(PickleTest, ErrorsSayWhereAndWhy) {
  EXPECT_EQ(Error(""), "the pickle is damaged at byte 0: it is truncated within a value");
  EXPECT_THAT(Error("\x80\x02q"), HasSubstr("at byte 2"));
  EXPECT_THAT(Error("."), HasSubstr("the stack is empty"));
  EXPECT_THAT(Error("(."), HasSubstr("the stack is empty"));
  EXPECT_THAT(Error("Nt."), HasSubstr("a mark is missing"));
  EXPECT_THAT(Error("h\x07."), HasSubstr("memo"));
  EXPECT_THAT(Error("NNa."), HasSubstr("container"));
  EXPECT_THAT(Error("NQ."), HasSubstr("storage"));
  EXPECT_THAT(Error("N)R."), HasSubstr("calls a value"));
  EXPECT_THAT(Error("I1\n."), HasSubstr("state dict"));
}

std::string Put(int slot) { return {'q', static_cast<char>(slot)}; }
std::string Get(int slot) { return {'h', static_cast<char>(slot)}; }

// A few bytes that stand for very many values: lists of ten times the one before.
TEST(PickleTest, RepetitionIsBounded) {
  std::string bomb = "]" + Put(0);
  for (int i = 1; i < 60; ++i) {
    bomb += "]" + Put(i);
    for (int j = 0; j < 10; ++j) bomb += Get(i - 1) + "a";
  }
  EXPECT_THAT(Error(bomb + "."), HasSubstr("far more values than it has bytes"));
  EXPECT_TRUE(Document::Parse("](K\x01" + Put(1) + Get(1) + Get(1) + "e.").ok());
}

TEST(PickleTest, ACircleIsRefused) {
  EXPECT_THAT(Error("]" + Put(0) + Get(0) + "a."), HasSubstr("contains itself"));
  EXPECT_THAT(Error("]" + Put(0) + "]" + Get(0) + "aa."), HasSubstr("contains itself"));
}

TEST(PickleTest, DeepNestingIsRefused) {
  const auto nested = [](int depth) {
    return std::string(depth, ']') + std::string(depth - 1, 'a') + ".";
  };
  EXPECT_TRUE(Document::Parse(nested(Document::kMaxDepth + 1)).ok());  // the last one is empty
  EXPECT_THAT(Error(nested(Document::kMaxDepth + 2)), HasSubstr("nested too deeply"));
  EXPECT_THAT(Error(nested(100000)), HasSubstr("nested too deeply"));
  EXPECT_THAT(Error(")" + std::string(100000, '\x85') + "."), HasSubstr("nested too deeply"));
}

TEST(PickleTest, ValuesAreCounted) {
  std::string many(3'000'000, 'N');
  EXPECT_THAT(Error("](" + many + "e."), HasSubstr("too many values"));
}

// What a storage alone, or a parameter of something else, could be taken for.
TEST(PickleTest, OnlyTensorsAreTensors) {
  const std::string storage =
      "(" + std::string("U\x07storagectorch\nFloatStorage\nU\x01") + "0U\x03" + "cpuK\x01tQ";
  const std::string bytes = storage + ".";
  const auto document = Document::Parse(bytes);
  ASSERT_TRUE(document.ok()) << document.status();
  EXPECT_EQ(document->root().kind, Value::kStorage);
  EXPECT_THAT(Error("ctorch._utils\n_rebuild_tensor_v2\n(NK" + std::string(1, '\0') + "))tR."),
              HasSubstr("a tensor is not described"));
}

}  // namespace
}  // namespace tensors::pickle
