#include "tensors/tensor_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "tensors/tensor_listing.h"

namespace tensors {
namespace {

using ::testing::HasSubstr;

constexpr char kFolder[] = "tensors/testdata/tensor_files/";

std::string Contents(const std::string& name) { return base::ReadFile(kFolder + name).value(); }

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename();
    if (name != "expected.txt") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// What is said of bytes that must be refused.
std::string Error(absl::string_view bytes, absl::StatusCode code = absl::StatusCode::kDataLoss) {
  auto file = TensorFile::Parse("f.pth", bytes);
  absl::Status status = file.status();
  if (file.ok()) {  // the tensors then, or one of them
    ForEachEntry(file->root(), [&](const std::string& name, const pickle::Value& value) {
      if (value.kind == pickle::Value::kTensor) status.Update(file->Read(*value.tensor).status());
    });
  }
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("'f.pth' "));
  EXPECT_FALSE(absl::StrContains(status.message(), "\n"));
  return std::string(status.message());
}

std::string Number(uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

struct ZipEntry {
  std::string name, contents;
  int method = 0;
  uint64_t size = UINT64_MAX;  // as its descriptions say; otherwise the true one
};

std::string Zip(const std::vector<ZipEntry>& entries) {
  std::string file, directory;
  for (const ZipEntry& e : entries) {
    const auto crc = crc32(0, reinterpret_cast<const Bytef*>(e.contents.data()), e.contents.size());
    const uint64_t size = e.size == UINT64_MAX ? e.contents.size() : e.size;
    const std::string common =
        absl::StrCat(Number(20, 2), Number(0, 2), Number(e.method, 2), Number(0, 4), Number(crc, 4),
                     Number(size, 4), Number(size, 4), Number(e.name.size(), 2), Number(0, 2));
    absl::StrAppend(&directory, Number(0x02014b50, 4), Number(20, 2), common, Number(0, 10),
                    Number(file.size(), 4), e.name);
    absl::StrAppend(&file, Number(0x04034b50, 4), common, e.name, e.contents);
  }
  return absl::StrCat(file, directory, Number(0x06054b50, 4), Number(0, 4),
                      Number(entries.size(), 2), Number(entries.size(), 2),
                      Number(directory.size(), 4), Number(file.size(), 4), Number(0, 2));
}

// torch.save of a float32 tensor as its pickle describes it, with 24 bytes in its storage.
std::string ZipOf(const pickle::TensorInfo& info, const std::string& storage = std::string(24, 1)) {
  pickle::Writer w;
  w.BeginDict();
  w.Text("x"), w.Tensor(info);
  w.EndDict();
  return Zip({{"a/data.pkl", w.Finish()}, {"a/data/0", storage}});
}

std::string Safetensors(const std::string& header, size_t data) {
  return Number(header.size(), 8) + header + std::string(data, 1);
}

std::string Entry(const std::string& name, const std::string& shape, int begin, int end) {
  return absl::StrFormat(R"("%s":{"dtype":"F32","shape":[%s],"data_offsets":[%d,%d]})", name, shape,
                         begin, end);
}

TEST(TensorFileTest, EveryTensorIsThatOfPython) {
  std::vector<std::string> lines;
  for (const std::string& name : Names()) {
    auto file = TensorFile::Open(kFolder + name);
    ASSERT_TRUE(file.ok()) << file.status();
    ForEachEntry(file->root(), [&](const std::string& entry, const pickle::Value& value) {
      if (value.kind != pickle::Value::kTensor) return;
      const auto digest = Digest(*file, *value.tensor);
      ASSERT_TRUE(digest.ok()) << name << " " << entry << ": " << digest.status();
      lines.push_back(absl::StrFormat("%s %s: %s [%s] %08x", name, entry,
                                      file->Read(*value.tensor)->dtype->name,
                                      absl::StrJoin(value.tensor->sizes, "x"), *digest));
    });
  }
  std::sort(lines.begin(), lines.end());
  const std::string expected = Contents("expected.txt");
  EXPECT_EQ(lines, std::vector<std::string>(absl::StrSplit(expected, '\n', absl::SkipEmpty())));
  EXPECT_GT(lines.size(), 70u);
}

TEST(TensorFileTest, WhatIsNotTensorsIsKeptOrNamed) {
  for (const char* name : {"zip.pth.tar", "legacy.pth.tar"}) {
    const auto file = TensorFile::Open(std::string(kFolder) + name);
    ASSERT_TRUE(file.ok()) << file.status();
    const pickle::Value& root = file->root();
    EXPECT_EQ(root.Find("epoch")->integer, 3);
    EXPECT_EQ(root.Find("arch")->text, "resnet50");
    EXPECT_EQ(root.Find("negative")->integer, -(int64_t{1} << 40));
    EXPECT_EQ(root.Find("size")->items.size(), 2u);
    EXPECT_EQ(root.Find("none")->kind, pickle::Value::kNone);
    for (const auto& [key, text] :
         {std::pair("args", "argparse.Namespace"), std::pair("seed", "int"),
          std::pair("dtype", "torch.float16"), std::pair("device", "torch.device")}) {
      EXPECT_EQ(root.Find(key)->kind, pickle::Value::kOpaque) << key;
      EXPECT_EQ(root.Find(key)->text, text);
    }
    EXPECT_EQ(root.Find("best_acc1")->kind, pickle::Value::kOpaque);
    EXPECT_EQ(root.Find("default")->kind, pickle::Value::kDict);  // a defaultdict
  }
  const auto file = TensorFile::Open(std::string(kFolder) + "plain.safetensors");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->root().Find("__metadata__")->Find("note")->text, "two\nlines");
}

TEST(TensorFileTest, ArraysOfOtherKindsStayOpaque) {
  const auto file = TensorFile::Open(std::string(kFolder) + "arrays.pkl");
  ASSERT_TRUE(file.ok()) << file.status();
  const pickle::Value& unread = *file->root().Find("unread");
  ASSERT_EQ(unread.items.size(), 8u);
  for (size_t i = 1; i < unread.items.size(); i += 2) {
    EXPECT_EQ(unread.items[i]->kind, pickle::Value::kOpaque) << unread.items[i - 1]->text;
  }
}

TEST(TensorFileTest, SharedStoragesAreShared) {
  for (const char* name : {"zip.pth.tar", "legacy.pth.tar"}) {
    auto file = TensorFile::Open(std::string(kFolder) + name);
    ASSERT_TRUE(file.ok()) << file.status();
    const pickle::Value& state = *file->root().Find("state_dict");
    const auto whole = file->Read(*state.Find("whole")->tensor);
    for (const char* view : {"transposed", "slice", "tail"}) {
      EXPECT_EQ(file->Read(*state.Find(view)->tensor)->bytes.data(), whole->bytes.data()) << view;
    }
  }
}

TEST(TensorFileTest, EveryCutIsRefused) {
  for (const std::string& name : Names()) {
    const std::string whole = Contents(name);
    for (size_t size = 0; size < whole.size(); ++size) {
      const std::string cut = whole.substr(0, size);  // a copy, for the sanitizers
      const absl::Status status = TensorFile::Parse("f", cut).status();
      // Without its first bytes nothing tells a safetensors file from something else.
      const bool unknown = absl::EndsWith(name, ".safetensors") && size > 0 && size < 9;
      EXPECT_EQ(status.code(),
                unknown ? absl::StatusCode::kInvalidArgument : absl::StatusCode::kDataLoss)
          << name << " at " << size;
    }
    EXPECT_FALSE(TensorFile::Parse("f", whole + '\0').ok()) << name;
  }
}

// Legacy files and safetensors have no checksum; in a zip no change of a tensor is accepted.
TEST(TensorFileTest, EveryChangeOfAZipIsNoticedOrHarmless) {
  const std::string whole = Contents("label.pt");
  auto original = TensorFile::Parse("f", whole);
  ASSERT_TRUE(original.ok());
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] ^= 0x10;
    auto file = TensorFile::Parse("f", changed);
    if (!file.ok() || file->root().kind != pickle::Value::kTensor) continue;
    const auto digest = Digest(*file, *file->root().tensor);
    if (!digest.ok()) continue;
    EXPECT_EQ(*digest, *Digest(*original, *original->root().tensor)) << at;
  }
}

