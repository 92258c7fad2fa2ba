#include "tensors/stored_zip.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace tensors {
namespace {

constexpr uint64_t kIn64Bits = 0xffffffff;

std::string Number(uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

// Which numbers of an archive stand in its records of 64 bits, as a writer may choose for any of
// them, and must for those above 4 GiB.
struct Zip64 {
  bool sizes = false, offset = false, end = false;
  bool extra = true;  // false: the extra field is missing
};

uint64_t Crc(const std::string& text) {
  return crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size());
}

// An archive that holds `text` as "a" and "b", with the checksum `crc` for each.
std::string Archive(const std::string& text, const Zip64& in64, uint64_t crc) {
  const std::string versions_flags_method = Number(45, 2) + Number(0, 4);
  const std::string short_sizes = Number(in64.sizes ? kIn64Bits : text.size(), 4);
  const std::string long_sizes = in64.sizes ? Number(text.size(), 8) + Number(text.size(), 8) : "";
  const auto extra = [&](const std::string& numbers) {
    return numbers.empty() || !in64.extra ? "" : Number(1, 2) + Number(numbers.size(), 2) + numbers;
  };
  std::string file, directory;
  for (const char* name : {"a", "b"}) {
    const std::string fields =
        versions_flags_method + Number(0, 4) + Number(crc, 4) + short_sizes + short_sizes;
    const std::string in_directory =
        extra(long_sizes + (in64.offset ? Number(file.size(), 8) : ""));
    directory += Number(0x02014b50, 4) + Number(45, 2) + fields + Number(1, 2) +
                 Number(in_directory.size(), 2) + Number(0, 10) +
                 Number(in64.offset ? kIn64Bits : file.size(), 4) + name + in_directory;
    file += Number(0x04034b50, 4) + fields + Number(1, 2) + Number(extra(long_sizes).size(), 2) +
            name + extra(long_sizes) + text;
  }
  const uint64_t begin = file.size();
  file += directory;
  if (in64.end) {
    const uint64_t end = file.size();
    file += Number(0x06064b50, 4) + Number(44, 8) + Number(45, 2) + Number(45, 2) + Number(0, 8) +
            Number(2, 8) + Number(2, 8) + Number(directory.size(), 8) + Number(begin, 8);
    file += Number(0x07064b50, 4) + Number(0, 4) + Number(end, 8) + Number(1, 4);
  }
  return file + Number(0x06054b50, 4) + Number(0, 4) +
         (in64.end
              ? Number(0xffff, 2) + Number(0xffff, 2) + Number(kIn64Bits, 4) + Number(kIn64Bits, 4)
              : Number(2, 2) + Number(2, 2) + Number(directory.size(), 4) + Number(begin, 4)) +
         Number(0, 2);
}

std::string Archive(const std::string& text, const Zip64& in64) {
  return Archive(text, in64, Crc(text));
}

TEST(StoredZipTest, ChecksumsThatAreAll0AreNone) {
  const std::string none = Archive("some bytes", {}, 0), wrong = Archive("some bytes", {}, 1);
  const auto zip = StoredZip::Parse(none);
  ASSERT_TRUE(zip.ok()) << zip.status();
  for (const char* name : {"a", "b"}) {
    const auto bytes = zip->Read(name);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    EXPECT_EQ(*bytes, "some bytes");
  }
  EXPECT_TRUE(absl::IsDataLoss(StoredZip::Parse(wrong)->Read("a").status()));
}

TEST(StoredZipTest, NumbersOf64BitsAreReadWhereverTheyStand) {
  for (int bits = 0; bits < 8; ++bits) {
    const Zip64 in64 = {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0};
    const std::string file = Archive("some bytes", in64);
    const auto zip = StoredZip::Parse(file);
    ASSERT_TRUE(zip.ok()) << bits << ": " << zip.status();
    EXPECT_EQ(zip->entries().size(), 2);
    for (const char* name : {"a", "b"}) {
      const auto bytes = zip->Read(name);
      ASSERT_TRUE(bytes.ok()) << bits << ": " << bytes.status();
      EXPECT_EQ(*bytes, "some bytes");
    }
  }
}

TEST(StoredZipTest, NumbersOf64BitsThatAreMissingAreDamage) {
  for (const Zip64& in64 : {Zip64{true, false, true, false}, Zip64{false, true, true, false}}) {
    EXPECT_TRUE(absl::IsDataLoss(StoredZip::Parse(Archive("some bytes", in64)).status()));
  }
}

// In whatever byte a record is changed or cut: an error, or the same two entries.
TEST(StoredZipTest, NoChangedByteLeadsOutOfTheFile) {
  const std::string whole = Archive("some bytes", {true, true, true});
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const int change : {0x01, 0x80, 0xff}) {
      std::string changed = whole;
      changed[at] ^= static_cast<char>(change);
      const auto zip = StoredZip::Parse(changed);
      if (!zip.ok()) continue;
      for (const auto& [name, entry] : zip->entries()) {
        EXPECT_LE(entry.begin + entry.size, changed.size()) << absl::StrCat(at, " ", change);
      }
    }
    EXPECT_FALSE(StoredZip::Parse(whole.substr(0, at)).ok()) << at;
  }
}

}  // namespace
}  // namespace tensors
