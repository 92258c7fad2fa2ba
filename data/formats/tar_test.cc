// Tar archives as the usual programs write them, and damaged ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/dataset.h"
#include "data/encode.h"
#include "data/test_images.h"

namespace data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

std::string Image(int seed) { return EncodePng(TestImage(seed)); }

absl::StatusOr<std::unique_ptr<Dataset>> OpenPath(const std::string& path) {
  return Datasets().Create("tar").value()->Open(path, Split::kPretraining, {});
}

// The archive written to a file and opened.
absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& archive) {
  const std::string path = TestFolder("data") + "/a.tar";
  WriteTestFile(path, archive);
  return OpenPath(path);
}

// The error that opening gives, after the path.
std::string ErrorOf(const std::string& archive) {
  const auto dataset = Open(archive);
  EXPECT_FALSE(dataset.ok());
  const std::string message(dataset.status().message());
  const size_t path = message.find("a.tar");
  EXPECT_NE(path, std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos);
  return message.substr(path + 7);
}

// "<length> key=value\n", the length its own digits included.
std::string PaxRecord(const std::string& text) {
  size_t length = text.size() + 2;
  while (absl::StrCat(length, " ", text, "\n").size() != length) ++length;
  return absl::StrCat(length, " ", text, "\n");
}

// A header with other bytes at `offset`, and the checksum that belongs to it.
std::string Changed(std::string entry, size_t offset, const std::string& bytes) {
  entry.replace(offset, bytes.size(), bytes);
  entry.replace(148, 8, "        ");
  unsigned sum = 0;
  for (size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(entry[i]);
  std::string digits(8, '\0');
  std::snprintf(digits.data(), 8, "%06o", sum);
  return entry.replace(148, 8, digits);
}

TEST(TarTest, NamesOfAllKinds) {
  const std::string deep = std::string(60, 'd') + "/" + std::string(70, 'f') + ".png";
  const std::string gnu = "gnu/" + std::string(300, 'g') + ".png";
  const std::string pax = "pax/" + std::string(300, 'p') + ".png";
  const auto dataset = Open(absl::StrCat(
      TarEntry("folder/", "", '5'),                                         //
      TarEntry("./b/dot.png", Image(1)),                                    //
      TarEntry("/b/root.png", Image(2)),                                    //
      Changed(TarEntry("prefix.png", Image(3)), 345, "ustar"),              // the name's first part
      TarEntry("././@LongLink", gnu + '\0', 'L'),                           //
      TarEntry("cut short", Image(4)),                                      //
      TarEntry("global", PaxRecord("comment=all"), 'g'),                    //
      TarEntry("x", PaxRecord("mtime=1") + PaxRecord("path=" + pax), 'x'),  //
      TarEntry("cut short", Image(5)),                                      //
      TarEntry("old.png", Image(6), '\0'), TarEnd()));                      // before POSIX
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  const Dataset& d = **dataset;
  ASSERT_EQ(d.size(), 6);
  const std::vector<std::string> names = {":b/dot.png", ":b/root.png", gnu,
                                          ":old.png",   pax,           ":ustar/prefix.png"};
  const std::vector<int> seeds = {1, 2, 4, 6, 5, 3};
  for (int i = 0; i < 6; ++i) {
    EXPECT_THAT(d.Name(i), EndsWith(names[i]));
    EXPECT_TRUE(SameImage(d.Image(i).value(), TestImage(seeds[i]))) << names[i];
  }
  EXPECT_THAT(d.classes(), ElementsAre("b", "gnu", "pax", "ustar"));
}

TEST(TarTest, SizesOfAllKinds) {
  const std::string image = Image(1);
  const std::string entry = TarEntry("1.png", image);
  // GNU: binary, the first bit set. POSIX: in an extended header, whatever the header itself says.
  std::string binary(12, '\0');
  binary[0] = '\x80';
  binary[10] = static_cast<char>(image.size() >> 8);
  binary[11] = static_cast<char>(image.size());
  for (const std::string& archive :
       {entry, Changed(entry, 124, binary),
        TarEntry("x", PaxRecord(absl::StrCat("size=", image.size())), 'x') +
            Changed(entry, 124, "00000000000")}) {
    const auto dataset = Open(archive + TarEntry("2.png", Image(2)) + TarEnd());
    ASSERT_TRUE(dataset.ok()) << dataset.status();
    ASSERT_EQ((*dataset)->size(), 2);
    EXPECT_TRUE(SameImage((*dataset)->Image(0).value(), TestImage(1)));
    EXPECT_TRUE(SameImage((*dataset)->Image(1).value(), TestImage(2)));
  }
}

TEST(TarTest, ShardsAreOneDataset) {
  const std::string folder = TestFolder("data");
  WriteTestFile(folder + "/1.tar",
                TarEntry("b/1.png", Image(1)) + TarEntry("a/2.png", Image(2)) + TarEnd());
  WriteTestFile(folder + "/0.tar",
                TarEntry("b/1.png", Image(3)) + TarEntry("c/4.png", Image(4)) + TarEnd());
  WriteTestFile(folder + "/notes.txt", "x");
  const auto dataset = OpenPath(folder).value();
  EXPECT_THAT(dataset->classes(), ElementsAre("a", "b", "c"));
  ASSERT_EQ(dataset->size(), 4);
  const std::vector<std::string> names = {"1.tar:a/2.png", "0.tar:b/1.png", "1.tar:b/1.png",
                                          "0.tar:c/4.png"};
  const std::vector<int> seeds = {2, 3, 1, 4};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(dataset->Name(i), folder + "/" + names[i]);
    EXPECT_TRUE(SameImage(dataset->Image(i).value(), TestImage(seeds[i])));
  }
}

