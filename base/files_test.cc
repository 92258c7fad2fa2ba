#include "base/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

namespace base {
namespace {

using ::testing::HasSubstr;

std::string Fresh(const std::string& name) {
  const std::string path = testing::TempDir() + "/files_test_" + name;
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

int Entries(const std::string& folder) {
  const std::filesystem::directory_iterator entries(folder);
  return static_cast<int>(std::distance(begin(entries), end(entries)));
}

TEST(FilesTest, ANewFileNeverTakesAnothersPlace) {
  const std::string folder = Fresh("new"), path = folder + "/f";
  ASSERT_TRUE(WriteNewFile(path, "first").ok());
  EXPECT_EQ(ReadFile(path).value(), "first");
  const absl::Status again = WriteNewFile(path, "second");
  EXPECT_EQ(again.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(again.message()),
              HasSubstr(path + "': File exists; choose another name"));
  EXPECT_EQ(ReadFile(path).value(), "first");
  EXPECT_EQ(Entries(folder), 1);  // no temporary file stays, either time
}

TEST(FilesTest, WhatIsWrittenIsRead) {
  const std::string path = Fresh("round") + "/f";
  const std::string contents("a\0b\n", 4);
  ASSERT_TRUE(WriteFileAtomically(path, contents).ok());
  EXPECT_EQ(ReadFile(path).value(), contents);
  ASSERT_TRUE(WriteFileAtomically(path, "").ok());
  EXPECT_EQ(ReadFile(path).value(), "");
  EXPECT_EQ(ReadFile("/proc/self/stat").value().empty(), false);  // its size is said to be 0
}

TEST(FilesTest, AMappedFileIsTheFile) {
  const std::string folder = Fresh("mapped"), path = folder + "/f";
  ASSERT_TRUE(WriteFileAtomically(path, "bytes").ok());
  auto file = MappedFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  const MappedFile moved = *std::move(file);
  ASSERT_TRUE(WriteFileAtomically(path, "").ok());
  EXPECT_EQ(moved.bytes(), "bytes");  // of the file that was opened
  EXPECT_EQ(MappedFile::Open(path)->bytes(), "");
  EXPECT_EQ(MappedFile::Open(folder).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(MappedFile::Open("/dev/zero").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(MappedFile::Open(folder + "/no").status().code(), absl::StatusCode::kNotFound);
}

TEST(FilesTest, AGrowingFileGoesOnWhereItWas) {
  const std::string folder = Fresh("growing"), path = folder + "/f";
  {
    auto file = GrowingFile::Open(path);
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ(file->size(), 0);
    ASSERT_TRUE(file->Append("0123456789").ok());
    ASSERT_TRUE(file->Overwrite(1, "ab").ok());
    ASSERT_TRUE(file->Append("x").ok());
    ASSERT_TRUE(file->Sync().ok());
  }
  auto file = GrowingFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->size(), 11);
  ASSERT_TRUE(file->Cut(4).ok());
  GrowingFile moved = *std::move(file);
  ASSERT_TRUE(moved.Append("y").ok());
  EXPECT_EQ(moved.size(), 5);
  EXPECT_EQ(ReadFile(path).value(), "0ab3y");
  EXPECT_EQ(GrowingFile::Open(folder).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(GrowingFile::Open("/dev/full").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(GrowingFile::Open(folder + "/no/f").status().code(), absl::StatusCode::kNotFound);
}

TEST(FilesTest, AFailedProducerLeavesTheOldFileAndNothingElse) {
  const std::string folder = Fresh("failed"), path = folder + "/f";
  ASSERT_TRUE(WriteFileAtomically(path, "old").ok());
  const absl::Status status = WriteFileAtomically(path, [](const Sink& sink) -> absl::Status {
    if (absl::Status s = sink("half", 4); !s.ok()) return s;
    return absl::InternalError("no more");
  });
  EXPECT_EQ(status.message(), "no more");
  EXPECT_EQ(ReadFile(path).value(), "old");
  EXPECT_EQ(Entries(folder), 1);
}

TEST(FilesTest, ErrorsNameThePathAndTellKindsApart) {
  const std::string folder = Fresh("errors");
  EXPECT_EQ(ReadFile(folder + "/no").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(ReadFile(folder + "/no").status().message()),
              HasSubstr("/no': No such file or directory"));
  EXPECT_EQ(ReadFile(folder).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(WriteFileAtomically(folder + "/no/f", "x").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(WriteFileAtomically("/dev/full/f", "x").code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(WriteFileAtomically(folder + "/file", "x").ok());
  EXPECT_FALSE(MakeFolders(folder + "/file/below").ok());
  EXPECT_TRUE(MakeFolders(folder + "/a/b/c").ok());
  EXPECT_TRUE(MakeFolders(folder + "/a/b/c").ok());
}

TEST(FilesTest, WhatKilledWritersHaveLeftIsRemoved) {
  const std::string folder = Fresh("killed");
  const std::string elsewhere = Fresh("elsewhere");
  ASSERT_TRUE(MakeFolders(folder + "/sample").ok());
  std::filesystem::create_directory_symlink(elsewhere, folder + "/link");
  for (const char* name : {"/a.pth.tar.part-123", "/sample/images.csv.part-7", "/link/a.part-7",
                           "/a.pth.tar", "/b.part-1x", "/part-1"}) {
    ASSERT_TRUE(WriteFileAtomically(folder + name, "x").ok());
  }
  RemoveTemporaries(folder);
  EXPECT_FALSE(std::filesystem::exists(folder + "/a.pth.tar.part-123"));
  EXPECT_FALSE(std::filesystem::exists(folder + "/sample/images.csv.part-7"));
  EXPECT_TRUE(std::filesystem::exists(elsewhere + "/a.part-7"));
  for (const char* name : {"/a.pth.tar", "/b.part-1x", "/part-1"}) {
    EXPECT_TRUE(std::filesystem::exists(folder + name));
  }
  RemoveTemporaries(folder + "/absent");
}

TEST(FilesTest, WhatIsNotAPlainFileIsNotRead) {
  const std::string folder = Fresh("odd"), pipe = folder + "/a.png";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(std::string(ReadFile(pipe).status().message()), HasSubstr("pipe"));
  EXPECT_FALSE(ReadFile("/dev/zero").ok());
  ASSERT_TRUE(WriteFileAtomically(folder + "/large", std::string(100, 'x')).ok());
  EXPECT_TRUE(ReadFile(folder + "/large", 100).ok());
  EXPECT_THAT(std::string(ReadFile(folder + "/large", 99).status().message()),
              HasSubstr("100 bytes, more than 99"));
}

TEST(FilesTest, WordsAreQuotedWhereAShellNeedsIt) {
  EXPECT_EQ(ShellQuoted("/a/b-c_1.tar"), "/a/b-c_1.tar");
  EXPECT_EQ(ShellQuoted("my run"), "'my run'");
  EXPECT_EQ(ShellQuoted("it's"), "'it'\\''s'");
  EXPECT_EQ(ShellQuoted(""), "''");
}

TEST(FilesTest, InFilePutsTheNameBeforeAnError) {
  const absl::Status status = InFile(absl::DataLossError("is cut"), "a b.pth");
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), "'a b.pth' is cut");
  EXPECT_TRUE(InFile(absl::OkStatus(), "a").ok());
}

TEST(FilesTest, PathsAreRelativeToWhereThePersonStands) {
  setenv("BUILD_WORKING_DIRECTORY", "/where/they/stand", 1);
  EXPECT_EQ(UserPath("runs/x"), "/where/they/stand/runs/x");
  EXPECT_EQ(UserPath("./runs//x/"), "/where/they/stand/runs/x");
  EXPECT_EQ(UserPath("."), "/where/they/stand");
  EXPECT_EQ(UserPath("/absolute"), "/absolute");
  EXPECT_EQ(UserPath(""), "");
  setenv("HOME", "/home/them", 1);
  EXPECT_EQ(UserPath("~/x"), "/home/them/x");
  // The folder above a link's target is not the one that holds the link.
  const std::string folder = Fresh("links");
  std::filesystem::create_directories(folder + "/deep/target");
  std::filesystem::create_symlink("deep/target", folder + "/link");
  ASSERT_TRUE(WriteFileAtomically(folder + "/deep/x", "beside the target").ok());
  ASSERT_TRUE(WriteFileAtomically(folder + "/x", "beside the link").ok());
  setenv("BUILD_WORKING_DIRECTORY", folder.c_str(), 1);
  EXPECT_EQ(ReadFile(UserPath("link/../x")).value(), "beside the target");
  EXPECT_EQ(ReadFile(UserPath("deep/../x")).value(), "beside the link");
  unsetenv("BUILD_WORKING_DIRECTORY");
  EXPECT_EQ(UserPath("x"), (std::filesystem::current_path() / "x").string());
}

}  // namespace
}  // namespace base