TEST(TensorFileTest, OtherFilesAreNamedForWhatTheyAre) {
  const auto kOther = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(Error(""), HasSubstr("it is empty"));
  EXPECT_THAT(Error("hello, this is text", kOther), HasSubstr("is not a checkpoint; give"));
  EXPECT_THAT(Error("\x80\x06}."), HasSubstr("protocol is above 5; save it with"));
  EXPECT_THAT(Error(Zip({{"a/b", "c"}}), kOther), HasSubstr("no data.pkl"));
  EXPECT_THAT(Error(Zip({{"a/data.pkl", "N."}}), kOther), HasSubstr("holds no tensors"));
  EXPECT_THAT(Error(Zip({{"a/data.pkl", "}."}, {"a/byteorder", "big"}}), kOther),
              HasSubstr("big-endian"));
  EXPECT_EQ(TensorFile::Open("absent").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(TensorFile::Open(kFolder).status().code(), kOther);
  EXPECT_EQ(TensorFile::Open("/dev/zero").status().code(), kOther);
}

TEST(TensorFileTest, NothingIsRun) {
  const std::string system = absl::StrCat("cos\nsystem\nX", Number(4, 4), "true\x85R");
  EXPECT_THAT(Error(Zip({{"a/data.pkl", system + "."}}), absl::StatusCode::kInvalidArgument),
              HasSubstr("'os.system'"));
  const std::string whole = Contents("label_legacy.pt");
  const std::string legacy = whole.substr(0, pickle::Document::Parse(whole, 21)->end());
  EXPECT_THAT(Error(absl::StrCat(legacy, system, ".", "]."), absl::StatusCode::kInvalidArgument),
              HasSubstr("'os.system'"));
  EXPECT_THAT(Error(absl::StrCat(whole.substr(0, 21), system, ".")),
              HasSubstr("does not describe the machine"));
  // A model instead of its state_dict.
  EXPECT_THAT(
      Error(Zip({{"a/data.pkl", "c__main__\nNet\n)\x81}b."}}), absl::StatusCode::kInvalidArgument),
      HasSubstr("'__main__.Net'"));
}

// The same as torch.save(pickle_protocol=4) writes it: names and texts on the stack, in frames.
std::string Protocol4(absl::string_view machine, absl::string_view object, absl::string_view keys) {
  std::string file;
  const absl::string_view magic("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 13);
  for (const absl::string_view body :
       {magic, absl::string_view("M\xe9\x03."), machine, object, keys}) {
    absl::StrAppend(&file, "\x80\x04\x95", Number(body.size(), 8), body);
  }
  return file;
}

std::string ShortText(absl::string_view text) {
  return absl::StrCat("\x8c", std::string(1, static_cast<char>(text.size())), text, "\x94");
}

TEST(TensorFileTest, LegacyFilesOfProtocol4AreRead) {
  const std::string object = absl::StrCat(
      "}\x94(", ShortText("w"), ShortText("torch._utils"), ShortText("_rebuild_tensor_v2"),
      "\x93\x94((", ShortText("storage"), ShortText("torch"), ShortText("FloatStorage"), "\x93\x94",
      ShortText("7"), ShortText("cpu"), "K\x06Nt\x94QK", std::string(1, '\0'),
      "K\x02K\x03\x86\x94K\x03K\x01\x86\x94", "\x89", ShortText("collections"),
      ShortText("OrderedDict"), "\x93\x94)R\x94t\x94R\x94u.");
  const std::string file = Protocol4(absl::StrCat("}\x94", ShortText("little_endian"), "\x88s."),
                                     object, absl::StrCat("]\x94", ShortText("7"), "a.")) +
                           Number(6, 8) + std::string(24, 1);
  auto read = TensorFile::Parse("f.pth", file);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->format(), "legacy");
  const pickle::Value* tensor = read->root().Find("w");
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(tensor->tensor->sizes, std::vector<int64_t>({2, 3}));
  EXPECT_TRUE(Digest(*read, *tensor->tensor).ok());
  for (const size_t size : {11u, 20u, 30u, 38u, 60u}) {
    EXPECT_THAT(Error(file.substr(0, size)), HasSubstr("damaged"));
  }
}

TEST(TensorFileTest, WhatIsNoCheckpointIsNamedWithItsConversion) {
  const ZipEntry pickle = {"net/data.pkl", "}."};
  const auto error = [](absl::string_view bytes) {
    return Error(bytes, absl::StatusCode::kInvalidArgument);
  };
  EXPECT_THAT(error(Zip({pickle, {"net/code/net.py", "x", 8}, {"net/constants.pkl", ")."}})),
              HasSubstr("torch.jit.load"));
  EXPECT_THAT(error(Zip({pickle, {"net/constants.pkl", ")."}})), HasSubstr("torch.jit.load"));
  EXPECT_THAT(error(Zip({{"net/archive_format", "pt2"}, {"net/models/model.json", "{}"}})),
              HasSubstr("torch.export.load"));
  const std::string part = ZipOf({"FloatStorage", "0", 6, 0, {2, 3}, {3, 1}});
  EXPECT_THAT(error(part + part), HasSubstr("dcp_to_torch_save"));
  EXPECT_THAT(error("version https://git-lfs.github.com/spec/v1\noid sha256:12"),
              HasSubstr("git lfs pull"));
  EXPECT_THAT(error("\x1f\x8b\x08 and more bytes"), HasSubstr("gunzip"));
  EXPECT_THAT(error("<!DOCTYPE html><html></html>"), HasSubstr("web page"));
  // Something else before an archive is damage.
  EXPECT_THAT(Error("PK" + part.substr(2, 30) + part), HasSubstr("damaged"));
}

TEST(TensorFileTest, FoldersNameTheFileInThem) {
  const std::string folder = ::testing::TempDir() + "/folder";
  const auto message = [&] {
    const absl::Status status = TensorFile::Open(folder).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return std::string(status.message());
  };
  std::filesystem::create_directories(folder + "/checkpoints/deep");
  EXPECT_THAT(message(), HasSubstr("is a folder"));
  for (const char* name : {"checkpoints/deep/x.pth", "checkpoints/checkpoint_0008.pth.tar",
                           "checkpoints/checkpoint_0009.pth.tar", "config.json"}) {
    ASSERT_TRUE(base::WriteFileAtomically(folder + "/" + name, "x").ok());
  }
  EXPECT_THAT(message(), HasSubstr("'checkpoints/checkpoint_0009.pth.tar'"));
  const std::string shard = "model-00002-of-00002.safetensors";
  const std::string index = "model.safetensors.index.json";
  ASSERT_TRUE(base::WriteFileAtomically(folder + "/" + shard, "x").ok());
  ASSERT_TRUE(base::WriteFileAtomically(folder + "/" + index, "{}").ok());
  EXPECT_THAT(message(), HasSubstr("'" + index + "'"));
  EXPECT_THAT(std::string(TensorFile::Open(folder + "/" + index).status().message()),
              HasSubstr("save_file"));
  std::filesystem::remove(folder + "/" + index);
  ASSERT_TRUE(base::WriteFileAtomically(folder + "/model.safetensors", "x").ok());
  EXPECT_THAT(message(), HasSubstr("'model.safetensors'"));
  ASSERT_TRUE(base::WriteFileAtomically(folder + "/.metadata", "x").ok());
  EXPECT_THAT(message(), HasSubstr("dcp_to_torch_save"));
  const std::string part = folder + "/__0_0.distcp";
  ASSERT_TRUE(base::WriteFileAtomically(part, ZipOf({"FloatStorage", "0", 6, 0, {6}, {1}})).ok());
  EXPECT_THAT(std::string(TensorFile::Open(part).status().message()),
              HasSubstr("dcp_to_torch_save"));
}

// pickle.dump() writes each storage as the bytes of a file of its own, which a call reads.
TEST(TensorFileTest, TensorsOfPickleDumpAreNamed) {
  const std::string storage =
      "ctorch.storage\n_load_from_bytes\n(U\x03"
      "abctR";
  const std::string tensor =
      absl::StrCat("ctorch._utils\n_rebuild_tensor_v2\n(", storage, "K\x01(K\x03t(K\x01t\x89NtR");
  const std::string bytes = absl::StrCat("\x80\x02}(U\x01", "a", tensor, "u.");
  const auto file = TensorFile::Parse("f", bytes);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->root().Find("a")->kind, pickle::Value::kOpaque);
  EXPECT_EQ(file->root().Find("a")->text, "torch.storage._load_from_bytes");
}

