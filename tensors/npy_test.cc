#include "tensors/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/rng.h"

namespace tensors {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Fresh(const std::string& name) {
  const std::string path = testing::TempDir() + "/npy_test_" + name + ".npy";
  std::filesystem::remove(path);
  return path;
}

// A file of version `version` with this dict in its header and these bytes behind it.
std::string File(const std::string& dict, const std::string& values, char version = 1) {
  const std::string text = dict + "\n";
  std::string size(version == 1 ? 2 : 4, '\0');
  size[0] = static_cast<char>(text.size() & 255);
  size[1] = static_cast<char>(text.size() >> 8);
  return absl::StrCat(absl::string_view("\x93NUMPY", 6), absl::string_view(&version, 1),
                      absl::string_view("\0", 1), size, text, values);
}

std::string Dict(const std::string& descr, const std::string& shape) {
  return absl::StrCat("{'descr': '", descr, "', 'fortran_order': False, 'shape': ", shape, ", }");
}

template <class T>
std::string Bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

absl::StatusOr<NpyMatrix> OpenFile(const std::string& contents) {
  const std::string path = Fresh("file");
  EXPECT_TRUE(base::WriteFileAtomically(path, contents).ok());
  return NpyMatrix::Open(path);
}

std::vector<float> All(const NpyMatrix& matrix) {
  std::vector<float> values(matrix.rows() * matrix.columns());
  matrix.Read(0, matrix.rows(), values.data());
  return values;
}

TEST(NpyMatrixTest, ReadsEveryTypeAndFormOfHeader) {
  const std::string single = Bytes<float>({1, 2, 3, -4.5, 5, 6});
  for (const std::string& file :
       {File(Dict("<f4", "(2, 3)"), single), File(Dict("<f4", "(2,3,)"), single, 2),
        File(Dict("<f4", "( 2 , 3 )"), single, 3),
        File("{\"shape\":(2,3),\"fortran_order\":False,\"descr\":\"<f4\"}", single),
        File(Dict("<f4", "(2, 3)"), single + "more"),
        File(Dict("<f8", "(2, 3)"), Bytes<double>({1, 2, 3, -4.5, 5, 6})),
        File(Dict("<f2", "(2, 3)"),
             Bytes<uint16_t>({0x3c00, 0x4000, 0x4200, 0xc480, 0x4500, 0x4600}))}) {
    const auto matrix = OpenFile(file);
    ASSERT_TRUE(matrix.ok()) << matrix.status();
    EXPECT_EQ(matrix->rows(), 2);
    EXPECT_EQ(matrix->columns(), 3);
    EXPECT_THAT(All(*matrix), ElementsAre(1, 2, 3, -4.5, 5, 6));
    float row[3];
    matrix->Release(1);
    matrix->Read(1, 1, row);
    EXPECT_THAT(row, ElementsAre(-4.5, 5, 6));
  }
  const auto empty = OpenFile(File(Dict("<f4", "(0, 3)"), ""));
  ASSERT_TRUE(empty.ok()) << empty.status();
  EXPECT_EQ(empty->rows(), 0);
}

TEST(NpyMatrixTest, ReadsWhatNumPyWrites) {
  for (const char* name : {"f2", "f4", "f8", "version2", "version3"}) {
    const auto matrix = NpyMatrix::Open(absl::StrCat("tensors/fuzz/corpus/npy/", name, ".npy"));
    ASSERT_TRUE(matrix.ok()) << matrix.status();
    EXPECT_EQ(matrix->columns(), 3) << name;
    EXPECT_THAT(All(*matrix), ElementsAre(0, 1, 2, 3, 4, 5)) << name;
  }
}

TEST(NpyMatrixTest, SaysWhatItDoesNotRead) {
  const std::string values(48, '\0');
  const struct {
    std::string file, message;
    absl::StatusCode code = absl::StatusCode::kInvalidArgument;
  } cases[] = {
      {"", ".npy file"},
      {"PK\x03\x04 an archive", ".npy file"},
      {File(Dict("<f4", "(2, 3)"), values, 4), "version 4"},
      {File(Dict(">f4", "(2, 3)"), values), "type '>f4'"},
      {File(Dict("<i8", "(2, 3)"), values), "type '<i8'"},
      {File(Dict("<f4", "(2, 3, 1)"), values), "3 dimensions"},
      {File(Dict("<f4", "(6,)"), values), "1 dimensions"},
      {File(Dict("<f4", "()"), values), "0 dimensions"},
      {File(Dict("<f4", "(2, 0)"), values), "0 columns"},
      {File(Dict("<f4", "(0, 99999999999)"), values), "99999999999 columns"},
      {File(Dict("<f4", "(2, -3)"), values), "descr, fortran_order and shape"},
      {File(Dict("<f4", "(2, x)"), values), "descr, fortran_order and shape"},
      {File("{'descr': '<f4', 'shape': (2, 3)}", values), "descr, fortran_order and shape"},
      {File("{'descr':", values), "descr, fortran_order and shape"},
      {File("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", values),
       "ascontiguousarray"},
      {File(Dict("<f4", "(2, 7)"), values), "too few for float32 of shape (2, 7)",
       absl::StatusCode::kDataLoss},
      {File(Dict("<f4", "(9223372036854775807, 16777216)"), values), "too few",
       absl::StatusCode::kDataLoss},
      {File(Dict("<f4", "(2, 3)"), "").substr(0, 40), "ends within its header",
       absl::StatusCode::kDataLoss},
      {std::string("\x93NUMPY\x01", 8), "ends within its header", absl::StatusCode::kDataLoss}};
  for (const auto& c : cases) {
    const auto matrix = OpenFile(c.file);
    EXPECT_EQ(matrix.status().code(), c.code) << c.message << ": " << matrix.status();
    EXPECT_THAT(std::string(matrix.status().message()), HasSubstr(c.message));
    EXPECT_THAT(std::string(matrix.status().message()), HasSubstr("npy_test_file.npy'"));
  }
  EXPECT_EQ(NpyMatrix::Open(Fresh("none")).status().code(), absl::StatusCode::kNotFound);
}

TEST(NpyMatrixTest, MutatedHeadersAreReadOrRefused) {
  const std::string whole = File(Dict("<f4", "(2, 3)"), std::string(24, '\1'));
  int read = 0;
  for (int i = 0; i < 20000; ++i) {
    base::Rng rng(1, base::Purpose::kTest, i);
    std::string bytes = whole;
    for (int changes = 0; changes < 2; ++changes) {
      const size_t at = rng.UniformInt(0, bytes.size() - 1);
      switch (rng.UniformInt(0, 3)) {
        case 0:
          bytes[at] = static_cast<char>(rng.NextBits());
          break;
        case 1:
          bytes.erase(at, rng.UniformInt(1, 8));
          break;
        case 2:
          bytes.insert(at, bytes.substr(at, rng.UniformInt(1, 8)));
          break;
        case 3:
          bytes[at] = "9(),'"[rng.UniformInt(0, 4)];
      }
      if (bytes.empty()) bytes = " ";
    }
    const auto header = ReadNpyHeader("mutated", bytes);
    if (!header.ok()) continue;
    ++read;
    EXPECT_LE(header->offset + header->rows * header->columns * header->width(), bytes.size());
  }
  EXPECT_GT(read, 100);
}

TEST(NpyWriterTest, WritesWhatIsReadInManyParts) {
  const std::string path = Fresh("parts");
  auto writer = NpyWriter::Open(path, NpyType::kFloat32, 2, 0);
  ASSERT_TRUE(writer.ok()) << writer.status();
  EXPECT_EQ(NpyMatrix::Open(path)->rows(), 0);
  const float values[] = {1, 2, 3, 4, 5, 6};
  ASSERT_TRUE((*writer)->Append(values, 2).ok());
  ASSERT_TRUE((*writer)->Append(values, 0).ok());
  EXPECT_EQ(NpyMatrix::Open(path)->rows(), 0) << "rows that were not synced";
  ASSERT_TRUE((*writer)->Sync().ok());
  ASSERT_TRUE((*writer)->Append(values + 4, 1).ok());
  EXPECT_EQ((*writer)->rows(), 3);
  ASSERT_TRUE((*writer)->Sync().ok());
  EXPECT_THAT(All(NpyMatrix::Open(path).value()), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(std::filesystem::file_size(path), 128 + 24);
  // The form that numpy.save gives it.
  const std::string bytes = base::ReadFile(path).value();
  EXPECT_EQ(bytes.substr(10, 60), "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), } ");
  EXPECT_EQ(bytes[127], '\n');
  // A new file where there was one.
  ASSERT_TRUE(NpyWriter::Open(path, NpyType::kFloat16, 5, 0).ok());
  EXPECT_EQ(NpyMatrix::Open(path)->columns(), 5);
  EXPECT_EQ(std::filesystem::file_size(path), 128);
}

TEST(NpyWriterTest, GoesOnAfterTheRowsThatAreKept) {
  const std::string path = Fresh("resumed");
  const float values[] = {1, 2, 3, 4, 5, 6, 7, 8};
  {
    auto writer = NpyWriter::Open(path, NpyType::kFloat32, 2, 0).value();
    ASSERT_TRUE(writer->Append(values, 3).ok());
    ASSERT_TRUE(writer->Sync().ok());
    ASSERT_TRUE(writer->Append(values, 1).ok());  // and is killed
  }
  auto writer = NpyWriter::Open(path, NpyType::kFloat32, 2, 2);
  ASSERT_TRUE(writer.ok()) << writer.status();
  EXPECT_EQ(NpyMatrix::Open(path)->rows(), 2);
  EXPECT_EQ(std::filesystem::file_size(path), 128 + 16);
  ASSERT_TRUE((*writer)->Append(values + 6, 1).ok());
  ASSERT_TRUE((*writer)->Sync().ok());
  EXPECT_THAT(All(NpyMatrix::Open(path).value()), ElementsAre(1, 2, 3, 4, 7, 8));

  EXPECT_EQ(NpyWriter::Open(Fresh("none"), NpyType::kFloat32, 2, 1).status().code(),
            absl::StatusCode::kNotFound);
  for (const auto& [type, columns, rows] :
       {std::tuple(NpyType::kFloat32, 2, 4), std::tuple(NpyType::kFloat32, 3, 1),
        std::tuple(NpyType::kFloat16, 2, 1)}) {
    const auto refused = NpyWriter::Open(path, type, columns, rows);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr("not the file"));
  }
  EXPECT_EQ(NpyMatrix::Open(path)->rows(), 3) << "a refused writer has changed the file";
}

// Every float16 there is, and what lies between two of them.
TEST(NpyWriterTest, HalvesAreTheNearest) {
  std::vector<uint16_t> halves;
  for (int bits = 0; bits < 0x7c00; ++bits) {
    halves.push_back(static_cast<uint16_t>(bits));
    halves.push_back(static_cast<uint16_t>(bits | 0x8000));
  }
  const int64_t n = halves.size();
  const auto matrix = OpenFile(File(Dict("<f2", absl::StrCat("(", n, ", 1)")), Bytes(halves)));
  ASSERT_TRUE(matrix.ok()) << matrix.status();
  const std::vector<float> values = All(*matrix);
  for (int64_t i = 0; i < n; ++i) {
    const int exponent = halves[i] >> 10 & 31, fraction = halves[i] & 1023;
    const double expected =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    ASSERT_EQ(values[i], (halves[i] & 0x8000) != 0 ? -expected : expected) << halves[i];
  }
  // Between a value and the next above in size: below the middle to the one, above it to the
  // other, in it to the even one.
  std::vector<float> between, expected;
  for (int64_t i = 0; i + 2 < n; i += 2) {
    const float low = values[i], high = values[i + 2], middle = (low + high) / 2;
    for (const float value :
         {low, std::nextafter(middle, low), middle, std::nextafter(middle, high)}) {
      between.push_back(value);
      expected.push_back(value < middle || (value == middle && halves[i] % 2 == 0) ? low : high);
    }
  }
  const std::string path = Fresh("halves");
  auto writer = NpyWriter::Open(path, NpyType::kFloat16, 1, 0).value();
  ASSERT_TRUE(writer->Append(between.data(), between.size()).ok());
  ASSERT_TRUE(writer->Append(values.data(), n).ok());
  const float nan = std::numeric_limits<float>::quiet_NaN(), most = 65519.996f, too_much = 65520;
  ASSERT_TRUE(writer->Append(&nan, 1).ok());
  ASSERT_TRUE(writer->Append(&most, 1).ok());
  const absl::Status refused = writer->Append(&too_much, 1);
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("use float32"));
  ASSERT_TRUE(writer->Sync().ok());
  const NpyMatrix written = NpyMatrix::Open(path).value();
  ASSERT_EQ(written.rows(), static_cast<int64_t>(between.size()) + n + 2);
  const std::vector<float> all = All(written);
  for (size_t i = 0; i < between.size(); ++i) ASSERT_EQ(all[i], expected[i]) << between[i];
  for (int64_t i = 0; i < n; ++i) ASSERT_EQ(all[between.size() + i], values[i]);
  EXPECT_TRUE(std::isnan(all[all.size() - 2]));
  EXPECT_EQ(all.back(), 65504);
}

}  // namespace
}  // namespace tensors
