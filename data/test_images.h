// Images and archives that tests make for themselves.
#ifndef DATA_TEST_IMAGES_H_
#define DATA_TEST_IMAGES_H_

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

// A file with an int64 tensor of one dimension.
std::string LabelTensor(const std::vector<int64_t>& labels);

}  // namespace data

#endif  // DATA_TEST_IMAGES_H_