TEST(TensorFileTest, ATypeThatIsNotReadDoesNotHideTheRest) {
  const std::string header = absl::StrCat(
      "{", Entry("x", "2,3", 0, 24), R"(,"c":{"dtype":"C64","shape":[2],"data_offsets":[24,40]}})");
  auto file = TensorFile::Parse("f", Safetensors(header, 40));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(Digest(*file, *file->root().Find("x")->tensor).ok());
  const absl::Status status = file->Read(*file->root().Find("c")->tensor).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("'C64'"));
}

// The size of the header is what the file begins with, and other formats begin with such numbers.
TEST(TensorFileTest, SafetensorsWithHeadersOfAnySize) {
  for (const size_t size : {0x80u, 0x280u, 0x4b50u, 0x68u}) {
    std::string header = absl::StrCat("{", Entry("x", "2,3", 0, 24), "}");
    header.resize(size, ' ');
    const std::string bytes = Safetensors(header, 24);
    ASSERT_EQ(bytes.size(), 8 + size + 24);
    auto file = TensorFile::Parse("f", bytes);
    ASSERT_TRUE(file.ok()) << size << ": " << file.status();
    EXPECT_EQ(file->format(), "safetensors");
    EXPECT_THAT(Error(bytes.substr(0, size)), HasSubstr("damaged")) << size;
  }
}