TEST(TarTest, ManyShardsMayBeOpen) {
  const std::string folder = TestFolder("data");
  for (int i = 0; i < 100; ++i) {
    WriteTestFile(absl::StrCat(folder, "/", i, ".tar"), TarEntry("1.png", Image(i)) + TarEnd());
  }
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = 50;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  const auto dataset = OpenPath(folder);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ((*dataset)->size(), 100);
}

TEST(TarTest, AFolderWithoutShards) {
  const std::string folder = TestFolder("data");
  EXPECT_EQ(OpenPath(folder).status().message(), "'" + folder + "' holds no .tar files");
}

TEST(TarTest, WebDatasetsLabels) {
  const std::string folder = TestFolder("data");
  // The files of a sample have one key; keys are independent in each shard.
  WriteTestFile(folder + "/a-00.tar", TarEntry("0.cls", "2") + TarEntry("0.png", Image(1)) +
                                          TarEntry("1.left.png", Image(2)) +
                                          TarEntry("1.json", "{}") + TarEntry("1.cls", "0\n") +
                                          TarEnd());
  WriteTestFile(folder + "/a-01.tar",
                TarEntry("x.y/0.png", Image(3)) + TarEntry("x.y/0.cls", "1") + TarEnd());
  const auto dataset = OpenPath(folder + "/a-{00..01}.tar").value();
  EXPECT_THAT(dataset->classes(), ElementsAre("0", "1", "2"));
  ASSERT_EQ(dataset->size(), 3);
  const std::vector<int> labels = {2, 0, 1};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(dataset->Label(i), labels[i]);
    EXPECT_TRUE(SameImage(dataset->Image(i).value(), TestImage(i + 1)));
  }
  EXPECT_EQ(OpenDataset(folder + "/a-{00..01}.tar", Split::kPretraining)->format, "tar");
  EXPECT_EQ(OpenPath(folder + "/a-{00..02}.tar").status().message(),
            "cannot open '" + folder + "/a-02.tar': No such file or directory; check the path");
}

// The name without the archive's, and the label, of each image.
std::vector<std::string> Labelled(const Dataset& dataset) {
  std::vector<std::string> all;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const std::string name = dataset.Name(i);
    all.push_back(absl::StrCat(name.substr(name.rfind(".tar:") + 5), " ", dataset.Label(i)));
  }
  return all;
}

// An archive of files with these names and contents; an image's is its name.
std::unique_ptr<Dataset> OpenEntries(
    const std::vector<std::pair<std::string, std::string>>& entries,
    const std::string& spec = "tar") {
  const std::string path = TestFolder("data") + "/a.tar";
  std::string archive;
  for (const auto& [name, contents] : entries) archive += TarEntry(name, contents);
  WriteTestFile(path, archive + TarEnd());
  auto dataset = Datasets().Create(spec).value()->Open(path, Split::kPretraining, {});
  EXPECT_TRUE(dataset.ok()) << dataset.status();
  return *std::move(dataset);
}

