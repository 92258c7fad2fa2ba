// Lists as they are met: which columns are the images and the labels, and which files are meant.
#include "data/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/image_finder.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

absl::StatusOr<Table> Read(const std::string& text, const std::string& columns = "",
                           const std::string& name = "list.csv") {
  const std::string path = TestFolder("lists") + "/" + name;
  WriteTestFile(path, text);
  return ReadTable(path, columns,
                   [](absl::string_view cell) { return absl::StartsWith(cell, "ID"); });
}

// Each row as LINE:IMAGE=LABEL; or the error.
std::string Pairs(const absl::StatusOr<Table>& table) {
  if (!table.ok()) return std::string(table.status().message());
  return absl::StrJoin(table->rows, " ", [&](std::string* out, const Line& row) {
    absl::StrAppend(out, row.number, ":", table->Cell(row, table->file),
                    table->label ? absl::StrCat("=", table->Cell(row, *table->label)) : "");
  });
}
std::string Pairs(const std::string& text, const std::string& columns = "") {
  return Pairs(Read(text, columns));
}

TEST(TableTest, ColumnsAreFoundByName) {
  for (const char* file :
       {"file", "file_name", "filepath", "filename", "image", "image_id", "path", "image_path",
        "img", "Image Index", "filenames", "File Name", "x.path"}) {
    for (const char* label : {"label", "class", "category", "target", "Labels", "ClassId",
                              "ground_truth.label", "category_name"}) {
      EXPECT_EQ(Pairs(absl::StrCat("width,", label, ",", file, "\n64,cat,1.jpg\n32,dog,2.jpg\n")),
                "2:1.jpg=cat 3:2.jpg=dog")
          << file << " " << label;
    }
  }
  // Roboflow's, Kaggle's, FiftyOne's, lightly's, GTSRB's, pandas' and R's.
  EXPECT_EQ(Pairs("filename,width,height,class,xmin,ymin,xmax,ymax\n1.jpg,64,64,cat,1,2,3,4\n"),
            "2:1.jpg=cat");
  EXPECT_EQ(Pairs("filepath,tags,label\ndata/1.jpg,\"a,b\",cat\n"), "2:data/1.jpg=cat");
  EXPECT_EQ(Pairs("filenames,embedding_0,embedding_1,labels\n1.jpg,0.5,-1,3\n2.jpg,0.1,2,4\n"),
            "2:1.jpg=3 3:2.jpg=4");
  EXPECT_EQ(Pairs("Filename;Width;Height;Roi.X1;ClassId\n1.ppm;29;30;5;7\n"), "2:1.ppm=7");
  EXPECT_EQ(Pairs(",file,label\n0,1.jpg,cat\n1,2.jpg,dog\n"), "2:1.jpg=cat 3:2.jpg=dog");
  EXPECT_EQ(Pairs("Unnamed: 0,file,breed\n0,1.jpg,cat\n1,2.jpg,dog\n"), "2:1.jpg=cat 3:2.jpg=dog");
  EXPECT_EQ(Pairs("file,label\n\"1\",1.jpg,cat\n\"2\",2.jpg,dog\n"), "2:1.jpg=cat 3:2.jpg=dog");
  EXPECT_EQ(Pairs("class id,filepaths,labels,data set\n0,train/1.jpg,OWL,train\n"),
            "2:train/1.jpg=OWL");
  EXPECT_EQ(Pairs("# file,label\n1.jpg,cat\n"), "2:1.jpg=cat");
}