TEST(TensorFileTest, LyingTensorsAreRefused) {
  const pickle::TensorInfo good = {"FloatStorage", "0", 6, 0, {2, 3}, {3, 1}};
  const std::string whole = ZipOf(good);
  ASSERT_TRUE(TensorFile::Parse("f", whole).ok());
  constexpr int64_t kHuge = INT64_MAX;
  const auto with = [&](auto change) {
    pickle::TensorInfo info = good;
    change(info);
    return Error(ZipOf(info), info.storage_type == "WideStorage"
                                  ? absl::StatusCode::kInvalidArgument
                                  : absl::StatusCode::kDataLoss);
  };
  EXPECT_THAT(with([](auto& i) { i.offset = 1; }), HasSubstr("its storage"));
  EXPECT_THAT(with([](auto& i) { i.strides = {4, 1}; }), HasSubstr("its storage"));
  EXPECT_THAT(with([](auto& i) { i.strides = {kHuge, kHuge}; }), HasSubstr("its storage"));
  EXPECT_THAT(with([](auto& i) { i.offset = kHuge; }), HasSubstr("its storage"));
  EXPECT_THAT(with([](auto& i) { i.sizes = {kHuge, kHuge}; }), HasSubstr("more elements"));
  EXPECT_THAT(with([](auto& i) {
                i.sizes = {7, 1}, i.strides = {0, 0};
              }),
              HasSubstr("more elements"));
  EXPECT_THAT(with([](auto& i) { i.storage_size = 7; }), HasSubstr("size"));
  EXPECT_THAT(with([](auto& i) { i.storage_size = kHuge; }), HasSubstr("size"));
  EXPECT_THAT(with([](auto& i) { i.storage_type = "DoubleStorage"; }), HasSubstr("size"));
  EXPECT_THAT(with([](auto& i) { i.storage_type = "WideStorage"; }), HasSubstr("'WideStorage'"));
  EXPECT_THAT(with([](auto& i) { i.key = "1"; }), HasSubstr("'a/data/1' is missing"));
  EXPECT_THAT(with([](auto& i) { i.key = "../data.pkl"; }), HasSubstr("is missing"));
}