std::string ErrorOfEntries(const std::vector<std::string>& names, const std::string& spec = "tar") {
  std::string archive;
  for (const std::string& name : names) archive += TarEntry(name, "0");
  const std::string path = TestFolder("data") + "/a.tar";
  WriteTestFile(path, archive + TarEnd());
  const auto dataset = Datasets().Create(spec).value()->Open(path, Split::kPretraining, {});
  EXPECT_FALSE(dataset.ok());
  return std::string(dataset.status().message());
}

TEST(TarTest, NamesOfClassesBesideTheShards) {
  const std::string folder = TestFolder("data");
  WriteTestFile(folder + "/0.tar", TarEntry("0.png", Image(1)) + TarEntry("0.cls", "2") + TarEnd());
  for (const char* text : {"zebra\nant\ncat\nowl\n", "zebra\r\nant\r\ncat\r\nowl"}) {
    WriteTestFile(folder + "/classes.txt", text);
    const auto dataset = OpenPath(folder).value();
    EXPECT_THAT(dataset->classes(), ElementsAre("zebra", "ant", "cat", "owl"));
    EXPECT_EQ(dataset->Label(0), 2);
    EXPECT_TRUE(dataset->notes().empty());
  }
  for (const char* text : {"", "zebra\nant\n", "zebra\n\ncat\n", "ant\nant\ncat\n"}) {
    WriteTestFile(folder + "/classes.txt", text);
    const auto dataset = OpenPath(folder).value();
    EXPECT_THAT(dataset->classes(), ElementsAre("0", "1", "2"));
    EXPECT_THAT(dataset->notes(), ElementsAre(HasSubstr("classes.txt'")));
  }
}

// Whatever was given to WebDataset's writer as the class.
TEST(TarTest, TextsOfClasses) {
  for (const char* label : {"2", "2\n", " 2 ", "tensor(2)", "[2]", "tensor([2])",
                            "tensor(2, device='cuda:0')", "tensor([[2]], dtype=torch.int32)", "2.0",
                            "tensor(2.)", "array([2])", "[np.int64(2)]", "np.int64(2)", "b'2'"}) {
    EXPECT_THAT(Labelled(*OpenEntries({{"0.png", ""}, {"0.cls", label}})), ElementsAre("0.png 2"))
        << label;
  }
  for (const char* label : {"", "cat", "-1", "1.5", "1048576", "99999999999999999999", "[0, 1, 0]",
                            "[2", "tensor(2", "tensor([])", "2e0", "nan", "2 3"}) {
    const auto dataset =
        OpenEntries({{"0.png", ""}, {"0.cls", label}, {"1.png", ""}, {"1.cls", "1"}});
    EXPECT_THAT(Labelled(*dataset), ElementsAre("0.png -1", "1.png 1")) << label;
    EXPECT_EQ(dataset->LabelStatus().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(dataset->LabelStatus().message()),
                AllOf(HasSubstr("a.tar:0.cls'"), HasSubstr(label), HasSubstr("0 to 1048575")));
  }
  const auto missing = OpenEntries({{"0.png", ""}, {"0.cls", "1"}, {"1.png", ""}});
  EXPECT_THAT(Labelled(*missing), ElementsAre("0.png 1", "1.png -1"));
  EXPECT_THAT(std::string(missing->LabelStatus().message()), HasSubstr("'1.png' has no '1.cls'"));
}