TEST(TableTest, AFirstLineThatNamesNoImageIsTheHeader) {
  EXPECT_EQ(Pairs("1.jpg,cat\n2.jpg,dog\n"), "1:1.jpg=cat 2:2.jpg=dog");
  EXPECT_EQ(Pairs("foto,hunderasse\n1.jpg,cat\n"), "2:1.jpg=cat");
  EXPECT_EQ(Pairs("photo\n1.jpg\n"), "2:1.jpg");
  EXPECT_EQ(Pairs("1.jpg\n2.jpg\n"), "1:1.jpg 2:2.jpg");
  EXPECT_EQ(Pairs("cat,1.jpg\ndog,2.jpg\n"), "1:1.jpg=cat 2:2.jpg=dog");
  EXPECT_EQ(Pairs("0,1.jpg\n1,2.jpg\n"), "1:1.jpg 2:2.jpg");
  EXPECT_EQ(Pairs("0,1.jpg,cat\n1,2.jpg,dog\n"), "1:1.jpg=cat 2:2.jpg=dog");
  // MedMNIST's.
  EXPECT_EQ(Pairs("TRAIN,train0_3.png,3\nVAL,val0_1.png,1\n"), "1:train0_3.png=3 2:val0_1.png=1");
  EXPECT_EQ(Pairs(""), "");
  EXPECT_EQ(Pairs("file,label\n"), "");
}

TEST(TableTest, Separators) {
  const std::string want = "2:a, b.jpg=cat 3:2.jpg=dog";
  EXPECT_EQ(Pairs("file;label\na, b.jpg;cat\n2.jpg;dog\n"), want);
  EXPECT_EQ(Pairs("file\tlabel\na, b.jpg\tcat\n2.jpg\tdog\n"), want);
  EXPECT_EQ(Pairs("file,label\n\"a, b.jpg\",cat\n2.jpg,dog\n"), want);
  EXPECT_EQ(Pairs("sep=;\nfile;label\na, b.jpg;cat\n2.jpg;dog\n"), "3:a, b.jpg=cat 4:2.jpg=dog");
  EXPECT_EQ(Pairs("1.jpg;0,5;cat\n2.jpg;0,7;dog\n", "1,3"), "1:1.jpg=cat 2:2.jpg=dog");
  EXPECT_EQ(Pairs("1.jpg\tcat, old\n2.jpg\tdog, old\n"), "1:1.jpg=cat, old 2:2.jpg=dog, old");
  EXPECT_EQ(Pairs("\"a;b.png\"\n\"c;d.png\"\n"), "1:a;b.png 2:c;d.png");
  // A name and a label with a space between them, as Caffe's lists; a space may be in a name, too.
  EXPECT_EQ(Pairs("n01/1.JPEG 0\nn01/a 2.JPEG 7\n"), "1:n01/1.JPEG=0 2:n01/a 2.JPEG=7");
  EXPECT_EQ(Pairs("a 1.jpg\nb 2.jpg\n"), "1:a 1.jpg 2:b 2.jpg");
}

TEST(TableTest, EncodingsAndLineEnds) {
  EXPECT_EQ(Pairs("\xEF\xBB\xBF"
                  "file,label\r\n1.jpg,cat\r\n"),
            "2:1.jpg=cat");
  std::string utf16 = "\xFF\xFE";
  for (const char c : std::string("file\tlabel\r\n1.jpg\tcat\r\n")) utf16 += {c, '\0'};
  EXPECT_EQ(Pairs(utf16), "2:1.jpg=cat");
}