TEST(TensorFileTest, LyingArchivesAreRefused) {
  const ZipEntry pickle = {"a/data.pkl", "}."};
  const std::string whole = Zip({pickle});
  ASSERT_TRUE(TensorFile::Parse("f", whole).ok());
  EXPECT_THAT(Error(Zip({{"a/data.pkl", "}.", 8}})), HasSubstr("is compressed"));
  EXPECT_THAT(Error(Zip({{"a/data.pkl", "}.", 0, 1}})), HasSubstr("truncated"));
  EXPECT_THAT(Error(Zip({{"a/data.pkl", "}.", 0, 3}})), HasSubstr("the archive's data"));
  EXPECT_THAT(Error(Zip({{"a/data.pkl", "}.", 0, 0xfffffffe}})), HasSubstr("the archive's data"));
  EXPECT_THAT(Error(Zip({{"a/data.pkl", "}.", 0, 0xffffffff}})), HasSubstr("has no size"));
  EXPECT_THAT(Error(Zip({{"a/data.pkl", "}.", 0, 12}, {"a/b", "12345"}})),
              HasSubstr("two entries"));
  EXPECT_THAT(Error(Zip({pickle, pickle})), HasSubstr("twice"));
  EXPECT_THAT(Error(Zip({{"a/data.pkl", "}.}."}})), HasSubstr("after its end"));
  std::string renamed = whole;
  renamed[30] = 'b';
  EXPECT_THAT(Error(renamed), HasSubstr("two contradicting"));
  // The end says that there are 2^16 entries, or that the directory is elsewhere.
  std::string counted = whole;
  counted.replace(whole.size() - 12, 2, "\xff\xff");
  EXPECT_THAT(Error(counted), HasSubstr("directory"));
  std::string moved = whole;
  moved[whole.size() - 6] ^= 1;
  EXPECT_THAT(Error(moved), HasSubstr("not where it should be"));
}