TEST(TarTest, LabelsInJson) {
  EXPECT_THAT(Labelled(*OpenEntries({{"0.png", ""},
                                     {"0.json", R"({"label": 2, "x": "y"})"},
                                     {"1.png", ""},
                                     {"1.JSON", R"({"label": "1"})"},
                                     {"2.png", ""},
                                     {"2.json", R"({"label": [0]})"}})),
              ElementsAre("0.png 2", "1.png 1", "2.png 0"));
  // Beside a .cls, a .json without a label, or with one in words, says nothing.
  for (const char* json : {R"({"caption": "x"})", R"({"label": "cat"})", R"({"label": 1})"}) {
    const auto dataset = OpenEntries({{"0.png", ""}, {"0.json", json}, {"0.cls", "1"}});
    EXPECT_THAT(Labelled(*dataset), ElementsAre("0.png 1")) << json;
    EXPECT_TRUE(dataset->LabelStatus().ok()) << json;
  }
  const auto unlike = OpenEntries({{"0.png", ""},
                                   {"0.json", R"({"label": 2})"},
                                   {"0.cls", "1"},
                                   {"1.png", ""},
                                   {"1.cls", "1"}});
  EXPECT_THAT(Labelled(*unlike), ElementsAre("0.png -1", "1.png 1"));
  EXPECT_THAT(
      std::string(unlike->LabelStatus().message()),
      AllOf(HasSubstr("0.png"), HasSubstr("'0.cls' at entry 3"), HasSubstr("'0.json' at entry 2")));
  const auto captions = OpenEntries({{"a/0.png", ""}, {"a/0.json", R"({"caption": "x"})"}});
  EXPECT_THAT(captions->classes(), ElementsAre("a"));
  EXPECT_TRUE(captions->LabelStatus().ok());
  for (const char* json : {R"({"label": "cat"})", R"({"label": -1})", R"({"label": {}})"}) {
    EXPECT_THAT(
        std::string(OpenEntries({{"0.png", ""}, {"0.json", json}})->LabelStatus().message()),
        HasSubstr("0.json'"));
  }
}

// Keys with dots, names in capitals, and what macOS's tar adds.
TEST(TarTest, ALabelBelongsToTheWholeStem) {
  EXPECT_THAT(Labelled(*OpenEntries({{"img.v1.0000.jpg", ""},
                                     {"img.v1.0000.cls", "0"},
                                     {"img.v1.0001.jpg", ""},
                                     {"img.v1.0001.cls", "1"}})),
              ElementsAre("img.v1.0000.jpg 0", "img.v1.0001.jpg 1"));
  EXPECT_THAT(Labelled(*OpenEntries({{"._000.jpg", "x"},
                                     {"000.JPG", ""},
                                     {"._000.cls", "\x05"},
                                     {"000.CLS", "1"},
                                     {"001.cls", "0"},
                                     {"001.jpg", ""}})),
              ElementsAre("000.JPG 1", "001.jpg 0"));
  EXPECT_THAT(Labelled(*OpenEntries({{"a.b/0.jpg", ""},
                                     {"a.b/0.cls", "1"},
                                     {"a.jpg", ""},
                                     {"a.cls", "0"},
                                     {"a.b.jpg", ""},
                                     {"a.b.cls", "2"}})),
              ElementsAre("a.b.jpg 2", "a.b/0.jpg 1", "a.jpg 0"));
  // The only image of a sample may have further parts in its name.
  EXPECT_THAT(Labelled(*OpenEntries({{"1.left.png", ""}, {"1.cls", "1"}})),
              ElementsAre("1.left.png 1"));
  // Numbers after a dot are parts of keys.
  EXPECT_EQ(
      OpenEntries({{"cat.0.jpg", ""}, {"cat.1.jpg", ""}, {"dog.0.jpg", ""}, {"dog.1.jpg", ""}})
          ->size(),
      4);
  const auto lost = OpenEntries({{"0.png", ""}, {"0.cls", "1"}, {"1.cls", "1"}, {"2.cls", "1"}});
  EXPECT_THAT(lost->notes(), ElementsAre(AllOf(HasSubstr("2 labels"), HasSubstr(":1.cls'"))));
}

TEST(TarTest, AKeyThatComesTwice) {
  // Apart, each has the label beside it, however the files of a sample are ordered.
  EXPECT_THAT(Labelled(*OpenEntries({{"0.png", ""},
                                     {"0.txt", ""},
                                     {"0.cls", "1"},
                                     {"1.png", ""},
                                     {"1.cls", "7"},
                                     {"0.png", ""},
                                     {"0.cls", "2"}})),
              ElementsAre("0.png 1", "0.png 2", "1.png 7"));
  EXPECT_THAT(Labelled(*OpenEntries({{"0.cls", "1"},
                                     {"0.png", ""},
                                     {"1.cls", "7"},
                                     {"1.png", ""},
                                     {"0.cls", "2"},
                                     {"0.png", ""}})),
              ElementsAre("0.png 1", "0.png 2", "1.png 7"));
  // A label is that of one image, not of all with its name.
  EXPECT_THAT(Labelled(*OpenEntries(
                  {{"0.png", ""}, {"0.cls", "1"}, {"1.png", ""}, {"1.cls", "7"}, {"0.png", ""}})),
              ElementsAre("0.png 1", "0.png -1", "1.png 7"));
  // Where it could be either's, both are named.
  const auto beside = OpenEntries({{"0.png", ""}, {"0.cls", "1"}, {"0.png", ""}, {"0.cls", "2"}});
  EXPECT_THAT(Labelled(*beside), ElementsAre("0.png -1", "0.png -1"));
  EXPECT_THAT(std::string(beside->LabelStatus().message()),
              AllOf(HasSubstr("0.cls'"), HasSubstr("entry 1"), HasSubstr("entry 3")));
  const auto twice = OpenEntries({{"0.png", ""}, {"0.cls", "1"}, {"0.cls", "2"}});
  EXPECT_THAT(Labelled(*twice), ElementsAre("0.png -1"));
  EXPECT_THAT(std::string(twice->LabelStatus().message()),
              AllOf(HasSubstr("0.png'"), HasSubstr("entry 2"), HasSubstr("entry 3")));
}