// As Excel writes CSV in Western Europe (Latin-1).
TEST(TableTest, TextIsUtf8) {
  for (const std::string text :
       {"file,label\n1.jpg,cat\n2.jpg,ch\xEAne\n", "file,label,note\n1.jpg,cat,\n2.jpg,dog,\xE9\n",
        "1.jpg,a\n1.jpg,b\n2.jpg,\xE9\n"}) {
    const auto table = Read(text);
    EXPECT_EQ(table.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(Pairs(table), AllOf(HasSubstr("list.csv' line 3"), HasSubstr("UTF-8")));
  }
  EXPECT_THAT(Pairs("file,cat\xE9,dog\n1.jpg,1,0\n"),
              AllOf(HasSubstr("line 1"), HasSubstr("UTF-8")));
  EXPECT_THAT(Pairs("file,label\n1.jpg,\xE9\n", "1,2"), HasSubstr("UTF-8"));
  EXPECT_THAT(
      Pairs(Read("{\"file_name\": \"1.jpg\", \"label\": \"\xE9\"}\n", "", "metadata.jsonl")),
      AllOf(HasSubstr("line 1"), HasSubstr("UTF-8")));
  EXPECT_EQ(Pairs("file,label\n1.jpg,ch\xC3\xAAne\n"), "2:1.jpg=ch\xC3\xAAne");
  // The name of a file may hold any bytes.
  EXPECT_EQ(Pairs("file,label\n\xE9.jpg,a\n"), "2:\xE9.jpg=a");
}

TEST(TableTest, NamesWithoutEndings) {
  EXPECT_EQ(Pairs("id,label\nID1,0\nID2,1\n"), "2:ID1=0 3:ID2=1");
  EXPECT_EQ(Pairs("ID1,0\nID2,1\n"), "1:ID1=0 2:ID2=1");
  EXPECT_THAT(Pairs("id,label\n1,0\n2,1\n"), HasSubstr("names no images"));
}

TEST(TableTest, ColumnsThatAreGiven) {
  const std::string text = "lesion id,image id,dx,age\nL1,1.jpg,nv,30\nL2,2.jpg,mel,40\n";
  EXPECT_EQ(Pairs(text), "2:1.jpg 3:2.jpg");
  for (const char* columns : {"image id,dx", "image id dx", "Image ID, DX", "2,3", "2 3"}) {
    EXPECT_EQ(Pairs(text, columns), "2:1.jpg=nv 3:2.jpg=mel") << columns;
  }
  EXPECT_EQ(Pairs(text, "image id"), "2:1.jpg 3:2.jpg");
  EXPECT_EQ(Pairs("1.jpg,7,cat\n2.jpg,8,dog\n", "1,3"), "1:1.jpg=cat 2:2.jpg=dog");
  for (const char* columns : {"image id,breed", "dx", "0,1", "1,5", "1,2,3", ","}) {
    if (columns == std::string("dx")) continue;
    EXPECT_THAT(Pairs(text, columns),
                AllOf(HasSubstr("list.csv'"), HasSubstr("'image id'"), HasSubstr("--columns=")))
        << columns;
  }
}

TEST(TableTest, TwoColumnsOfImages) {
  EXPECT_EQ(Pairs("mask,image,label\n1.png,1.jpg,cat\n"), "2:1.jpg=cat");
  EXPECT_THAT(Pairs("left,right\n1.png,1.jpg\n"),
              AllOf(HasSubstr("'left' and 'right'"), HasSubstr("--columns=FILE,LABEL")));
}

TEST(TableTest, ColumnsOfZeroAndOne) {
  const auto table = Read("filename, cat, dog\n1.jpg, 1, 0\n2.jpg, 0, 1\n");  // Roboflow's
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->one_hot, std::vector<size_t>({1, 2}));
}

TEST(TableTest, NotesSayWhatIsLeftOut) {
  EXPECT_THAT(Read("file,label\n1.jpg,cat\n")->notes, IsEmpty());
  EXPECT_THAT(Read("1.jpg,cat\n")->notes, IsEmpty());
  EXPECT_THAT(absl::StrJoin(Read("file,label,width\n1.jpg,cat,64\n")->notes, ""),
              AllOf(HasSubstr("'file'"), HasSubstr("'label'"), HasSubstr("'width'"),
                    HasSubstr("--columns")));
  EXPECT_THAT(absl::StrJoin(Read("file,rasse\n1.jpg,cat\n")->notes, ""), HasSubstr("'rasse'"));
}

TEST(TableTest, NotesNameTheFirstColumnsThatAreLeftOut) {
  const std::string note =
      absl::StrJoin(Read("file,label,c1,c2,c3,c4,c5,c6,c7\n1.jpg,cat,1,2,3,4,5,6,7\n")->notes, "");
  EXPECT_THAT(note, AllOf(HasSubstr("'c1'"), HasSubstr("'c5'"), HasSubstr("2 more")));
  EXPECT_THAT(absl::StrJoin(Read("1.jpg,cat,64\n")->notes, ""), HasSubstr("column 3"));
}

