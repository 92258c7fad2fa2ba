#include "tools/selection/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/requests.h"
#include "data/test_images.h"

namespace selection {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

data::Table TableOf(const std::string& text) {
  const std::string path = data::TestFolder("lines") + "/lines.csv";
  data::WriteTestFile(path, text);
  return data::ReadTable(path).value();
}

// To a request of three images in lines 2 to 4.
Answers Join(const std::string& answers, const std::vector<std::string>& classes = {}) {
  const std::vector<data::RequestedImage> request = {{"7.png", 2}, {"a, b.png", 3}, {"2.png", 4}};
  return JoinAnswers(request, TableOf(answers), classes);
}

TEST(AnswersTest, LabelsAreInTheOrderOfTheRequest) {
  const Answers answers = Join("2.png,0\n7.png,12\n\"a, b.png\", 3\n");
  EXPECT_THAT(answers.conflicts, IsEmpty());
  EXPECT_THAT(answers.labels, ElementsAre(12, 3, 0));
  EXPECT_EQ(answers.repeated, 0);
  EXPECT_THAT(Join("File,Label\n2.png,0\n7.png,12\n\"a, b.png\",3\n").labels,
              ElementsAre(12, 3, 0));
}

TEST(AnswersTest, NamesOfClasses) {
  const std::vector<std::string> classes = {"dog", "cat, small", "7"};
  const Answers answers = Join("7.png,7\n\"a, b.png\",\"cat, small\"\n2.png,dog\n", classes);
  EXPECT_THAT(answers.conflicts, IsEmpty());
  EXPECT_THAT(answers.labels, ElementsAre(2, 1, 0));
  // Where there are names, numbers are none.
  EXPECT_THAT(
      Join("7.png,1\n\"a, b.png\",dgo\n2.png,dog\n", classes).conflicts,
      ElementsAre(HasSubstr("line 1: '7.png': '1' is not a class"),
                  AllOf(HasSubstr("line 2: 'a, b.png': 'dgo'"), HasSubstr("did you mean 'dog'?")),
                  HasSubstr("'7.png'"), HasSubstr("'a, b.png'")));
}

TEST(AnswersTest, SayingTheSameTwiceIsNoConflict) {
  const Answers answers = Join("2.png,0\n7.png,1\n2.png,00\n\"a, b.png\",3\n7.png,1\n");
  EXPECT_THAT(answers.conflicts, IsEmpty());
  EXPECT_THAT(answers.labels, ElementsAre(1, 3, 0));
  EXPECT_EQ(answers.repeated, 2);
}

TEST(AnswersTest, AllConflictsAreListed) {
  const Answers answers = Join(
      "7.png,1\n"
      "8.png,1\n"
      "7.png,2\n"
      "2.png\n"
      "2.png,1,2\n"
      "2.png,-1\n"
      "2.png,1048576\n"
      "2.png,x\n"
      "\"a, b.png\",\n"
      "7.png,1\n");
  EXPECT_THAT(
      answers.conflicts,
      ElementsAre("line 2: '8.png' is not in the request",
                  "line 3: '7.png' is labelled 2, but 1 in line 1",
                  "line 4: '2.png' is not file,label", "line 5: '2.png,1,2' is not file,label",
                  HasSubstr("line 6: '2.png': '-1' is not a class number"),
                  HasSubstr("line 7: '2.png': '1048576' is not a class"),
                  AllOf(HasSubstr("line 8: '2.png': 'x'"), HasSubstr("--classes=FILE")),
                  "'a, b.png' (line 3 of the request) has no label",
                  "'2.png' (line 4 of the request) has no label"));
  EXPECT_THAT(Join("").conflicts.size(), 3u);
}

// The names, or the error.
std::vector<std::string> Classes(const std::string& text) {
  const std::string path = data::TestFolder("classes") + "/names.txt";
  data::WriteTestFile(path, text);
  const auto classes = ReadClasses(path);
  if (!classes.ok()) return {std::string(classes.status().message())};
  return *classes;
}

TEST(AnswersTest, ClassesAreLines) {
  EXPECT_THAT(Classes("dog\n a cat \r\nx,y\n\n"), ElementsAre("dog", "a cat", "x,y"));
  EXPECT_THAT(Classes("dog"), ElementsAre("dog"));
  EXPECT_THAT(Classes("dog\n\ncat\n"),
              ElementsAre(HasSubstr("names.txt' line 2: the line is empty")));
  EXPECT_THAT(Classes(""), ElementsAre(HasSubstr("line 1: the line is empty")));
  EXPECT_THAT(Classes("dog\ncat\ndog\n"), ElementsAre(HasSubstr("names.txt' line 3: 'dog'")));
}

}  // namespace
}  // namespace selection