TEST(TarTest, SamplesOfSeveralImages) {
  const std::vector<std::pair<std::string, std::string>> masks = {
      {"0.jpg", ""}, {"0.seg.png", ""}, {"0.cls", "1"},      {"1.cls", "0"},  {"1.seg.png", ""},
      {"1.jpg", ""}, {"x.2.jpg", ""},   {"x.2.seg.png", ""}, {"x.2.cls", "1"}};
  const auto jpg = OpenEntries(masks);
  EXPECT_THAT(Labelled(*jpg), ElementsAre("0.jpg 1", "1.jpg 0", "x.2.jpg 1"));
  EXPECT_THAT(jpg->notes(),
              ElementsAre(AllOf(HasSubstr("3 further"), HasSubstr("--image-key=seg.png"))));
  const auto seg = OpenEntries(masks, "tar:image_key=seg.png");
  EXPECT_THAT(Labelled(*seg), ElementsAre("0.seg.png 1", "1.seg.png 0", "x.2.seg.png 1"));
  EXPECT_TRUE(seg->notes().empty());
  EXPECT_THAT(Labelled(*OpenEntries(masks, "tar:image_key=.JPG seg.png")),
              ElementsAre("0.jpg 1", "0.seg.png 1", "1.jpg 0", "1.seg.png 0", "x.2.jpg 1",
                          "x.2.seg.png 1"));
  // Without labels just so.
  EXPECT_EQ(OpenEntries({{"0.jpg", ""}, {"0.seg.png", ""}})->size(), 1);
  // Of two with equal right neither is taken in silence.
  for (const std::vector<std::string>& names :
       {std::vector<std::string>{"0.left.png", "0.right.png", "0.cls"},
        {"0.left.png", "0.right.png", "1.left.png", "1.right.png"},
        {"0.jpg", "0.png", "0.cls"}}) {
    EXPECT_THAT(ErrorOfEntries(names), AllOf(HasSubstr("png"), HasSubstr("--image-key=")));
  }
  const auto left =
      OpenEntries({{"0.left.png", ""}, {"0.right.png", ""}, {"0.cls", "1"}, {"1.right.png", ""}},
                  "tar:image_key=left.png");
  EXPECT_THAT(Labelled(*left), ElementsAre("0.left.png 1"));
  EXPECT_THAT(left->notes(), ElementsAre(HasSubstr("1 samples without")));
  EXPECT_THAT(ErrorOfEntries({"0.png"}, "tar:image_key=webp"), HasSubstr("--image-key"));
}

// gunzip and the like refuse files that are not called so.
TEST(TarTest, TheCommandThatUnpacksAnArchiveWorks) {
  const std::string folder = TestFolder("data");
  const std::string path = folder + "/two words.tar";
  WriteTestFile(path, TarEntry("0.png", Image(1)) + TarEnd());
  ASSERT_EQ(
      std::system(absl::StrCat("gzip '", path, "' && mv '", path, ".gz' '", path, "'").c_str()), 0);
  const std::string error(OpenDataset(path, Split::kPretraining).status().message());
  const size_t command = error.find("unpack it: ");
  ASSERT_NE(command, std::string::npos) << error;
  ASSERT_EQ(std::system(error.substr(command + 11).c_str()), 0) << error;
  EXPECT_EQ(OpenDataset(path, Split::kPretraining)->dataset->size(), 1);
  EXPECT_EQ(OpenDataset(folder, Split::kPretraining)->dataset->size(), 1);
}

