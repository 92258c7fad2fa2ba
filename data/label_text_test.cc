#include "data/label_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(LabelTextTest, WhatPythonPrintsAroundALabel) {
  for (const char* text : {"3", " 3\n", "tensor(3)", "tensor([3])", "tensor(3, device='cuda:0')",
                           "np.int64(3)", "numpy.uint8(3)", "array(3)", "array([3])", "[3]",
                           "[[3]]", "array([3], dtype=uint8)", "'3'"}) {
    EXPECT_EQ(PlainLabel(text), "3") << text;
  }
  for (const char* text : {"cat", "b'cat'", "['cat']", "np.str_('cat')", "[b'cat']"}) {
    EXPECT_EQ(PlainLabel(text), "cat") << text;
  }
  for (const char* text : {"", "nan", "NaN", " "}) EXPECT_EQ(PlainLabel(text), "") << text;
  for (const char* text : {"cat (old)", "none", "[1, 2]", "tensorflow", "it's", "tensor(", "b'"}) {
    EXPECT_EQ(PlainLabel(text), text);
  }
}

TEST(LabelTextTest, NumbersAreTheClasses) {
  TextClasses got = ClassesOfTexts({"3", "0", "", "-1", "3.0"});
  EXPECT_THAT(got.classes.labels, ElementsAre(3, 0, -1, -1, 3));
  EXPECT_THAT(got.classes.names, ElementsAre("0", "1", "2", "3"));
  EXPECT_LT(got.unusable, 0);
  got = ClassesOfTexts({"1e0", "0.000000000000000000e+00"});  // as numpy.savetxt writes them
  EXPECT_THAT(got.classes.labels, ElementsAre(1, 0));
}

TEST(LabelTextTest, NamesAreSorted) {
  const TextClasses got = ClassesOfTexts({"owl", "10", "", "2", "Cat", "-1", "owl"});
  EXPECT_THAT(got.classes.names, ElementsAre("10", "2", "Cat", "owl"));
  EXPECT_THAT(got.classes.labels, ElementsAre(3, 0, -1, 1, 2, -1, 3));
  EXPECT_THAT(ClassesOfTexts({"0.5", "x"}).classes.names, ElementsAre("0.5", "x"));
}

TEST(LabelTextTest, NamesOfClassesAreUtf8) {
  EXPECT_THAT(ClassesOfTexts({"caf\xE9", "th\xC3\xA9"}).classes.names,
              ElementsAre("caf\\xe9", "th\xC3\xA9"));
}

TEST(LabelTextTest, NumbersThatAreNoClasses) {
  for (const auto& [text, why] : {std::pair("0.25", "fraction"), std::pair("-2", "negative"),
                                  std::pair("1048576", "large"), std::pair("1e300", "large")}) {
    const TextClasses got = ClassesOfTexts({"1", text, "7.5"});
    EXPECT_EQ(got.unusable, 1) << text;
    EXPECT_THAT(got.why, HasSubstr(why));
    EXPECT_THAT(got.classes.labels, IsEmpty());
    EXPECT_THAT(got.classes.names, IsEmpty());
  }
  EXPECT_THAT(ClassesOfTexts({"", ""}).classes.labels, IsEmpty());
  EXPECT_THAT(ClassesOfTexts({"", ""}).classes.names, SizeIs(0));
}

}  // namespace
}  // namespace data