TEST(TensorFileTest, LyingSafetensorsAreRefused) {
  const std::string good = Safetensors("{" + Entry("x", "2,3", 0, 24) + "}", 24);
  EXPECT_TRUE(TensorFile::Parse("f", good).ok());
  const auto error = [](const std::string& header, size_t data) {
    return Error(Safetensors("{" + header + "}", data));
  };
  EXPECT_THAT(error(Entry("x", "2,3", 0, 24), 23), HasSubstr("end of the file"));
  EXPECT_THAT(error(Entry("x", "2,3", 0, 24), 25), HasSubstr("more bytes than its tensors"));
  EXPECT_THAT(error(Entry("x", "2,2", 0, 24), 24), HasSubstr("data_offsets"));
  EXPECT_THAT(error(Entry("x", "4294967296,4294967296", 0, 24), 24), HasSubstr("data_offsets"));
  EXPECT_THAT(error(Entry("x", "9223372036854775808", 0, 24), 24), HasSubstr("not described"));
  EXPECT_THAT(error(Entry("x", "-1", 0, 24), 24), HasSubstr("not described"));
  EXPECT_THAT(error(Entry("x", "1.5", 0, 24), 24), HasSubstr("not described"));
  EXPECT_THAT(error(Entry("x", "2", 12, 4), 24), HasSubstr("end of the file"));
  EXPECT_THAT(error(Entry("x", "3", 0, 12) + "," + Entry("y", "3", 8, 20), 20),
              HasSubstr("'y' does not begin where"));
  EXPECT_THAT(error(Entry("x", "3", 0, 12) + "," + Entry("y", "3", 0, 12), 12),
              HasSubstr("'y' does not begin where"));
  EXPECT_THAT(error(Entry("x", "3", 0, 12) + "," + Entry("y", "2", 16, 24), 24),
              HasSubstr("'y' does not begin where"));
  EXPECT_THAT(error(Entry("x", "3", 0, 12) + "," + Entry("x", "3", 12, 24), 24),
              HasSubstr("'x' appears twice"));
  EXPECT_THAT(error("\"x\":3", 0), HasSubstr("not described"));
  EXPECT_THAT(error("\"__metadata__\":{\"a\":1}", 0), HasSubstr("not an object of text"));
  EXPECT_THAT(error("nonsense", 0), HasSubstr("not a JSON object"));
  EXPECT_THAT(Error(Safetensors("{\"x\":" + std::string(100000, '['), 0)),
              HasSubstr("not a JSON object"));
  EXPECT_THAT(Error(Number(UINT64_MAX, 8) + "{}"), HasSubstr("its end"));
  const std::string eight = R"({"x":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}})";
  EXPECT_THAT(Error(Safetensors(eight, 1), absl::StatusCode::kInvalidArgument),
              HasSubstr("'F8_E4M3'"));
}

TEST(TensorFileTest, LyingArraysAreRefused) {
  const auto write = [](const std::vector<int64_t>& sizes, uint32_t bytes, size_t written) {
    pickle::Writer w(3);
    w.BeginArray(kDTypes[0], sizes, bytes);
    std::string file = w.Flush() + std::string(written, 1);
    w.EndArray();
    return file + w.Finish();
  };
  const std::string good = write({2, 3}, 24, 24);
  EXPECT_TRUE(TensorFile::Parse("f", good).ok());
  constexpr int64_t kHuge = INT64_MAX;
  for (const auto& sizes :
       std::vector<std::vector<int64_t>>{{2, 4}, {6, 2}, {}, {0}, {kHuge, kHuge}}) {
    EXPECT_THAT(Error(write(sizes, 24, 24)), HasSubstr("its shape"));
  }
  EXPECT_THAT(Error(write({2, 3}, 25, 25)), HasSubstr("its shape"));
  EXPECT_THAT(Error(write({2, 3}, 24, 20)), HasSubstr("damaged"));
  EXPECT_THAT(Error(write({1 << 30}, UINT32_MAX, 24)), HasSubstr("truncated"));
}

TEST(TensorFileTest, LyingLegacyFilesAreRefused) {
  const std::string whole = Contents("label_legacy.pt");
  const size_t size_at = whole.size() - 7 * 8 - 8;
  for (uint64_t size : {uint64_t{6}, uint64_t{8}, uint64_t{1} << 61, UINT64_MAX}) {
    std::string lying = whole;
    lying.replace(size_at, 8, Number(size, 8));
    EXPECT_THAT(Error(lying), HasSubstr(absl::StrCat("at byte ", size_at)));
  }
}

}  // namespace
}  // namespace tensors