// As archives are made from another folder; the names are only compared, nothing is written.
TEST(TarTest, NamesThatLeadOutOfTheArchive) {
  const auto dataset = Open(absl::StrCat(
      TarEntry("../../data/b/1.png", Image(1)), TarEntry("/data/./a/2.png", Image(2)),
      TarEntry("data/x/../a/3.png", Image(3)), TarEntry("data/.hidden/4.png", Image(4)), TarEnd()));
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_THAT((*dataset)->classes(), ElementsAre("a", "b"));
  ASSERT_EQ((*dataset)->size(), 3);
  EXPECT_THAT((*dataset)->Name(1), EndsWith(":data/a/3.png"));
}

TEST(TarTest, CompressedArchives) {
  for (const auto& [magic, unpack] :
       {std::pair("\x1F\x8B\x08", "gunzip -k"), std::pair("BZh9", "bunzip2"),
        std::pair("\xFD"
                  "7zXZ",
                  "unxz"),
        std::pair("PK\x03\x04", "--dataset=zip")}) {
    const std::string folder = TestFolder("data");
    for (const char* name : {"a.tar", "a.tar.gz", "a.tgz", "A.TAR", "a.TGZ", "a.tbz2", "a.txz"}) {
      WriteTestFile(folder + "/" + name, std::string(magic) + std::string(600, 'z'));
      EXPECT_THAT(
          std::string(OpenDataset(folder + "/" + name, Split::kPretraining).status().message()),
          AllOf(HasSubstr(name), HasSubstr(unpack)));
    }
    // A folder of them is not called empty; what was unpacked is read.
    for (const char* name : {"a.tar", "A.TAR", "a.TGZ", "a.tbz2", "a.txz"}) {
      std::filesystem::remove(absl::StrCat(folder, "/", name));
    }
    EXPECT_THAT(std::string(OpenDataset(folder, Split::kPretraining).status().message()),
                HasSubstr(unpack));
    WriteTestFile(folder + "/a.tar", TarEntry("0.png", Image(1)) + TarEnd());
    EXPECT_TRUE(OpenDataset(folder, Split::kPretraining).ok());
    const std::string capitals = TestFolder("capitals");
    WriteTestFile(capitals + "/A-000.TAR", TarEntry("0.png", Image(1)) + TarEnd());
    EXPECT_TRUE(OpenDataset(capitals, Split::kPretraining).ok());
  }
}

// Wherever an archive is cut within an entry, it is refused; where an entry ends, it is read.
TEST(TarTest, CutArchives) {
  const std::string archive = TarEntry("1.png", Image(1)) +
                              TarEntry("././@LongLink", std::string(300, 'n') + ".png", 'L') +
                              TarEntry("n", Image(2));
  ASSERT_TRUE(Open(archive + TarEnd()).ok());
  ASSERT_TRUE((*Open(archive + TarEnd()))->notes().empty());
  const size_t first = TarEntry("1.png", Image(1)).size();
  for (size_t size = 0; size < archive.size() - 512; size += 37) {
    if (size + 512 > first && size <= first) continue;  // in the filling of its last block
    EXPECT_EQ(Open(archive.substr(0, size)).status().code(), absl::StatusCode::kDataLoss) << size;
  }
  const std::string last = TarEntry("3.png", Image(1));
  const size_t filled = first - 512 - Image(1).size();  // zeros after the contents
  ASSERT_LT(filled, 512u);
  for (const size_t size : {last.size(), last.size() - filled}) {
    const auto cut = Open(archive + last.substr(0, size));
    ASSERT_TRUE(cut.ok()) << cut.status();
    ASSERT_EQ((*cut)->size(), 3);
    EXPECT_TRUE((*cut)->Image(0).ok());
    EXPECT_TRUE((*cut)->Image(1).ok());
    EXPECT_THAT((*cut)->notes(), ElementsAre(HasSubstr("end mark")));
  }
  EXPECT_TRUE(Open(archive + std::string(100, '\0')).ok());
  EXPECT_FALSE(Open(archive + std::string(100, '1')).ok());
  EXPECT_THAT((*Open(archive + TarEnd() + archive + TarEnd()))->notes(),
              ElementsAre(AllOf(HasSubstr("left out"), HasSubstr("--concatenate"))));
  EXPECT_EQ(
      ErrorOf(archive.substr(0, 600)),
      "is damaged at byte 0: the entry reaches beyond the end of the file: it is cut; fetch or "
      "write it again");
}