// A column of splits in which one word is misspelt must not lead to training on validation images.
TEST(TableTest, AColumnOfSplitsHoldsNothingElse) {
  for (const char* name : {"split", "Set", "subset", "data set", "partition"}) {
    for (const char* word : {"trian", "holdout", "0"}) {
      const std::string text =
          absl::StrCat("file,label,", name, "\n1.jpg,a,train\n2.jpg,b,", word, "\n3.jpg,a,val\n");
      const auto table = Read(text);
      EXPECT_EQ(table.status().code(), absl::StatusCode::kInvalidArgument) << name;
      EXPECT_THAT(Pairs(table), AllOf(HasSubstr("list.csv' line 3"), HasSubstr(name),
                                      HasSubstr(absl::StrCat("'", word, "'")),
                                      HasSubstr("validation"), HasSubstr("--columns=FILE,LABEL")));
      const auto chosen = Read(text, "file,label");
      ASSERT_TRUE(chosen.ok()) << chosen.status();
      EXPECT_FALSE(chosen->split);
      EXPECT_THAT(absl::StrJoin(chosen->notes, ""), AllOf(HasSubstr(name), HasSubstr(word)));
    }
  }
  // Far down, and in columns without a name.
  std::string text = "file,split\n";
  for (int i = 0; i < 200; ++i) absl::StrAppend(&text, i, ".jpg,train\n");
  EXPECT_THAT(Pairs(text + "x.jpg,tset\n"), AllOf(HasSubstr("line 202"), HasSubstr("'tset'")));
  EXPECT_THAT(Pairs("1.jpg,a,train\n2.jpg,b,val\n3.jpg,a,vall\n"), HasSubstr("'vall'"));
  EXPECT_EQ(Pairs("1.jpg,train\n2.jpg,bus\n"), "1:1.jpg=train 2:2.jpg=bus");
  // Where the images come from is another matter.
  EXPECT_FALSE(Read("file,label,dataset\n1.jpg,a,coco\n2.jpg,b,voc\n")->split);
  EXPECT_EQ(Read("file,label,subset,split\n1.jpg,a,x,train\n2.jpg,b,y,val\n")->split, 3u);
  // Every word of docs/data.md, empty fields, and columns that are given.
  const std::string good =
      "file,label,split\n1.jpg,a,EVAL\n2.jpg,b,unlabeled\n3.jpg,a,\n4.jpg,b,dev\n";
  EXPECT_EQ(Read(good)->split, 2u);
  EXPECT_EQ(Read(good, "file,label")->split, 2u);
  EXPECT_FALSE(Read(good, "file,split")->split);
}

TEST(TableTest, JsonLines) {
  const auto read = [](const std::string& text) { return Pairs(Read(text, "", "metadata.jsonl")); };
  EXPECT_EQ(read("{\"file_name\": \"1.jpg\", \"label\": 2, \"box\": [1, {\"x\": [2]}]}\n"
                 "\n{\"text\": \"f\\u00fc\", \"label\": null, \"file_name\": \"2.jpg\"}\n"),
            "1:1.jpg=2 3:2.jpg=");
  EXPECT_EQ(read("{\"image_file_name\": \"1.jpg\", \"label\": [7]}\r\n"), "1:1.jpg=7");
  EXPECT_EQ(read("{\"file_name\": \"1.jpg\", \"class\": \"cat\"}"), "1:1.jpg=cat");
  EXPECT_THAT(read("{\"file_name\": \"1.jpg\"}\n[1]\n"), HasSubstr("metadata.jsonl' line 2"));
  EXPECT_THAT(read("{\"file_name\": \"1.jpg\"\n"), HasSubstr("line 1"));
  EXPECT_EQ(read(""), "");
  std::string deep = "{\"file_name\": \"1.jpg\", \"x\": ";
  deep += std::string(200000, '[') + std::string(200000, ']') + "}";
  EXPECT_EQ(read(deep), "1:1.jpg=");
}

