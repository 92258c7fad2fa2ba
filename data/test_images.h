// Images and archives that tests make for themselves.
#ifndef DATA_TEST_IMAGES_H_
#define DATA_TEST_IMAGES_H_

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

namespace data {

// A picture in RGB that is like no other of another `seed`.
cv::Mat TestImage(int seed, int rows = 6, int cols = 9);

// An empty folder of the test that runs.
std::string TestFolder(const std::string& name);

// Writes a file and the folders that it lies in.
void WriteTestFile(const std::string& path, const std::string& contents);

bool SameImage(const cv::Mat& a, const cv::Mat& b);

// One entry of a tar archive as POSIX (ustar) writes it: header, contents, padding.
std::string TarEntry(const std::string& name, const std::string& contents, char type = '0');

// What an archive ends with.
std::string TarEnd();

// An entry of a zip archive, and what its writer may say of it.
struct ZipMember {
  std::string name;
  std::string contents;
  bool deflated = false;
  uint16_t flags = 0;  // 8: the sizes follow the contents; 0x800: the name is UTF-8
  uint8_t system = 3;  // on which the archive was made: Unix
  int method = -1;     // the method that is stated, if it is not the true one
  int64_t size = -1;   // the same for the unpacked size
  uint32_t attributes = 0;
};

// A zip archive; `zip64`: with all of its numbers in the records of 64 bits.
std::string ZipArchive(const std::vector<ZipMember>& members, bool zip64 = false);

// A .npy file of format 1.0: the header, with `dtype` ("<u2") and `shape` ("(2, 3)"), and `values`.
std::string NpyFile(const std::string& dtype, const std::string& shape, const std::string& values,
                    bool fortran_order = false);

// A file with an int64 tensor of one dimension.
std::string LabelTensor(const std::vector<int64_t>& labels);

}  // namespace data

#endif  // DATA_TEST_IMAGES_H_