TEST(TarTest, DamagedHeaders) {
  const std::string first = TarEntry("1.png", Image(1));
  std::string second = TarEntry("2.png", Image(2));
  const std::string at = absl::StrCat("is damaged at byte ", first.size(), ": ");
  second[3] ^= 1;
  EXPECT_EQ(ErrorOf(first + second + TarEnd()),
            at + "this is not the header of an entry; fetch or write it again");
  second[3] ^= 1;
  for (const std::string& size :
       {std::string("77777777777"), std::string(12, '\xFF'), std::string("9")}) {
    EXPECT_THAT(ErrorOf(first + Changed(second, 124, size) + TarEnd()), HasSubstr(at)) << size;
  }
  for (const std::string& records : {std::string("x path=y\n"), std::string("99 path=y\n"),
                                     std::string("0 path=y\n"), PaxRecord("size=many")}) {
    EXPECT_THAT(ErrorOf(first + TarEntry("x", records, 'x') + second + TarEnd()),
                HasSubstr("an extended header cannot be read"))
        << records;
  }
  EXPECT_THAT(ErrorOf(TarEntry("x", std::string(2 << 20, 'n'), 'L') + second + TarEnd()),
              HasSubstr("an extended header is too large"));
}

TEST(TarTest, WhatIsNoTar) {
  const std::string error =
      "is damaged at byte 0: it is not a tar archive; fetch or write it again";
  EXPECT_EQ(ErrorOf(""), error);
  EXPECT_EQ(ErrorOf(Image(1) + std::string(1000, 'z')), error);
}

TEST(TarTest, LinksAreNotLeftOutInSilence) {
  const auto dataset = Open(TarEntry("1.png", Image(1)) + TarEntry("2.png", "", '1') + TarEnd());
  EXPECT_THAT(std::string(dataset.status().message()),
              HasSubstr("a.tar': '2.png' is a link to another file; write the archive with"));
}

TEST(TarTest, SparseFilesAreNotLeftOutInSilence) {
  const std::string pax = PaxRecord("GNU.sparse.major=1") + PaxRecord("GNU.sparse.name=2.png");
  for (const std::string& entry :
       {TarEntry("2.png", Image(1), 'S'),
        TarEntry("x", pax, 'x') + TarEntry("GNUSparseFile.0/2.png", Image(1))}) {
    EXPECT_THAT(
        std::string(Open(TarEntry("1.png", Image(1)) + entry + TarEnd()).status().message()),
        AllOf(HasSubstr("'2.png'"), HasSubstr("--sparse")));
  }
}

// webdataset writes arrays of any kind as .npy; they are images if there are no others, or if asked
// for.
TEST(TarTest, ArraysAreImagesWhereThereAreNoOthers) {
  const auto arrays = OpenEntries(
      {{"0.npy", ""}, {"0.cls", "1"}, {"1.NPY", ""}, {"1.cls", "0"}, {"1.mask.npy", ""}});
  EXPECT_THAT(Labelled(*arrays), ElementsAre("0.npy 1", "1.NPY 0"));
  EXPECT_THAT(arrays->notes(), ElementsAre(HasSubstr("--image-key=mask.npy")));
  const std::vector<std::pair<std::string, std::string>> both = {
      {"0.npy", ""}, {"0.png", ""}, {"0.cls", "1"}, {"1.png", ""}, {"1.cls", "0"}, {"1.npy", ""}};
  EXPECT_THAT(Labelled(*OpenEntries(both)), ElementsAre("0.png 1", "1.png 0"));
  EXPECT_TRUE(OpenEntries(both)->notes().empty());
  EXPECT_THAT(Labelled(*OpenEntries(both, "tar:image_key=npy")), ElementsAre("0.npy 1", "1.npy 0"));
  EXPECT_THAT(Labelled(*OpenEntries(both, "tar:image_key=png")), ElementsAre("0.png 1", "1.png 0"));
  const std::string array = NpyFile("|u1", "(2, 3)", "\1\2\3\4\5\6");
  const auto dataset = Open(TarEntry("cat/1.npy", array) + TarEnd());
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ((*dataset)->Image(0)->ptr(1)[6], 6);
  EXPECT_FALSE(Open(TarEntry("1.npy", array) + TarEntry("2.npy", "", '1') + TarEnd()).ok());
  EXPECT_TRUE(Open(TarEntry("1.png", Image(1)) + TarEntry("2.npy", "", '1') + TarEnd()).ok());
}