class FinderTest : public testing::Test {
 protected:
  FinderTest() : root_(TestFolder("found") + "/") {}
  void Write(const std::string& name) { WriteTestFile(root_ + name, "x"); }
  // The path below root_, or the error.
  std::string Find(ImageFinder& finder, const std::string& name) {
    const auto found = finder.Find(name);
    if (!found.ok()) return std::string(found.status().message());
    const std::string path = absl::StartsWith(*found, "/") ? *found : finder.base() + *found;
    return absl::StartsWith(path, root_) ? path.substr(root_.size()) : path;
  }
  std::string Find(const std::string& name) {
    ImageFinder finder(root_ + "list/", "");
    return Find(finder, name);
  }
  const std::string root_;
};

TEST_F(FinderTest, WhereNamesAreRelativeTo) {
  Write("list/a/1.jpg");
  Write("b/2.jpg");
  for (const char* name : {"a/1.jpg", "./a/1.jpg", ".\\a\\1.jpg", "a\\1.jpg"}) {
    EXPECT_EQ(Find(name), "list/a/1.jpg") << name;
  }
  EXPECT_EQ(Find(root_ + "b/2.jpg"), "b/2.jpg");
  EXPECT_EQ(Find("b/2.jpg"), "list/../b/2.jpg");
  EXPECT_EQ(Find("../b/2.jpg"), "list/../b/2.jpg");
  // Folders of another machine.
  EXPECT_EQ(Find("/kaggle/input/x/a/1.jpg"), "list/a/1.jpg");
  EXPECT_EQ(Find("C:\\data\\a\\1.jpg"), "list/a/1.jpg");
  // At any depth, if there is but one.
  EXPECT_EQ(Find("1.jpg"), "list/a/1.jpg");
  Write("list/c/1.jpg");
  EXPECT_THAT(Find("1.jpg"),
              AllOf(HasSubstr("list/a/1.jpg'"), HasSubstr("list/c/1.jpg'"), HasSubstr("root=")));
  ImageFinder rooted(root_ + "list/", root_ + "list/c");
  EXPECT_EQ(Find(rooted, "1.jpg"), "list/c/1.jpg");
}

TEST_F(FinderTest, TheFirstNameDecides) {
  Write("list/1.jpg");
  Write("list/x/2.jpg");
  Write("3.jpg");
  ImageFinder finder(root_ + "list/", "");
  EXPECT_EQ(Find(finder, "1.jpg"), "list/1.jpg");
  EXPECT_THAT(Find(finder, "2.jpg"), HasSubstr("no image '2.jpg'"));
  EXPECT_THAT(Find(finder, "3.jpg"), HasSubstr("no image '3.jpg'"));
}

// An image for training is never that of another split with the same name.
TEST_F(FinderTest, NamesOfSplitsAreNotTakenAway) {
  Write("list/1.jpg");
  for (const char* name : {"val/1.jpg", "Eval/1.jpg", "x/unlabelled/1.jpg"}) {
    EXPECT_THAT(Find(name), HasSubstr(absl::StrCat("no image '", name, "'")));
  }
}

TEST_F(FinderTest, NamesWithoutEndings) {
  Write("list/a/ISIC_1.jpg");
  Write("list/img.v1.png");
  Write("list/hash");
  EXPECT_EQ(Find("a/ISIC_1"), "list/a/ISIC_1.jpg");
  EXPECT_EQ(Find("ISIC_1"), "list/a/ISIC_1.jpg");
  EXPECT_EQ(Find("img.v1"), "list/img.v1.png");
  EXPECT_EQ(Find("hash"), "list/hash");
  EXPECT_THAT(Find("ISIC"), HasSubstr("no image 'ISIC'"));
  Write("list/a/ISIC_1.png");
  EXPECT_THAT(Find("a/ISIC_1"), AllOf(HasSubstr("ISIC_1.jpg'"), HasSubstr("ISIC_1.png'")));
}

}  // namespace
}  // namespace data