TEST(TarTest, ArchivesThatShrinkInUse) {
  const std::string first = TarEntry("1.png", Image(1));
  const std::string path = TestFolder("data") + "/a.tar";
  WriteTestFile(path, first + TarEntry("2.png", Image(2)) + TarEnd());
  const auto dataset = OpenPath(path).value();
  std::filesystem::resize_file(path, first.size());
  EXPECT_TRUE(dataset->Image(0).ok());
  EXPECT_EQ(dataset->Image(1).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(dataset->Image(1).status().message(),
            absl::StrCat("'", path, ":2.png': '", path, "' is cut"));
}

// What `tar -cf pets.tar pets` makes of a folder with splits; also in shards.
TEST(TarTest, SplitsAreFoldersOfTheArchives) {
  for (const std::string wrapper : {"", "pets/", "./home/pets/"}) {
    const std::string folder = TestFolder("splits");
    WriteTestFile(folder + "/a-0.tar", TarEntry(wrapper + "train/cat/1.png", Image(1)) +
                                           TarEntry(wrapper + "val/cat/2.png", Image(2)) +
                                           TarEntry(wrapper + "train/dog/3.png", Image(3)) +
                                           TarEnd());
    WriteTestFile(folder + "/a-1.tar", TarEntry(wrapper + "val/dog/4.png", Image(4)) + TarEnd());
    for (const Split split : {Split::kPretraining, Split::kTraining}) {
      const auto opened = OpenDataset(folder, split);
      ASSERT_TRUE(opened.ok()) << opened.status();
      EXPECT_THAT(Labelled(*opened->dataset),
                  ElementsAre(EndsWith("train/cat/1.png 0"), EndsWith("train/dog/3.png 1")));
      EXPECT_THAT(opened->dataset->classes(), ElementsAre("cat", "dog"));
    }
    const auto validation = OpenDataset(folder, Split::kValidation);
    ASSERT_TRUE(validation.ok()) << validation.status();
    EXPECT_THAT(Labelled(*validation->dataset),
                ElementsAre(EndsWith("val/cat/2.png 0"), EndsWith("val/dog/4.png 1")));
    EXPECT_TRUE(SameImage(validation->dataset->Image(1).value(), TestImage(4)));
    const auto all = OpenDataset(folder, Split::kPretraining, "tar:splits=false");
    EXPECT_EQ(all->dataset->size(), 4);
    const auto one = OpenDataset(folder + "/a-0.tar", Split::kValidation);
    ASSERT_TRUE(one.ok()) << one.status();
    EXPECT_EQ(one->dataset->size(), 1);
  }
  // Without splits, the folder around everything is passed over; with labels in files, too.
  const std::string pets = TarEntry("pets/a/1.png", Image(1)) + TarEntry("pets/b/2.png", Image(2));
  EXPECT_THAT((*Open(pets + TarEnd()))->classes(), ElementsAre("a", "b"));
  const auto labelled =
      Open(pets + TarEntry("pets/a/1.cls", "1") + TarEntry("pets/b/2.cls", "0") + TarEnd());
  EXPECT_THAT((*labelled)->classes(), ElementsAre("0", "1"));
  EXPECT_EQ((*labelled)->Label(0), 1);
}

TEST(TarTest, AFolderThatMayBeASplitOrAClassIsAskedAbout) {
  const std::string path = TestFolder("data") + "/a.tar";
  WriteTestFile(path, TarEntry("bus/1.png", Image(1)) + TarEntry("car/2.png", Image(2)) +
                          TarEntry("train/3.png", Image(3)) + TarEnd());
  const absl::Status status = OpenDataset(path, Split::kPretraining).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("train'"), HasSubstr("'bus'"), HasSubstr("tar:splits=false")));
  const auto all = OpenDataset(path, Split::kPretraining, "tar:splits=false");
  EXPECT_THAT(all->dataset->classes(), ElementsAre("bus", "car", "train"));
}

// Opening a pipe without a writer would wait for one.
TEST(TarTest, APipeIsRefused) {
  const std::string pipe = TestFolder("data") + "/x.tar";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const absl::Status status = OpenDataset(pipe, Split::kPretraining).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(pipe), HasSubstr("pipe")));
}

}  // namespace
}  // namespace data
